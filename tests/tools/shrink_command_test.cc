#include <string>

#include "gmock/gmock.h"
#include "tests/tools/fake_backend.h"

namespace tools {
namespace {

using testing::HasSubstr;
using testing::Not;

class ShrinkCommandTest : public CommandTest {
 protected:
  std::string PutTrace(const std::string& scenario) const {
    return Put("t.json",
               R"({"crashdep_trace": 1, "kind": "deadlock", "scenario": ")" + scenario + "\"}");
  }
};

TEST_F(ShrinkCommandTest, WritesTheSmallTraceAndSaysWhatIsLeft) {
  EXPECT_EQ(Crashdep({"shrink", PutTrace("s"), "-o", Path("small")}), 0);
  EXPECT_THAT(out_, HasSubstr("operations  9 -> 2\n"));
  EXPECT_THAT(out_, HasSubstr("turns       1,234 -> 5\n"));
  EXPECT_THAT(out_, HasSubstr("t\n  {\"op\": \"sync\"}\n\nwho waits, and why\n\n"));
  EXPECT_THAT(out_, HasSubstr("written: crashdep replay " + Path("small") + "\n"));
  EXPECT_THAT(Get("small"), HasSubstr("crashdep_trace"));
}

TEST_F(ShrinkCommandTest, ReplacesATraceAndNothingElse) {
  const std::string other = Put("other", "dear to me");
  EXPECT_EQ(Crashdep({"shrink", PutTrace("s"), "-o", other}), 2);
  EXPECT_EQ(Get("other"), "dear to me");
  EXPECT_EQ(Crashdep({"shrink", PutTrace("s"), "-o", Path("t.json")}), 0);
}

TEST_F(ShrinkCommandTest, SaysWhenTheFindingDoesNotComeAgain) {
  EXPECT_EQ(Crashdep({"shrink", PutTrace("stubborn"), "-o", Path("small")}), 1);
  EXPECT_EQ(out_, "not shrunk: it is gone\n");
  EXPECT_EQ(Get("small"), "");
}

TEST_F(ShrinkCommandTest, NamesABadTrace) {
  EXPECT_EQ(Crashdep({"shrink", Put("bad", "{}"), "-o", Path("small")}), 2);
  EXPECT_EQ(err_, Path("bad") + ": /kind: is missing\n");
  EXPECT_EQ(Crashdep({"shrink", Path("none"), "-o", Path("small")}), 2);
}

TEST_F(ShrinkCommandTest, AFailedScenarioGetsASmallTraceOfEachKind) {
  const std::string failing = PutScenario("s", R"(["found:deadlock"])", R"({"findings": []})");
  EXPECT_EQ(Crashdep({"run", failing, "--traces", directory_}), 1);
  EXPECT_THAT(out_, HasSubstr("\n small: crashdep replay " + Path("s-1-deadlock.small.json")));
  EXPECT_THAT(Get("s-1-deadlock.small.json"), HasSubstr("crashdep_trace"));
}

TEST_F(ShrinkCommandTest, NothingIsShrunkThatWasExpectedOrUnasked) {
  const std::string expected =
      PutScenario("s", R"(["found:deadlock"])", R"({"findings": ["deadlock"]})");
  EXPECT_EQ(Crashdep({"run", expected, "--traces", directory_}), 0);
  EXPECT_EQ(Get("s-1-deadlock.small.json"), "");
  const std::string failing = PutScenario("s", R"(["found:deadlock"])", R"({"findings": []})");
  EXPECT_EQ(Crashdep({"run", failing, "--traces", directory_, "--no-shrink"}), 1);
  EXPECT_THAT(out_, Not(HasSubstr("small:")));
}

}  // namespace
}  // namespace tools
