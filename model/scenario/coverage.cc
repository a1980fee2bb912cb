#include "model/scenario/coverage.h"

#include <algorithm>

namespace scenario {
namespace {

void NoteFirst(absl::btree_map<uint64_t, int64_t>& things, uint64_t thing, int64_t execution) {
  const auto [it, is_new] = things.try_emplace(thing, execution);
  if (!is_new) it->second = std::min(it->second, execution);
}

}  // namespace

void CoverageTable::Add(int64_t execution, const ExecutionCoverage& coverage) {
  executions_ = std::max(executions_, execution + 1);
  for (const uint64_t choice : coverage.choice_points) NoteFirst(choice_points_, choice, execution);
  for (const uint64_t state : coverage.final_states) NoteFirst(final_states_, state, execution);
  for (size_t i = 0; i < policies_asked_.size(); ++i) {
    policies_asked_[i] += coverage.policies_asked[i];
  }
}

void CoverageTable::Merge(const CoverageTable& other, int64_t first_execution) {
  if (other.executions_ > 0) {
    executions_ = std::max(executions_, first_execution + other.executions_);
  }
  for (const auto& [choice, first] : other.choice_points_) {
    NoteFirst(choice_points_, choice, first_execution + first);
  }
  for (const auto& [state, first] : other.final_states_) {
    NoteFirst(final_states_, state, first_execution + first);
  }
  for (size_t i = 0; i < policies_asked_.size(); ++i) {
    policies_asked_[i] += other.policies_asked_[i];
  }
}

void CoverageTable::AddTo(SeenThings& things, int64_t first) const {
  ++things.seen;
  ++things.new_by_quarter[static_cast<size_t>(first * 4 / executions_)];
}

SeenThings CoverageTable::Count(const FirstSeen& things) const {
  SeenThings count;
  for (const auto& [thing, first] : things) AddTo(count, first);
  return count;
}

Coverage CoverageTable::Summary(const sim::Validator& locks, const model::Policy& on) const {
  Coverage coverage;
  coverage.executions = executions_;
  for (const sim::LockGraph::Edge& edge : locks.graph().edges()) {
    const auto first = static_cast<int64_t>(locks.FirstSeen(edge).actor.execution);
    AddTo(coverage.lock_edges, first);
  }
  coverage.choice_points = Count(choice_points_);
  coverage.final_states = Count(final_states_);
  for (size_t i = 0; i < policies_asked_.size(); ++i) {
    const model::PolicyEntry& entry = model::kPolicyEntries[i];
    coverage.policies.push_back({entry.name, (on.*entry.member).value(), policies_asked_[i]});
  }
  return coverage;
}

}  // namespace scenario
