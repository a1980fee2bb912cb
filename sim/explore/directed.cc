#include "sim/explore/directed.h"

#include <algorithm>
#include <utility>

#include "sim/engine/world.h"
#include "sim/explore/random.h"

namespace sim {
namespace {

bool Holds(const HoldAndWait& task, const CycleWait& wait) {
  return std::find(task.held.begin(), task.held.end(), wait.held) != task.held.end();
}

}  // namespace

DirectedStrategy::DirectedStrategy(uint64_t seed, std::vector<CycleWait> cycle)
    : random_(seed, "choices"),
      stretch_(uint64_t{1} << 2 * random_.UniformBelow(4)),
      keeps_holders_(random_.OneIn(2)),
      cycle_(std::move(cycle)) {}

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
  if (free_.empty()) return kept_[random_.UniformBelow(kept_.size())];
  return ChooseFree(point);
}

// Tasks mostly go on, in stretches of a length of this execution's own: some deadlocks take that
// one task does much while another does little.
size_t DirectedStrategy::ChooseFree(const ChoicePoint& point) {
  const auto goes_on = std::find_if(free_.begin(), free_.end(),
                                    [&](size_t i) { return point.candidates[i].actor == last_; });
  if (goes_on != free_.end() && !random_.OneIn(stretch_)) return *goes_on;
  if (!random_.OneIn(RandomStrategy::kFarOneIn)) {
    Nanos earliest = INT64_MAX;
    for (const size_t i : free_) earliest = std::min(earliest, point.candidates[i].ready_at);
    std::erase_if(free_, [&](size_t i) {
      return point.candidates[i].ready_at - earliest > RandomStrategy::kFarNanos;
    });
  }
  const size_t chosen = free_[random_.UniformBelow(free_.size())];
  last_ = point.candidates[chosen].actor;
  return chosen;
}

bool DirectedStrategy::IsKept(const Candidate& candidate) {
  if (candidate.actor.kind != Actor::Kind::kTask) return false;
  const uint32_t id = candidate.actor.id;
  if (id >= stops_.size()) stops_.resize(id + 1);
  Stop& stop = stops_[id];
  if (stop.since == candidate.since) return stop.kept;
  const HoldAndWait task = HoldAndWaitOf(*world_, *world_->tasks()[id]);
  stop = {candidate.since, false};
  for (size_t i = 0; i < cycle_.size(); ++i) {
    if (Does(task, cycle_, i)) {
      stop.kept = !random_.OneIn(kLetPassOneIn);
      break;
    }
    if (keeps_holders_ && Holds(task, cycle_[i])) stop.kept = random_.OneIn(kKeepHolderOneIn);
  }
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
  return IsDeadlockOf(cycle_, tasks);
}

}  // namespace sim
