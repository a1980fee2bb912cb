// A set of 64-bit chain keys, for look-up on the hot path.
//
// Two chains with the same key are taken for one, as in the kernel: the second would not be
// checked. At 10^6 chains the odds of that are one in 30 million.
#pragma once

#include <cstdint>
#include <vector>

namespace sim {

class ChainCache {
 public:
  ChainCache() : slots_(kInitialSlots, 0) {}

  bool Contains(uint64_t key) const {
    key |= 1;  // 0 marks a free slot
    for (uint64_t at = key >> shift_;; ++at) {
      const uint64_t slot = slots_[at & (slots_.size() - 1)];
      if (slot == key) return true;
      if (slot == 0) return false;
    }
  }
  // False: it was there.
  bool Insert(uint64_t key) {
    if (Contains(key)) return false;
    if (++size_ * 2 > slots_.size()) Grow();
    Place(key | 1);
    return true;
  }
  void InsertAll(const ChainCache& other) {
    for (uint64_t key : other.slots_) {
      if (key != 0) Insert(key);
    }
  }
  uint64_t size() const { return size_; }

 private:
  static constexpr uint64_t kInitialSlots = 64;

  void Place(uint64_t key) {
    uint64_t at = key >> shift_;
    while (slots_[at & (slots_.size() - 1)] != 0) ++at;
    slots_[at & (slots_.size() - 1)] = key;
  }
  void Grow() {
    std::vector<uint64_t> old(slots_.size() * 2, 0);
    old.swap(slots_);
    --shift_;
    for (uint64_t key : old) {
      if (key != 0) Place(key);
    }
  }

  std::vector<uint64_t> slots_;  // a power of two, at most half full
  int shift_ = 58;               // 64 - log2(slots)
  uint64_t size_ = 0;
};

}  // namespace sim
