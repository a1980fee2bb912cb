// The timed strategy: what is earliest in virtual time goes next, as if every task had a processor
// of its own. Latencies and the costs of turns come from the world's seed, so there is one
// execution per seed: the plausible one.
#pragma once

#include <tuple>

#include "sim/engine/strategy.h"

namespace sim {

class TimedStrategy final : public Strategy {
 public:
  bool follows_time() const override { return true; }

  // For a strategy that uses this one; a world does without. Of what is due at the same time, the
  // task that has just run goes first, then events, then others by id.
  size_t Choose(const ChoicePoint& point) override {
    const auto key = [&](const Candidate& c) {
      const bool is_task = c.actor.kind == Actor::Kind::kTask;
      const bool is_running = is_task && c.actor.id == point.running.value;
      return std::tuple(c.ready_at, !is_running, is_task);
    };
    size_t earliest = 0;
    for (size_t i = 1; i < point.candidates.size(); ++i) {
      if (key(point.candidates[i]) < key(point.candidates[earliest])) earliest = i;
    }
    return earliest;
  }
};

}  // namespace sim
