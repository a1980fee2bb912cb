// Round robin: every actor that can go does so in turn, tasks by id and then events by time.
//
// One execution. Timers that are far off wait until nothing else can happen: see fair.h.
#pragma once

#include <cstdint>

#include "sim/engine/strategy.h"
#include "sim/explore/random.h"

namespace sim {

class RoundRobinStrategy final : public Strategy {
 public:
  size_t Choose(const ChoicePoint& point) override {
    const Nanos far = EarliestOf(point.candidates) + RandomStrategy::kFarNanos;
    const auto next = [&](uint64_t from) {
      for (size_t i = 0; i < point.candidates.size(); ++i) {
        const Candidate& candidate = point.candidates[i];
        if (candidate.ready_at <= far && RankOf(candidate.actor) >= from) return i;
      }
      return point.candidates.size();
    };
    size_t chosen = next(last_ + 1);
    if (chosen == point.candidates.size()) chosen = next(0);
    last_ = RankOf(point.candidates[chosen].actor);
    return chosen;
  }

 private:
  // All events together have one place behind the tasks.
  static uint64_t RankOf(const Actor& actor) {
    return actor.kind == Actor::Kind::kTask ? actor.id : uint64_t{UINT32_MAX};
  }

  uint64_t last_ = UINT32_MAX;
};

}  // namespace sim
