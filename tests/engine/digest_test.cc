#include "sim/engine/digest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

namespace sim {
namespace {

Digest OfWords(std::initializer_list<uint64_t> words) {
  Digest128 digest;
  for (const uint64_t word : words) digest.Add(word);
  return digest.Value();
}

Digest OfString(std::string_view text) {
  Digest128 digest;
  digest.AddString(text);
  return digest.Value();
}

int DifferingBits(const Digest& a, const Digest& b) {
  return std::popcount(a.high ^ b.high) + std::popcount(a.low ^ b.low);
}

// A change here changes every golden trace.
TEST(Digest128Test, GivesTheKnownDigests) {
  EXPECT_EQ(OfWords({}).ToHex(), "00000000000000000000000000000000");
  EXPECT_EQ(OfWords({0}).ToHex(), "007a5a4611330130cbe15fced618cc86");
  EXPECT_EQ(OfWords({1, 2, UINT64_MAX}).ToHex(), "28b15bb0644d28bbd77beddee14e141c");
  EXPECT_EQ(OfString("ext4_truncate").ToHex(), "67dc9c023b14c666511c7f1546722492");
}

TEST(Digest128Test, PrintsTheMostSignificantDigitFirst) {
  EXPECT_EQ((Digest{0x0123456789abcdef, 0xf}).ToHex(), "0123456789abcdef000000000000000f");
}

TEST(Digest128Test, DependsOnOrderAndLength) {
  EXPECT_NE(OfWords({1, 2}), OfWords({2, 1}));
  EXPECT_NE(OfWords({}), OfWords({0}));
  EXPECT_NE(OfWords({0}), OfWords({0, 0}));
}

TEST(Digest128Test, StringsAreToldApartByLengthAndEveryByte) {
  EXPECT_NE(OfString(""), OfString(std::string_view("\0", 1)));
  EXPECT_NE(OfString("12345678"), OfString("123456789"));
  EXPECT_NE(OfString("\xff"), OfString("\x7f"));
  Digest128 ab_c, a_bc;
  ab_c.AddString("ab");
  ab_c.AddString("c");
  a_bc.AddString("a");
  a_bc.AddString("bc");
  EXPECT_NE(ab_c.Value(), a_bc.Value());
}

TEST(Digest128Test, ValueDoesNotEndTheStream) {
  Digest128 digest;
  digest.Add(1);
  EXPECT_EQ(digest.Value(), OfWords({1}));
  digest.Add(2);
  EXPECT_EQ(digest.Value(), OfWords({1, 2}));
}

// Each bit of each of three words changes about half of the digest's bits.
TEST(Digest128Test, EveryBitOfTheInputSpreads) {
  int64_t total = 0;
  for (int word = 0; word < 3; ++word) {
    for (int bit = 0; bit < 64; ++bit) {
      uint64_t words[3] = {1, 2, 3};
      words[word] ^= UINT64_C(1) << bit;
      const int bits = DifferingBits(OfWords({1, 2, 3}), OfWords({words[0], words[1], words[2]}));
      EXPECT_GT(bits, 36) << "word " << word << " bit " << bit;
      EXPECT_LT(bits, 92) << "word " << word << " bit " << bit;
      total += bits;
    }
  }
  EXPECT_NEAR(static_cast<double>(total) / (3 * 64), 64, 2);
}

// Executions differ in small numbers: neither half alone may collide on them.
TEST(Digest128Test, SmallWordsDoNotCollideInEitherHalf) {
  std::set<uint64_t> high, low;
  for (uint64_t a = 0; a < 300; ++a) {
    for (uint64_t b = 0; b < 300; ++b) {
      const Digest digest = OfWords({a, b});
      high.insert(digest.high);
      low.insert(digest.low);
    }
  }
  EXPECT_EQ(high.size(), 90000u);
  EXPECT_EQ(low.size(), 90000u);
}

}  // namespace
}  // namespace sim
