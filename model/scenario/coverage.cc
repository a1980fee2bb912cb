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
  seen_.executions = std::max(seen_.executions, execution + 1);
  for (const uint64_t choice : coverage.choice_points)
    NoteFirst(seen_.choice_points, choice, execution);
  for (const uint64_t state : coverage.final_states)
    NoteFirst(seen_.final_states, state, execution);
  for (size_t i = 0; i < seen_.policies_asked.size(); ++i) {
    seen_.policies_asked[i] += coverage.policies_asked[i];
  }
}

void CoverageTable::Merge(const CoverageTable& other, int64_t first_execution) {
  if (other.seen_.executions > 0) {
    seen_.executions = std::max(seen_.executions, first_execution + other.seen_.executions);
  }
  for (const auto& [choice, first] : other.seen_.choice_points) {
    NoteFirst(seen_.choice_points, choice, first_execution + first);
  }
  for (const auto& [state, first] : other.seen_.final_states) {
    NoteFirst(seen_.final_states, state, first_execution + first);
  }
  for (size_t i = 0; i < seen_.policies_asked.size(); ++i) {
    seen_.policies_asked[i] += other.seen_.policies_asked[i];
  }
}

void CoverageTable::AddTo(SeenThings& things, int64_t first) const {
  ++things.seen;
  ++things.new_by_quarter[static_cast<size_t>(first * 4 / seen_.executions)];
}

SeenThings CoverageTable::Count(const FirstSeen& things) const {
  SeenThings count;
  for (const auto& [thing, first] : things) AddTo(count, first);
  return count;
}

Coverage CoverageTable::Summary(const sim::Validator& locks, const model::Policy& on) const {
  Coverage coverage;
  coverage.executions = seen_.executions;
  for (const sim::LockGraph::Edge& edge : locks.graph().edges()) {
    const auto first = static_cast<int64_t>(locks.FirstSeen(edge).actor.execution);
    AddTo(coverage.lock_edges, first);
  }
  coverage.choice_points = Count(seen_.choice_points);
  coverage.final_states = Count(seen_.final_states);
  for (size_t i = 0; i < seen_.policies_asked.size(); ++i) {
    const model::PolicyEntry& entry = model::kPolicyEntries[i];
    coverage.policies.push_back({entry.name, (on.*entry.member).value(), seen_.policies_asked[i]});
  }
  return coverage;
}

}  // namespace scenario
