#include "sim/explore/random.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace sim {
namespace {

std::vector<size_t> Choices(uint64_t seed, size_t candidates, int count) {
  RandomStrategy strategy(seed);
  const std::vector<Candidate> actors(candidates);
  std::vector<size_t> choices;
  for (int i = 0; i < count; ++i) choices.push_back(strategy.Choose({actors, 0, TaskId{}}));
  return choices;
}

TEST(RandomStrategyTest, EachCandidateIsEquallyLikely) {
  std::array<int, 5> counts = {};
  for (const size_t choice : Choices(7, counts.size(), 50'000)) ++counts.at(choice);
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
}

TEST(RandomStrategyTest, TheSeedDecidesTheChoices) {
  EXPECT_EQ(Choices(7, 5, 100), Choices(7, 5, 100));
  EXPECT_NE(Choices(7, 5, 100), Choices(8, 5, 100));
}

}  // namespace
}  // namespace sim
