// The fair strategy: round robin in which timers that are far off have their turn, too.
//
// Whoever can go on for ever goes on for ever, and whatever is to happen happens. So what never
// gets anywhere is kept from it by the others, not by the scheduler. It takes the rest of
// executions that have reached their limit: see sim/waitfor/liveness.h.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sim/engine/strategy.h"
#include "sim/explore/round_robin.h"

namespace sim {

class TurnListener {
 public:
  virtual ~TurnListener() = default;
  // Before the first turn; the world outlives the listener's interest.
  virtual void OnStart(const World& world) = 0;
  virtual void OnTurn(const Turn& turn) = 0;
};

class FairStrategy final : public Strategy {
 public:
  // One choice in so many is for the earliest event, however far off.
  static constexpr uint64_t kEventOneIn = 256;

  // Told of every turn; must outlive it.
  explicit FairStrategy(TurnListener& listener) : listener_(listener) {}

  void OnStart(const World& world) override { listener_.OnStart(world); }
  bool wants_turns() const override { return true; }
  void OnTurn(const Turn& turn) override { listener_.OnTurn(turn); }

  size_t Choose(const ChoicePoint& point) override {
    if (++choices_ % kEventOneIn == 0) {
      const auto event = std::find_if(
          point.candidates.begin(), point.candidates.end(),
          [](const Candidate& candidate) { return candidate.actor.kind == Actor::Kind::kEvent; });
      if (event != point.candidates.end()) {
        return static_cast<size_t>(event - point.candidates.begin());
      }
    }
    return round_robin_.Choose(point);
  }

 private:
  TurnListener& listener_;
  RoundRobinStrategy round_robin_;
  uint64_t choices_ = 0;
};

}  // namespace sim
