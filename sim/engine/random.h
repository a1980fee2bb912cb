// RandomStream: one named stream of random numbers of a seed; the same on every machine.
//
// xoshiro256** (Blackman and Vigna), its state filled by SplitMix64 from the seed and the FNV-1a
// hash of the stream's name. Streams of one seed are independent, so one more draw for the device
// leaves the schedule alone. The distributions are ours: those of std differ between libraries.
#pragma once

#include <bit>
#include <cstdint>
#include <string_view>

#include "sim/check.h"

namespace sim {

class RandomStream {
  __extension__ typedef unsigned __int128 Uint128;

 public:
  RandomStream(uint64_t seed, std::string_view stream_name) {
    uint64_t name_hash = UINT64_C(0xcbf29ce484222325);
    for (const char c : stream_name) {
      name_hash = (name_hash ^ static_cast<unsigned char>(c)) * UINT64_C(0x100000001b3);
    }
    uint64_t x = SplitMix(seed) + name_hash;
    for (uint64_t& word : state_) word = SplitMix(x);
  }

  uint64_t Next() {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t t = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= t;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

  // 0 .. n - 1, each equally likely (Lemire's multiplication with rejection).
  // Requires: n > 0.
  uint64_t UniformBelow(uint64_t n) {
    SIM_CHECK(n > 0);
    Uint128 product = Uint128{Next()} * n;
    if (static_cast<uint64_t>(product) < n) {
      const uint64_t uneven = (0 - n) % n;  // 2^64 mod n
      while (static_cast<uint64_t>(product) < uneven) product = Uint128{Next()} * n;
    }
    return static_cast<uint64_t>(product >> 64);
  }

  // lo .. hi, both included, each equally likely.
  // Requires: lo <= hi.
  int64_t UniformIn(int64_t lo, int64_t hi) {
    SIM_CHECK(lo <= hi);
    const uint64_t count = static_cast<uint64_t>(hi) - static_cast<uint64_t>(lo) + 1;
    const uint64_t offset = count == 0 ? Next() : UniformBelow(count);  // 0: all 2^64 values
    return static_cast<int64_t>(static_cast<uint64_t>(lo) + offset);
  }

  // True once in n times; always if n is 1.
  // Requires: n > 0.
  bool OneIn(uint64_t n) { return UniformBelow(n) == 0; }

 private:
  // Steps `x` and returns the step's output.
  static uint64_t SplitMix(uint64_t& x) {
    uint64_t z = x += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
  }

  uint64_t state_[4] = {};
};

}  // namespace sim
