// The guided strategy: a schedule as far as it can be had.
//
// Where replay.h stops following at the first turn that cannot be taken, this one leaves such turns
// out and goes on with the next; behind the end of the schedule whoever had the last turn goes on
// while it can. For schedules made up by changing one that was recorded.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "sim/engine/strategy.h"

namespace sim {

class GuidedStrategy final : public Strategy {
 public:
  explicit GuidedStrategy(std::vector<ScheduleRun> wanted) : wanted_(std::move(wanted)) {}

  bool wants_turns() const override { return true; }
  size_t Choose(const ChoicePoint& point) override;

 private:
  std::vector<ScheduleRun> wanted_;
  size_t run_ = 0;      // of wanted_
  uint32_t taken_ = 0;  // of its turns
  Actor last_;
};

}  // namespace sim
