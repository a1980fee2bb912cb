#include "model/scenario/nearest_name.h"

#include <string>

#include "gtest/gtest.h"

namespace scenario {
namespace {

constexpr std::string_view kNames[] = {"truncate", "write", "writeback", "a"};

TEST(NearestNameTest, ForgivesOneSlipOfEachSort) {
  EXPECT_EQ(NearestName("trncate", kNames), "truncate");
  EXPECT_EQ(NearestName("truncatee", kNames), "truncate");
  EXPECT_EQ(NearestName("trunkate", kNames), "truncate");
  EXPECT_EQ(NearestName("wriet", kNames), "write");
}

TEST(NearestNameTest, PrefersTheNearest) {
  EXPECT_EQ(NearestName("writebak", kNames), "writeback");
}

TEST(NearestNameTest, SaysNothingWhenNothingIsNear) {
  EXPECT_EQ(NearestName("policy", kNames), "");
  EXPECT_EQ(NearestName("", {}), "");
  EXPECT_EQ(NearestName(std::string(100'000, 'w'), kNames), "");
  EXPECT_EQ(Suggestion("policy", kNames), "");
}

TEST(QuotedTest, StaysOnOneShortLine) {
  EXPECT_EQ(Quoted("a\"b\n"), "\"a\\\"b\\n\"");
  EXPECT_EQ(Quoted(std::string(80, 'x')), "\"" + std::string(60, 'x') + "...\"");
  EXPECT_EQ(Quoted(std::string(59, 'x') + "\u00e4\u00e4"), "\"" + std::string(59, 'x') + "...\"");
}

}  // namespace
}  // namespace scenario
