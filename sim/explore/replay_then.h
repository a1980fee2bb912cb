// Takes the turns of a recorded schedule again, as far as it agrees or for so many turns, and lets
// another strategy go on from there.
//
// A schedule *agrees* with an execution up to a turn if all turns before it agree, and the actor
// that the schedule has for it can take it: it is a candidate, or the only one there is. Tasks and
// events are known by their numbers, in order of creation. What the turn then does is not compared:
// a schedule tells nothing of that, and a scenario that was edited may well do something else. So
// the schedule of a scenario with one thread more, say, agrees until that thread's number is taken.
//
// The other strategy sees an execution that begins where the schedule was left, at turn 0.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/engine/strategy.h"

namespace sim {

class ReplayThenStrategy final : public Strategy {
 public:
  static constexpr uint64_t kAllTurns = UINT64_MAX;

  // At most `turns` turns of `wanted`. `then` must outlive it, has not been asked anything yet, and
  // wants no turns. Requires: the world keeps its schedule.
  ReplayThenStrategy(std::vector<ScheduleRun> wanted, uint64_t turns, Strategy& then)
      : wanted_(std::move(wanted)), turns_(turns), then_(then) {}

  void OnStart(const World& world) override;
  size_t Choose(const ChoicePoint& point) override;
  void OnEnd() override;

  // Once the execution has ended: by TaskId.
  const std::vector<std::string>& task_names() const { return task_names_; }

 private:
  // The candidate that the schedule wants; kAbandon: it does not agree any more, or has ended.
  size_t Follow(const ChoicePoint& point);
  // Are the turns taken so far those of the schedule? Some were nobody's choice.
  bool Agrees();

  std::vector<ScheduleRun> wanted_;
  uint64_t turns_ = 0;
  Strategy& then_;
  const World* world_ = nullptr;
  size_t checked_ = 0;          // runs of wanted_ that have been taken, ...
  uint64_t checked_turns_ = 0;  // ... and the turns in them
  bool left_ = false;
  uint64_t left_at_ = 0;
  std::vector<std::string> task_names_;
};

}  // namespace sim
