// The replay strategy: takes the turns of a recorded schedule again.
//
// A replay diverges when the actor that the schedule wants cannot take its turn, because scenario,
// policy or model are not those of the recording. From there on the first candidate goes, so that
// the execution still ends. A strategy is not asked when there is one candidate only; therefore
// FindDivergence() compares the schedules afterwards, and notices every difference.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/engine/strategy.h"

namespace sim {

class ReplayStrategy final : public Strategy {
 public:
  // kGivesUp: of an execution that was given up after these turns (Strategy::kAbandon), as it will
  // be here.
  enum class AtEnd : uint8_t { kGoesOn, kGivesUp };
  explicit ReplayStrategy(std::vector<ScheduleRun> wanted, AtEnd at_end = AtEnd::kGoesOn)
      : wanted_(std::move(wanted)), at_end_(at_end) {}

  // Otherwise it would not be asked where one candidate is left.
  bool wants_turns() const override { return at_end_ == AtEnd::kGivesUp; }
  size_t Choose(const ChoicePoint& point) override;

 private:
  std::vector<ScheduleRun> wanted_;
  AtEnd at_end_ = AtEnd::kGoesOn;
  size_t run_ = 0;          // of wanted_: the one that has the turn asked for, ...
  uint64_t run_begin_ = 0;  // ... and its first turn
  bool diverged_ = false;
};

// The first turn in which two schedules differ.
struct Divergence {
  uint64_t turn = 0;            // from 0
  std::optional<Actor> wanted;  // none: the recording ended before this turn
  std::optional<Actor> taken;   // none: the replay ended before this turn
};

// None if the schedules have the same turns.
std::optional<Divergence> FindDivergence(std::span<const ScheduleRun> wanted,
                                         std::span<const ScheduleRun> taken);

// One line: "turn 18: the recording has task 3 (here writer), the replay has event 5", with turns
// as in findings and event logs: the first one is 1. `task_names`: the replay's, by TaskId.
std::string RenderText(const Divergence& divergence, std::span<const std::string> task_names = {});

}  // namespace sim
