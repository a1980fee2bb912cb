// What a search says that it has come across, against what is counted by hand or by brute force.

#include "model/scenario/coverage.h"

#include <set>
#include <string>

#include "gmock/gmock.h"
#include "model/scenario/model_policies.h"
#include "model/scenario/parse.h"
#include "model/scenario/runner.h"
#include "model/scenario/text.h"

namespace scenario {
namespace {

using testing::ElementsAre;

class CoverageTest : public testing::Test {
 protected:
  static Coverage Of(const std::string& text, RunOptions options = {}) {
    const auto scenario = ParseScenario("test.json", text, ModelPolicies());
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    if (!scenario.ok()) return {};
    options.coverage = true;
    return RunScenario(*scenario, options, [](uint64_t, uint64_t) {}).coverage.value();
  }
  static std::string Program(const std::string& threads, const std::string& search) {
    return Cat(R"({"schema": 1, "name": "p",
        "program": {"locks": [{"name": "A"}, {"name": "B"}], "variables": [{"name": "x"}]},
        "threads": [)",
               threads, R"(], "search": )", search, R"(, "expect": {"findings": []}})");
  }
  static PolicyAsked Policy(const Coverage& coverage, std::string_view name) {
    for (const PolicyAsked& policy : coverage.policies) {
      if (policy.name == name) return policy;
    }
    return {};
  }

  static constexpr char kOpposite[] = R"(
    {"name": "one", "ops": [{"op": "lock", "lock": "A"}, {"op": "lock", "lock": "B"},
                            {"op": "unlock", "lock": "B"}, {"op": "unlock", "lock": "A"}]},
    {"name": "other", "ops": [{"op": "lock", "lock": "B"}, {"op": "lock", "lock": "A"},
                              {"op": "unlock", "lock": "A"}, {"op": "unlock", "lock": "B"}]})";
  // Two increments that may get lost: x ends as 1 or 2.
  static constexpr char kIncrements[] = R"(
    {"name": "one", "ops": [{"op": "load", "variable": "x", "into": "v"},
                            {"op": "store", "variable": "x", "value": "v + 1"}]},
    {"name": "other", "ops": [{"op": "load", "variable": "x", "into": "v"},
                              {"op": "store", "variable": "x", "value": "v + 1"}]})";
};

TEST_F(CoverageTest, LockEdgesAreThoseOfTheGraph) {
  const Coverage both = Of(Program(kOpposite, R"({"strategy": "depth_first"})"));
  EXPECT_EQ(both.lock_edges.seen, 2u);  // A -> B, B -> A
  EXPECT_EQ(Of(Program(kIncrements, R"({"strategy": "depth_first"})")).lock_edges.seen, 0u);
}

// All in order, or lost; and one more where they deadlock.
TEST_F(CoverageTest, FinalStatesAreThoseThatThereAre) {
  for (const char* search : {R"({"strategy": "depth_first"})", R"({"strategy": "dpor"})",
                             R"({"strategy": "random", "executions": 500})"}) {
    EXPECT_EQ(Of(Program(kIncrements, search)).final_states.seen, 2u) << search;
    EXPECT_EQ(Of(Program(kOpposite, search)).final_states.seen, 2u) << search;
  }
}

// A task stands before its start, of which there is only one, before its load, before its store.
TEST_F(CoverageTest, ChoicePointsAreThePairsOfPlaces) {
  std::set<std::string> expected;
  const std::string at[] = {"start", "load", "store"};
  // All interleavings of three turns each.
  for (unsigned order = 0; order < 64; ++order) {
    size_t next[2] = {0, 0};
    int last = -1;
    for (int turn = 0; turn < 6; ++turn) {
      const int who = order >> turn & 1;
      if (next[who] == 3) break;
      if (next[1 - who] < 3) {
        const auto place = [&](int task) {
          return next[task] == 0 ? "start" : Cat(task, at[next[task]]);
        };
        expected.insert(Cat(last < 0 || next[last] == 3 ? "" : place(last), " to ", place(who)));
      }
      ++next[who];
      last = who;
    }
  }
  const Coverage coverage = Of(Program(kIncrements, R"({"strategy": "depth_first"})"));
  EXPECT_EQ(coverage.choice_points.seen, expected.size());
}

