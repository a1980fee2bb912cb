// Digest128: a 128-bit digest of a sequence of words and strings; the same on every machine.
//
// It tells executions apart, it does not resist anyone who looks for collisions. The mixing is that
// of MurmurHash3_x64_128 (Austin Appleby, public domain), with each word feeding both halves. Two
// sequences of equal length that differ in one word never have the same digest.
#pragma once

#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sim {

struct Digest {
  uint64_t high = 0;
  uint64_t low = 0;

  auto operator<=>(const Digest&) const = default;

  // 32 lower-case hexadecimal digits, the most significant first.
  std::string ToHex() const {
    std::string hex(32, '0');
    for (int i = 0; i < 16; ++i) {
      hex[15 - i] = "0123456789abcdef"[(high >> (4 * i)) & 15];
      hex[31 - i] = "0123456789abcdef"[(low >> (4 * i)) & 15];
    }
    return hex;
  }
};

class Digest128 {
 public:
  // What has been added so far, to go on from.
  struct State {
    uint64_t high = 0, low = 0, words = 0;
  };
  Digest128() = default;
  explicit Digest128(const State& state)
      : high_(state.high), low_(state.low), words_(state.words) {}
  State state() const { return {high_, low_, words_}; }

  void Add(uint64_t word) {
    high_ ^= std::rotl(word * kC1, 31) * kC2;
    high_ = (std::rotl(high_, 27) + low_) * 5 + 0x52dce729;
    low_ ^= std::rotl(word * kC2, 33) * kC1;
    low_ = (std::rotl(low_, 31) + high_) * 5 + 0x38495ab5;
    ++words_;
  }

  // The length, then the bytes, eight to a little-endian word, the last one padded with zeros.
  void AddString(std::string_view text) {
    Add(text.size());
    for (size_t begin = 0; begin < text.size(); begin += 8) {
      uint64_t word = 0;
      const std::string_view bytes = text.substr(begin, 8);
      for (size_t i = 0; i < bytes.size(); ++i) {
        word |= uint64_t{static_cast<unsigned char>(bytes[i])} << (8 * i);
      }
      Add(word);
    }
  }

  // The digest of all that was added so far; more may be added.
  Digest Value() const {
    uint64_t high = high_ ^ words_;
    uint64_t low = low_ ^ words_;
    high += low;
    low += high;
    high = Avalanche(high);
    low = Avalanche(low);
    high += low;
    low += high;
    return {high, low};
  }

 private:
  static constexpr uint64_t kC1 = UINT64_C(0x87c37b91114253d5);
  static constexpr uint64_t kC2 = UINT64_C(0x4cf5ad432745937f);

  static uint64_t Avalanche(uint64_t x) {
    x = (x ^ (x >> 33)) * UINT64_C(0xff51afd7ed558ccd);
    x = (x ^ (x >> 33)) * UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ (x >> 33);
  }

  uint64_t high_ = 0;
  uint64_t low_ = 0;
  uint64_t words_ = 0;
};

}  // namespace sim
