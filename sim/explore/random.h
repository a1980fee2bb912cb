// The random strategy: whatever is about to happen is equally likely to happen next.
//
// Timers that are far off, such as the journal's commit interval, may fire early too, but seldom:
// otherwise every execution would be full of them.
//
// It preempts at nearly every choice point, so that short races are hit soon; an order that needs
// one task to be held back for long is not its strength.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

#include "sim/engine/random.h"
#include "sim/engine/strategy.h"

namespace sim {

inline Nanos EarliestOf(std::span<const Candidate> candidates) {
  Nanos earliest = candidates.front().ready_at;
  for (const Candidate& candidate : candidates) earliest = std::min(earliest, candidate.ready_at);
  return earliest;
}

class RandomStrategy final : public Strategy {
 public:
  // A candidate that is later than the earliest by more than this is far off ...
  static constexpr Nanos kFarNanos = 100'000'000;
  // ... and only looked at once in so many choices.
  static constexpr uint64_t kFarOneIn = 32;

  // The choices of `seed`; independent of the world's other streams of the same seed.
  explicit RandomStrategy(uint64_t seed) : random_(seed, "choices") {}

  size_t Choose(const ChoicePoint& point) override {
    if (random_.OneIn(kFarOneIn)) return random_.UniformBelow(point.candidates.size());
    const Nanos earliest = EarliestOf(point.candidates);
    near_.clear();
    for (size_t i = 0; i < point.candidates.size(); ++i) {
      if (point.candidates[i].ready_at - earliest <= kFarNanos) near_.push_back(i);
    }
    return near_[random_.UniformBelow(near_.size())];
  }

 private:
  RandomStream random_;
  std::vector<size_t> near_;  // indexes of candidates
};

}  // namespace sim