TEST_F(CoverageTest, NoChoiceNoChoicePoint) {
  const Coverage coverage = Of(Program(kIncrements, R"({"strategy": "timed"})"));
  EXPECT_EQ(coverage.choice_points.seen, 0u);
  EXPECT_EQ(coverage.final_states.seen, 1u);
}

// A search that has seen everything finds nothing new.
TEST_F(CoverageTest, QuartersTellWhetherAnythingIsNew) {
  const Coverage coverage =
      Of(Program(kIncrements, R"({"strategy": "random", "executions": 400})"));
  EXPECT_EQ(coverage.executions, 400);
  EXPECT_THAT(coverage.final_states.new_by_quarter, ElementsAre(2, 0, 0, 0));
  // All executions of one thread are the first one.
  const Coverage first = Of(Program(R"({"name": "one", "ops": [{"op": "lock", "lock": "A"},
                                          {"op": "unlock", "lock": "A"}]})",
                                    R"({"strategy": "timed", "executions": 8})"));
  EXPECT_THAT(first.final_states.new_by_quarter, ElementsAre(1, 0, 0, 0));
}

TEST_F(CoverageTest, AThingCountsWhereItWasSeenFirst) {
  CoverageTable early, late;
  late.Add(70, {.choice_points = {7, 9}, .final_states = {1}, .policies_asked = {2}});
  early.Add(30, {.choice_points = {7}, .final_states = {1}, .policies_asked = {3}});
  early.Add(99, {.choice_points = {8}, .final_states = {2}});
  CoverageTable table;
  table.Merge(late);
  table.Merge(early);
  const Coverage coverage = table.Summary(sim::Validator(), {});
  EXPECT_EQ(coverage.choice_points.seen, 3u);
  EXPECT_THAT(coverage.choice_points.new_by_quarter, ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(coverage.final_states.new_by_quarter, ElementsAre(0, 1, 0, 1));
  EXPECT_EQ(coverage.policies.front().times, 5u);
}

TEST_F(CoverageTest, AQuarterBeginsWhereTheOneBeforeItEnds) {
  CoverageTable table;
  for (int64_t execution = 0; execution < 400; ++execution) {
    table.Add(execution, {.final_states = {static_cast<uint64_t>(execution)}});
  }
  EXPECT_THAT(table.Summary(sim::Validator(), {}).final_states.new_by_quarter,
              ElementsAre(100, 100, 100, 100));
}

// One append and its sync: what becomes of the file is the same however tasks take turns.
constexpr char kAppend[] = R"({"schema": 1, "name": "append", "files": [{"name": "f"}],
    "threads": [{"name": "writer", "ops": [
      {"op": "write", "file": "f", "pos_bytes": 0, "len_bytes": 4096},
      {"op": "fsync", "file": "f"}]}],
    "policy": {"commit_without_flush": true},
    "search": {"strategy": "random", "executions": 200, "crash_at": "none"},
    "expect": {"findings": []}})";

TEST_F(CoverageTest, OfAFileSystemAsWell) {
  const Coverage coverage = Of(kAppend);
  EXPECT_EQ(coverage.final_states.seen, 1u);
  EXPECT_GT(coverage.choice_points.seen, 10u);
  const PolicyAsked flush = Policy(coverage, "commit_without_flush");
  EXPECT_TRUE(flush.on);
  EXPECT_GE(flush.times, 200u);  // once for each commit, at least one in each execution
  const PolicyAsked reserve = Policy(coverage, "no_reserved_handle");
  EXPECT_FALSE(reserve.on);
  EXPECT_GE(reserve.times, 200u);
  EXPECT_EQ(Policy(coverage, "skip_revoke_record").times, 0u);  // nothing is freed
}

TEST_F(CoverageTest, IsTheSameForAnyNumberOfThreads) {
  const std::string program = Program(kOpposite, R"({"strategy": "pct", "executions": 300})");
  EXPECT_EQ(Of(program, {.jobs = 1}), Of(program, {.jobs = 3}));
  EXPECT_EQ(Of(kAppend, {.jobs = 1}), Of(kAppend, {.jobs = 3}));
}

}  // namespace
}  // namespace scenario
