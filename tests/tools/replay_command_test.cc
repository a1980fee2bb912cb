#include "tools/replay_command.h"

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/fake_backend.h"

namespace tools {
namespace {

using testing::HasSubstr;
using testing::Not;

class ReplayCommandTest : public CommandTest {
 protected:
  std::string good_ = Put("good", R"({"scenario": "s", "kind": "deadlock"})");
};

TEST_F(ReplayCommandTest, TellsSuccessFailureAndBadTracesApart) {
  Put("good", R"({"scenario": "s", "kind": "deadlock"})");
  EXPECT_EQ(Crashdep({"replay", Path("good")}), 0);
  EXPECT_THAT(out_, HasSubstr("reproduced: the same finding and the same digest\n"));
  Put("other", R"({"scenario": "s", "kind": "metadata"})");
  EXPECT_EQ(Crashdep({"replay", Path("other")}), 1);
  EXPECT_THAT(out_, HasSubstr("not reproduced: no such finding\n"));
  Put("bad", "{}");
  EXPECT_EQ(Crashdep({"replay", Path("bad")}), 2);
  EXPECT_EQ(err_, Path("bad") + ": /kind: is missing\n");
  Put("torn", "{\"scenario\": ");
  EXPECT_EQ(Crashdep({"replay", Path("torn")}), 2);
  EXPECT_EQ(err_, Path("torn") + ":1:14: not valid JSON: the text ends too early\n");
  EXPECT_EQ(Crashdep({"replay", directory_}), 2);
}

TEST_F(ReplayCommandTest, ShowsTheRunWhenAsked) {
  EXPECT_EQ(Crashdep({"replay", good_}), 0);
  EXPECT_THAT(out_, Not(HasSubstr("execution 5")));
  EXPECT_EQ(Crashdep({"replay", good_, "--show"}), 0);
  EXPECT_THAT(out_, HasSubstr("execution 5, seed 0: 1 events\n"));
  EXPECT_THAT(out_, HasSubstr("lock A\n"));
  EXPECT_TRUE(out_.ends_with("reproduced: the same finding and the same digest\n"));
}

TEST_F(ReplayCommandTest, WritesTraceEvents) {
  EXPECT_EQ(Crashdep({"replay", good_, "--perfetto", Path("t.json")}), 0);
  EXPECT_THAT(out_, Not(HasSubstr("execution 5")));
  EXPECT_FALSE(nlohmann::json::parse(Get("t.json"))["traceEvents"].empty());
  EXPECT_EQ(Crashdep({"replay", good_, "--perfetto", Path("no/such/directory")}), 2);
  EXPECT_THAT(err_, HasSubstr(Path("no/such/directory")));
}

TEST_F(ReplayCommandTest, GoesOnByAnotherStrategy) {
  EXPECT_EQ(Crashdep({"replay", good_, "--from", "7", "--then", "pct", "--seed", "3"}), 0);
  EXPECT_THAT(out_, HasSubstr("left      after turn 7 by pct 3\n"));
  EXPECT_EQ(Crashdep({"replay", good_, "--then", "round_robin"}), 0);
  EXPECT_THAT(out_, HasSubstr("left      after turn 0 by round_robin 0\n"));
}

TEST_F(ReplayCommandTest, AnotherWayNeedsAStrategyThatMakesSingleExecutions) {
  EXPECT_EQ(Crashdep({"replay", good_, "--from", "7"}), 2);
  EXPECT_EQ(err_, "crashdep: --from requires --then\nSee crashdep --help.\n");
  EXPECT_EQ(Crashdep({"replay", good_, "--seed", "7"}), 2);
  EXPECT_EQ(Crashdep({"replay", good_, "--then", "dpor"}), 2);
  EXPECT_THAT(err_, HasSubstr("want one of timed, random, pct, pos, round_robin, got dpor"));
  EXPECT_EQ(Crashdep({"replay", good_, "--then", "random", "--from", "-1"}), 2);
}

}  // namespace
}  // namespace tools
