// The directed strategy: brings the tasks of a possible lock cycle together.
//
// Goes at random, but a task that is about to do one of the cycle's waits (it holds the one lock
// and asks for the other) is mostly kept back until, for each of the waits, there is a task that
// does it or is in it. Then they go, and if the instances are those of a deadlock, it is there.
// When nobody else can go on, one that is kept back does.
//
// Subclasses of locks that are only about to be asked for are not known: any will do. Waits whose
// place is not known before (for events) are not kept back: they last anyway.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/engine/random.h"
#include "sim/engine/strategy.h"
#include "sim/locking/hold_and_wait.h"

namespace sim {

class DirectedStrategy final : public Strategy {
 public:
  DirectedStrategy(uint64_t seed, std::vector<CycleWait> cycle);

  void OnStart(const World& world) override { world_ = &world; }
  size_t Choose(const ChoicePoint& point) override;

 private:
  static constexpr uint64_t kLetPassOneIn = 4;

  // A task's stop before one of the waits.
  struct Stop {
    uint64_t since = UINT64_MAX;  // Candidate::since: which one it is
    bool kept = false;
  };

  bool IsKept(const Candidate& candidate);
  bool AllTogether(const ChoicePoint& point) const;

  RandomStream random_;
  std::vector<CycleWait> cycle_;
  const World* world_ = nullptr;
  std::vector<Stop> stops_;  // by TaskId: the last one
  bool let_go_ = false;
  std::vector<size_t> free_, kept_;  // indexes of candidates
};

}  // namespace sim
