// The random strategy: whatever can happen is equally likely to happen next, at whatever time.
//
// It preempts at nearly every choice point, so that short races are hit soon; an order that needs
// one task to be held back for long is not its strength.
#pragma once

#include "sim/engine/random.h"
#include "sim/engine/strategy.h"

namespace sim {

class RandomStrategy final : public Strategy {
 public:
  // The choices of `seed`; independent of the world's other streams of the same seed.
  explicit RandomStrategy(uint64_t seed) : random_(seed, "choices") {}

  size_t Choose(const ChoicePoint& point) override {
    return random_.UniformBelow(point.candidates.size());
  }

 private:
  RandomStream random_;
};

}  // namespace sim
