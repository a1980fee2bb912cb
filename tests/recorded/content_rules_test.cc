#include "model/recorded/content_rules.h"

#include "gmock/gmock.h"

namespace model {
namespace {

using Kind = WrongBytes::Kind;

class ContentRulesTest : public testing::Test {
 protected:
  ContentRulesTest() {
    rules_.stale_pattern = "STALE!";
    rules_.writes = {{"a", {{8, 64, 0x1000}}}, {"b", {{0, 32, 0x2000}}}};
  }

  ContentRules rules_;
};

TEST_F(ContentRulesTest, OwnBytesAndZerosAreRight) {
  const std::string bytes = std::string(8, '\0') + "1000:0000000008\n1000:0000000018\n";
  EXPECT_EQ(rules_.Judge("a", 0, bytes), std::nullopt);
  EXPECT_EQ(rules_.Judge("a", 8, std::string("1000:00000") + std::string(22, '\0')), std::nullopt);
}

TEST_F(ContentRulesTest, PatternIsStale) {
  const auto wrong = rules_.Judge("a", 0, "STALE!000000007\nSTALE!000000007\n");
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->kind, Kind::kStalePattern);
  EXPECT_EQ(wrong->begin, 0u);
  EXPECT_EQ(wrong->end, 32u);
  EXPECT_EQ(wrong->shown, "STALE!000000007.STALE!000000007.");
}

TEST_F(ContentRulesTest, PatternIsFoundWithoutTags) {
  rules_.writes.reset();
  EXPECT_EQ(rules_.Judge("a", 0, "anything"), std::nullopt);
  const auto wrong =
      rules_.Judge("a", 512, std::string(32, 'x') + "STALE!000000007\n" + std::string(32, 'x'));
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->begin, 544u);
  EXPECT_EQ(wrong->end, 550u);
}

TEST_F(ContentRulesTest, TagOfAnotherFileIsForeign) {
  const auto wrong = rules_.Judge("a", 8, "2000:0000000008\n");
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->kind, Kind::kForeignTag);
}

TEST_F(ContentRulesTest, OwnTagElsewhereIsMisplaced) {
  const auto wrong = rules_.Judge("a", 24, "1000:0000000008\n");
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->kind, Kind::kMisplacedTag);
}

TEST_F(ContentRulesTest, OtherBytesAreUnknown) {
  const auto wrong = rules_.Judge("a", 8, "1000:00????????\n");
  ASSERT_TRUE(wrong);
  EXPECT_EQ(wrong->kind, Kind::kUnknown);
}

TEST_F(ContentRulesTest, FileThatIsNeverWrittenToIsZero) {
  EXPECT_EQ(rules_.Judge("c", 0, std::string(512, '\0')), std::nullopt);
  EXPECT_TRUE(rules_.Judge("c", 0, "x"));
}

}  // namespace
}  // namespace model
