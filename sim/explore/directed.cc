#include "sim/explore/directed.h"

#include <algorithm>
#include <utility>

#include "sim/engine/world.h"
#include "sim/explore/random.h"

namespace sim {
namespace {

// "name" of "name/subclass"
std::string_view ClassOf(std::string_view lock) { return lock.substr(0, lock.rfind('/')); }

bool IsAbout(const HoldAndWait& task, const CycleWait& wait) {
  return ClassOf(task.wanted) == ClassOf(wait.wanted) &&
         std::find(task.held.begin(), task.held.end(), wait.held) != task.held.end();
}

}  // namespace

DirectedStrategy::DirectedStrategy(uint64_t seed, std::vector<CycleWait> cycle)
    : random_(seed, "choices"), cycle_(std::move(cycle)) {}

size_t DirectedStrategy::Choose(const ChoicePoint& point) {
  free_.clear();
  kept_.clear();
  for (size_t i = 0; i < point.candidates.size(); ++i) {
    (IsKept(point.candidates[i]) ? kept_ : free_).push_back(i);
  }
  if (!kept_.empty() && (let_go_ || AllTogether(point))) {
    let_go_ = true;
    return kept_.front();
  }
  if (free_.empty()) {
    const size_t chosen = kept_[random_.UniformBelow(kept_.size())];
    stops_[point.candidates[chosen].actor.id].kept = false;
    return chosen;
  }
  Nanos earliest = INT64_MAX;
  for (const size_t i : free_) earliest = std::min(earliest, point.candidates[i].ready_at);
  std::erase_if(free_, [&](size_t i) {
    return point.candidates[i].ready_at - earliest > RandomStrategy::kFarNanos;
  });
  return free_[random_.UniformBelow(free_.size())];
}

bool DirectedStrategy::IsKept(const Candidate& candidate) {
  if (candidate.actor.kind != Actor::Kind::kTask) return false;
  const uint32_t id = candidate.actor.id;
  if (id >= stops_.size()) stops_.resize(id + 1);
  Stop& stop = stops_[id];
  if (stop.since == candidate.since) return stop.kept;
  const HoldAndWait task = HoldAndWaitOf(*world_, *world_->tasks()[id]);
  const bool is_about = std::any_of(cycle_.begin(), cycle_.end(),
                                    [&](const CycleWait& wait) { return IsAbout(task, wait); });
  stop = {candidate.since, is_about && !random_.OneIn(kLetPassOneIn)};
  return stop.kept;
}

bool DirectedStrategy::AllTogether(const ChoicePoint& point) const {
  std::vector<HoldAndWait> tasks;
  for (const size_t i : kept_) {
    tasks.push_back(HoldAndWaitOf(*world_, *world_->tasks()[point.candidates[i].actor.id]));
  }
  for (const Task* task : world_->tasks()) {
    if (task->state() == Task::State::kParked && !task->idle()) {
      tasks.push_back(HoldAndWaitOf(*world_, *task));
    }
  }
  return std::all_of(cycle_.begin(), cycle_.end(), [&](const CycleWait& wait) {
    return std::any_of(tasks.begin(), tasks.end(),
                       [&](const HoldAndWait& task) { return IsAbout(task, wait); });
  });
}

}  // namespace sim
