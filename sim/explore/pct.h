// Probabilistic concurrency testing: random priorities, and a few random points at which they
// change [Burckhardt, Kothari, Musuvathi, Nagarakatti: A Randomized Scheduler with Probabilistic
// Guarantees of Finding Bugs, ASPLOS 2010].
//
// Every actor gets a priority when it first appears, and the highest of those that can go does. At
// d - 1 turns chosen at random the actor that would go falls below all others. A bug that takes d
// ordering constraints, among n actors within k turns, is hit with a probability of at least
// 1 / (n * k^(d - 1)) in each execution.
//
// Events (I/O completions, timers) are actors, too: n counts them all. Timers that are far off are
// left out as by the random strategy (random.h) unless nothing else can happen: a journal's commit
// timer of high priority would otherwise go first. That is outside the bound.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/engine/random.h"
#include "sim/engine/strategy.h"

namespace sim {

struct PctOptions {
  uint64_t seed = 0;
  uint32_t depth = 3;        // d, from 1
  uint64_t max_turns = 100;  // k: an execution is expected to be no longer
};

class PctStrategy final : public Strategy {
 public:
  explicit PctStrategy(const PctOptions& options);

  size_t Choose(const ChoicePoint& point) override;

 private:
  uint64_t& PriorityOf(const Actor& actor);
  size_t Highest(const ChoicePoint& point);

  RandomStream random_;
  std::vector<uint64_t> changes_;  // turns, latest first
  // By id; 0: not drawn yet. Those drawn are above those fallen, which are the number of changes
  // yet to come, plus 1.
  std::vector<uint64_t> tasks_, events_;
};

// "1 in 4,200 executions", the bound above.
std::string PctBound(uint64_t actors, uint64_t turns, uint32_t depth);

}  // namespace sim
