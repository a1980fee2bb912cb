// The timed strategy: what is earliest in virtual time goes next, as if every task had a processor
// of its own. Latencies and the costs of turns come from the world's seed, so there is one
// execution per seed: the plausible one.
#pragma once

#include "sim/check.h"
#include "sim/engine/strategy.h"

namespace sim {

class TimedStrategy final : public Strategy {
 public:
  bool follows_time() const override { return true; }
  size_t Choose(const ChoicePoint&) override {
    SIM_CHECK(false);  // never asked
    return 0;
  }
};

}  // namespace sim
