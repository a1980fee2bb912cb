// Partial-order sampling: every pending turn has a random priority of its own, the highest goes,
// and those that conflict with it draw anew [Yuan, Yang, Gu: Partial Order Aware Concurrency
// Sampling, CAV 2018].
//
// Orders of turns that do not conflict are not told apart, so what is drawn is nearer to a uniform
// choice of what matters than a random walk's; and there is no parameter to guess. Whether turns
// conflict is judged by what they start with. Timers that are far off as in random.h.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine/random.h"
#include "sim/engine/strategy.h"

namespace sim {

class PosStrategy final : public Strategy {
 public:
  explicit PosStrategy(uint64_t seed) : random_(seed, "choices") {}

  size_t Choose(const ChoicePoint& point) override;

 private:
  uint64_t& PriorityOf(const Actor& actor);

  RandomStream random_;
  std::vector<uint64_t> tasks_, events_;  // by id; 0: to be drawn
};

}  // namespace sim
