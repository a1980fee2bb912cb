// Listens to a strategy's choices: at how many places of the code was there one?
//
// A *place* of a task is its stack, what its next turn does (reads or writes), and the class of the
// lock that it asks for, if any; events are one place. A *choice point* is a place where the task
// that had just run stood, and the place of who was chosen, where there was somebody else.
//
// Strategies that follow time are not asked, and have no choice points.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine/strategy.h"

namespace sim {

class ChoiceWatch final : public Strategy {
 public:
  // `strategy` makes the choices, and outlives it.
  explicit ChoiceWatch(Strategy& strategy) : strategy_(strategy) {}

  void OnStart(const World& world) override;
  bool follows_time() const override { return strategy_.follows_time(); }
  bool wants_turns() const override { return strategy_.wants_turns(); }
  size_t Choose(const ChoicePoint& point) override;
  void OnTurn(const Turn& turn) override { strategy_.OnTurn(turn); }
  void OnEnd() override { strategy_.OnEnd(); }

  // Of the execution: ascending, each once; the same numbers for the same choice points wherever
  // they are met.
  std::vector<uint64_t> Seen() const;

 private:
  uint64_t PlaceOf(const Candidate& candidate) const;

  Strategy& strategy_;
  const World* world_ = nullptr;
  std::vector<uint64_t> seen_;
};

}  // namespace sim
