// Depth first: every execution, or every one with at most so many preemptions, each once.
//
// A preemption is to take another actor's turn although the task that has just run could go on
// [Musuvathi, Qadeer: Iterative Context Bounding, PLDI 2007]. As in dpor.h, a task that asks for a
// lock that it would not get is not let run until it does; and the daemons' ways home are not
// searched.
//
// Memory grows with the depth of an execution, not with their number.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/explore/systematic.h"

namespace sim {

class DepthFirstStrategy final : public SystematicStrategy {
 public:
  static constexpr uint32_t kAnyNumber = UINT32_MAX;

  explicit DepthFirstStrategy(uint32_t max_preemptions = kAnyNumber)
      : max_preemptions_(max_preemptions) {}

  [[nodiscard]] bool Next() override;
  size_t Choose(const ChoicePoint& point) override;

 private:
  // A state: what could be done, and which of it is being done.
  struct State {
    std::vector<size_t> options;  // indexes of candidates
    size_t taken = 0;             // index of options
    uint32_t preemptions = 0;     // before it
    bool running_first = false;   // options[0] is no preemption, all others are
  };

  uint32_t max_preemptions_;
  bool begun_ = false;
  std::vector<State> states_;
  size_t depth_ = 0;  // of the execution at hand
};

}  // namespace sim
