// The directed strategy: brings the tasks of a possible lock cycle together.
//
// Goes at random, but a task that is about to do one of the cycle's waits (it holds the one lock
// and asks for the other) is mostly kept back until, for each of the waits, there is a task that
// does it or is in it. Then they go, and if the instances are those of a deadlock, it is there.
// When nobody else can go on, one that is kept back does.
//
// Where a wait will come is not known before if it is for an event: so whoever holds one of the
// locks is kept back at every second of its turns. Subclasses of locks that are only about to be
// asked for are not known either: any will do.
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
  static constexpr uint64_t kLetPassOneIn = 4, kKeepHolderOneIn = 4;

  // A task's stop before one of the waits.
  struct Stop {
    uint64_t since = UINT64_MAX;  // Candidate::since: which one it is
    bool kept = false;
  };

  size_t ChooseFree(const ChoicePoint& point);
  bool IsKept(const Candidate& candidate);
  bool AllTogether(const ChoicePoint& point) const;

  RandomStream random_;
  uint64_t stretch_ = 1;  // turns, on average
  bool keeps_holders_ = false;
  std::vector<CycleWait> cycle_;
  const World* world_ = nullptr;
  std::vector<Stop> stops_;  // by TaskId: the last one
  bool let_go_ = false;
  Actor last_;
  std::vector<size_t> free_, kept_;  // indexes of candidates
};

}  // namespace sim
