#include "sim/engine/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

namespace sim {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

std::vector<uint64_t> First(int count, RandomStream stream) {
  std::vector<uint64_t> numbers;
  for (int i = 0; i < count; ++i) numbers.push_back(stream.Next());
  return numbers;
}

// Bits that differ between the streams' first 1000 numbers, of 64000.
int DifferingBits(RandomStream a, RandomStream b) {
  int bits = 0;
  for (int i = 0; i < 1000; ++i) bits += std::popcount(a.Next() ^ b.Next());
  return bits;
}

// A change here changes every execution that a seed stands for.
TEST(RandomStreamTest, GivesTheKnownNumbers) {
  EXPECT_THAT(First(3, RandomStream(0, "")),
              ElementsAre(1937354988061263685u, 18239835135549339122u, 15873827166901985234u));
  EXPECT_THAT(First(3, RandomStream(7, "schedule")),
              ElementsAre(3350922269074082196u, 16383746421394532973u, 12467313745212249554u));
  RandomStream stream(7, "device");
  EXPECT_EQ(stream.UniformBelow(1000), 160u);
  EXPECT_EQ(stream.UniformIn(-1000, 1000), -667);
  EXPECT_EQ(stream.UniformIn(kMin, kMax), 6725763058193681566);
}

TEST(RandomStreamTest, SameSeedAndNameGiveTheSameNumbers) {
  EXPECT_EQ(First(100, RandomStream(3, "crash")), First(100, RandomStream(3, "crash")));
}

TEST(RandomStreamTest, StreamsOfOtherNamesOrSeedsAreIndependent) {
  EXPECT_NEAR(DifferingBits({1, "schedule"}, {1, "device"}), 32000, 800);
  EXPECT_NEAR(DifferingBits({1, "schedule"}, {2, "schedule"}), 32000, 800);
  EXPECT_NEAR(DifferingBits({0, "a"}, {0, "b"}), 32000, 800);
  EXPECT_NEAR(DifferingBits({0, ""}, {UINT64_MAX, ""}), 32000, 800);
}

TEST(RandomStreamTest, UniformBelowGivesEachValueEquallyOften) {
  RandomStream stream(1, "uniform");
  std::vector<int> seen(7);
  for (int i = 0; i < 70000; ++i) ++seen.at(stream.UniformBelow(7));
  EXPECT_THAT(seen, Each(::testing::AllOf(::testing::Gt(9600), ::testing::Lt(10400))));
}

// A plain multiplication or remainder would give one half of these values twice as often.
TEST(RandomStreamTest, UniformBelowIsUnbiasedForHugeRanges) {
  const uint64_t n = UINT64_C(3) << 62;
  RandomStream stream(1, "huge");
  std::vector<int> seen(3);
  for (int i = 0; i < 30000; ++i) ++seen.at(stream.UniformBelow(n) >> 62);
  EXPECT_THAT(seen, Each(::testing::AllOf(::testing::Gt(9600), ::testing::Lt(10400))));
}

TEST(RandomStreamTest, UniformInReachesBothEnds) {
  RandomStream stream(1, "in");
  std::vector<int> seen(5);
  for (int i = 0; i < 1000; ++i) ++seen.at(static_cast<size_t>(stream.UniformIn(-2, 2) + 2));
  EXPECT_THAT(seen, Each(::testing::Gt(100)));
  EXPECT_EQ(stream.UniformIn(kMax, kMax), kMax);
  EXPECT_EQ(stream.UniformIn(kMin, kMin), kMin);
}

TEST(RandomStreamTest, OneInIsTrueThatOften) {
  RandomStream stream(1, "one in");
  int hits = 0;
  for (int i = 0; i < 10000; ++i) hits += stream.OneIn(10) ? 1 : 0;
  EXPECT_NEAR(hits, 1000, 120);
  EXPECT_TRUE(stream.OneIn(1));
}

TEST(RandomStreamDeathTest, RefusesEmptyRanges) {
  RandomStream stream(1, "empty");
  EXPECT_EXIT(stream.UniformBelow(0), ::testing::ExitedWithCode(3), "n > 0");
  EXPECT_EXIT(stream.UniformIn(1, 0), ::testing::ExitedWithCode(3), "lo <= hi");
}

}  // namespace
}  // namespace sim
