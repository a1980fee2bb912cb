// A vector clock: how far one knows each chain of contexts to be.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace sim {

// Contexts that follow one another: one task, or events of which each comes after the one before.
using ChainId = uint32_t;

// A point on a chain. Times count from 1; 0: before everything.
struct Epoch {
  ChainId chain = 0;
  uint32_t time = 0;

  bool operator==(const Epoch&) const = default;
};

class VectorClock {
 public:
  uint32_t operator[](ChainId chain) const { return chain < times_.size() ? times_[chain] : 0; }
  void Set(Epoch epoch) {
    if (epoch.chain >= times_.size()) times_.resize(epoch.chain + 1, 0);
    times_[epoch.chain] = epoch.time;
  }
  void Join(const VectorClock& other) {
    if (times_.size() < other.times_.size()) times_.resize(other.times_.size(), 0);
    for (size_t i = 0; i < other.times_.size(); ++i) {
      times_[i] = std::max(times_[i], other.times_[i]);
    }
  }
  // Does all that happened up to `epoch` come before what this clock is of?
  bool Includes(Epoch epoch) const { return (*this)[epoch.chain] >= epoch.time; }

 private:
  std::vector<uint32_t> times_;  // by chain; what is missing is 0
};

}  // namespace sim
