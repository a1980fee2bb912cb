#include "sim/explore/replay_then.h"

#include <algorithm>

#include "sim/check.h"
#include "sim/engine/world.h"

namespace sim {

void ReplayThenStrategy::OnStart(const World& world) {
  SIM_CHECK(!then_.wants_turns());
  world_ = &world;
  then_.OnStart(world);
}

size_t ReplayThenStrategy::Choose(const ChoicePoint& point) {
  if (!left_) {
    const size_t followed = Follow(point);
    if (followed != kAbandon) return followed;
    left_ = true;
    left_at_ = point.turn;
  }
  ChoicePoint rest = point;
  rest.turn -= left_at_;
  return then_.Choose(rest);
}

size_t ReplayThenStrategy::Follow(const ChoicePoint& point) {
  if (point.turn >= turns_ || !Agrees()) return kAbandon;
  size_t run = checked_;
  if (run < wanted_.size() && point.turn - checked_turns_ >= wanted_[run].turns) ++run;
  if (run == wanted_.size()) return kAbandon;
  const auto wanted =
      std::find_if(point.candidates.begin(), point.candidates.end(),
                   [&](const Candidate& c) { return c.actor == wanted_[run].actor; });
  if (wanted == point.candidates.end()) return kAbandon;
  return static_cast<size_t>(wanted - point.candidates.begin());
}

bool ReplayThenStrategy::Agrees() {
  const std::vector<ScheduleRun>& taken = world_->schedule();
  for (; checked_ + 1 < taken.size(); ++checked_) {  // the last one may still grow
    if (checked_ == wanted_.size() || taken[checked_] != wanted_[checked_]) return false;
    checked_turns_ += taken[checked_].turns;
  }
  if (taken.empty()) return true;
  return checked_ < wanted_.size() && taken.back().actor == wanted_[checked_].actor &&
         taken.back().turns <= wanted_[checked_].turns;
}

void ReplayThenStrategy::OnEnd() {
  then_.OnEnd();
  for (const Task* const task : world_->tasks()) task_names_.push_back(task->name());
}

}  // namespace sim
