#include "model/program/expression.h"

#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"

namespace model {
namespace {

using testing::HasSubstr;

class ExpressionTest : public testing::Test {
 protected:
  // With i = 5 and me = 2.
  static absl::StatusOr<Expression> Parse(const std::string& text) {
    return Expression::Parse(text, [](std::string_view name) {
      return name == "i" ? 0 : name == "me" ? 1 : -1;
    });
  }
  static int64_t Value(const std::string& text) {
    const auto expression = Parse(text);
    EXPECT_TRUE(expression.ok()) << expression.status();
    const std::vector<int64_t> registers = {5, 2};
    return expression.ok() ? expression->Value(registers) : -999;
  }
  static std::string Error(const std::string& text) {
    return std::string(Parse(text).status().message());
  }
};

TEST_F(ExpressionTest, ProductsBindTighterThanSumsAndSumsThanComparisons) {
  EXPECT_EQ(Value("1 + 2 * 3"), 7);
  EXPECT_EQ(Value("(1 + 2) * 3"), 9);
  EXPECT_EQ(Value("10 - 3 - 2"), 5);
  EXPECT_EQ(Value("(7 * me + i) % 128"), 19);
  EXPECT_EQ(Value("i == me + 3"), 1);
  EXPECT_EQ(Value("i<me"), 0);
  EXPECT_EQ(Value("i >= 5"), 1);
  EXPECT_EQ(Value("i != 5"), 0);
  EXPECT_EQ(Value("-3 + i"), 2);
  EXPECT_EQ(Value("i -3"), 2);
}

TEST_F(ExpressionTest, EveryValueIsDefined) {
  EXPECT_EQ(Value("i % 0"), 0);
  EXPECT_EQ(Value("-9223372036854775808 % -1"), 0);
  EXPECT_EQ(Value("9223372036854775807 + 1"), std::numeric_limits<int64_t>::min());
}

TEST_F(ExpressionTest, SaysWhatIsWrong) {
  EXPECT_EQ(Error("k + 1"), "no register \"k\" is set before");
  EXPECT_EQ(Error(""), "want a number or a register");
  EXPECT_EQ(Error("1 +"), "want a number or a register");
  EXPECT_EQ(Error("(1"), "want a \")\"");
  EXPECT_THAT(Error("1 2"), HasSubstr("unexpected \"2\""));
  EXPECT_THAT(Error("1 < 2 < 3"), HasSubstr("unexpected"));
  EXPECT_EQ(Error(std::string(1000, '(')), "too deeply nested");
}

TEST_F(ExpressionTest, TooManyOperandsAtOnceAreRefused) {
  std::string deep = "1";
  for (int i = 0; i < 15; ++i) deep = "1 + (" + deep + ")";
  EXPECT_EQ(Value(deep), 16);
  EXPECT_FALSE(Parse("1 + (" + deep + ")").ok());
}

}  // namespace
}  // namespace model
