// What a result claims of its search: how much was run, whether that is all, and in which bounds.

#include "model/scenario/search.h"

#include <string>

#include "gmock/gmock.h"
#include "model/scenario/model_policies.h"
#include "model/scenario/parse.h"
#include "model/scenario/text.h"

namespace scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class SearchTest : public testing::Test {
 protected:
  // Two threads that take two locks in opposite order, searched so.
  static Scenario Searched(const std::string& search) {
    auto scenario = ParseScenario("test.json",
                                  Cat(R"({"schema": 1, "name": "opposite",
      "program": {"locks": [{"name": "A"}, {"name": "B"}]},
      "threads": [
        {"name": "one", "ops": [{"op": "lock", "lock": "A"}, {"op": "lock", "lock": "B"},
                                {"op": "unlock", "lock": "B"}, {"op": "unlock", "lock": "A"}]},
        {"name": "other", "ops": [{"op": "lock", "lock": "B"}, {"op": "lock", "lock": "A"},
                                  {"op": "unlock", "lock": "A"}, {"op": "unlock", "lock": "B"}]}],
      "search": )",
                                      search, R"(, "expect": {"findings": []}})"),
                                  ModelPolicies());
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    return scenario.ok() ? *std::move(scenario) : Scenario{};
  }

  // Three, two rounds each, who take the fork on their left first.
  static Scenario Philosophers(const std::string& search) {
    std::string threads;
    for (int i = 0; i < 3; ++i) {
      std::string ops;
      for (int round = 0; round < 2; ++round) {
        const auto op = [&](const char* what, int fork) {
          ops +=
              Cat(ops.empty() ? "" : ", ", R"({"op": ")", what, R"(", "lock": "F)", fork, R"("})");
        };
        op("lock", i);
        op("lock", (i + 1) % 3);
        op("unlock", (i + 1) % 3);
        op("unlock", i);
      }
      threads += Cat(i > 0 ? ", " : "", R"({"name": "P)", i, R"(", "ops": [)", ops, "]}");
    }
    auto scenario =
        ParseScenario("test.json",
                      Cat(R"({"schema": 1, "name": "philosophers",
                "program": {"locks": [{"name": "F0"}, {"name": "F1"}, {"name": "F2"}]},
                "threads": [)",
                          threads, R"(], "search": )", search, R"(, "expect": {"findings": []}})"),
                      ModelPolicies());
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    return scenario.ok() ? *std::move(scenario) : Scenario{};
  }

  static ScenarioResult Run(const Scenario& scenario, const RunOptions& options = {}) {
    return RunScenario(WithOptions(scenario, options), options, [](uint64_t, uint64_t) {});
  }
};

// Either of the two comes first, or each takes one.
TEST_F(SearchTest, IsCompleteWhenNothingIsLeft) {
  const ScenarioResult result = Run(Searched(R"({"strategy": "dpor"})"));
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.executions, 3u);
  EXPECT_FALSE(result.estimate.has_value());
  EXPECT_THAT(result.bounds, IsEmpty());
}

TEST_F(SearchTest, OneExecutionShortOfAllIsNotComplete) {
  const ScenarioResult result = Run(Searched(R"({"strategy": "dpor", "executions": 2})"));
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(result.executions, 2u);
  EXPECT_TRUE(result.estimate.has_value());
}

TEST_F(SearchTest, ABoundOnPreemptionsIsSaidWhereItIsKept) {
  const Scenario bounded = Searched(R"({"strategy": "depth_first", "max_preemptions": 1})");
  const ScenarioResult result = Run(bounded);
  EXPECT_TRUE(result.complete);
  EXPECT_THAT(result.bounds, ElementsAre("at most 1 preemptions"));
  EXPECT_LT(result.executions, Run(Searched(R"({"strategy": "depth_first"})")).executions);
  const ScenarioResult reduced = Run(bounded, {.strategy = StrategyKind::kDpor});
  EXPECT_TRUE(reduced.complete);
  EXPECT_THAT(reduced.bounds, ElementsAre("at most 1 preemptions"));
  EXPECT_THAT(Run(bounded, {.complete = true}).bounds, IsEmpty());
}

TEST_F(SearchTest, TracesOfASystematicSearchReplay) {
  for (const char* search : {R"({"strategy": "dpor"})", R"({"strategy": "depth_first"})"}) {
    const ScenarioResult result = Run(Searched(search), {.confirms = false});
    ASSERT_EQ(result.findings.size(), 2u);
    for (const FoundFinding& finding : result.findings) {
      const auto replayed = ReplayTrace(finding.trace);
      ASSERT_TRUE(replayed.ok()) << replayed.status();
      EXPECT_TRUE(replayed->matches) << replayed->why_not;
    }
  }
}

// More executions than fit into memory at once, let alone into the time.
TEST_F(SearchTest, TimeCutsASearchOff) {
  for (const char* search : {R"({"strategy": "random", "executions": 1000000000})",
                             R"({"strategy": "timed", "executions": 1000000000})"}) {
    const ScenarioResult result = Run(Searched(search), {.max_seconds = 1, .jobs = 2});
    EXPECT_TRUE(result.out_of_time);
    EXPECT_GT(result.executions, 0u);
    EXPECT_LT(result.executions, 1'000'000'000u);
  }
}

// A round is 16,384 executions.
TEST_F(SearchTest, RoundsAreOneSearch) {
  const Scenario scenario = Searched(R"({"strategy": "random", "executions": 16500})");
  const ScenarioResult alone = Run(scenario, {.jobs = 1});
  const ScenarioResult shared = Run(scenario, {.jobs = 3});
  EXPECT_EQ(alone.executions, 16'500u);
  EXPECT_EQ(shared.digest, alone.digest);
  ASSERT_EQ(shared.findings.size(), alone.findings.size());
  for (size_t i = 0; i < alone.findings.size(); ++i) {
    EXPECT_EQ(shared.findings[i].count, alone.findings[i].count);
    EXPECT_EQ(shared.findings[i].trace, alone.findings[i].trace);
  }
}

// One thread, so that there is one execution only; its loop takes 100 rounds of two turns.
class LimitTest : public SearchTest {
 protected:
  static ScenarioResult RunLoop(const std::string& loop, int max_steps) {
    auto scenario = ParseScenario("test.json",
                                  Cat(R"({"schema": 1, "name": "loop",
      "program": {"locks": [{"name": "A"}], "variables": [{"name": "x"}]},
      "threads": [{"name": "looper", "ops": [)",
                                      loop, R"(, {"op": "load", "variable": "x", "into": "v"},
         {"op": "lock", "lock": "A"}, {"op": "unlock", "lock": "A"}, {"op": "end"}]}],
      "search": {"strategy": "timed", "max_steps": )",
                                      max_steps, R"(}, "expect": {"findings": []}})"),
                                  ModelPolicies());
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    return scenario.ok() ? Run(*scenario) : ScenarioResult{};
  }
};

TEST_F(LimitTest, AnExecutionThatEndsWithinTwiceItsLimitIsAsItWas) {
  const ScenarioResult shorter = RunLoop(R"({"op": "repeat", "times": 100})", 150);
  EXPECT_THAT(shorter.findings, IsEmpty());
  EXPECT_EQ(shorter.steps, RunLoop(R"({"op": "repeat", "times": 100})", 1000).steps);
  EXPECT_THAT(shorter.bounds, ElementsAre("beyond max_steps or max_time_ns, a fair scheduler went "
                                          "on: 1 of the executions"));
  EXPECT_THAT(RunLoop(R"({"op": "repeat", "times": 100})", 1000).bounds, IsEmpty());
}

// A round of a `repeat` is something done, one of a `while` is not.
TEST_F(LimitTest, WhoGetsOnIsUnfinishedAndWhoGoesRoundIsInALivelock) {
  const ScenarioResult busy = RunLoop(R"({"op": "repeat", "times": 100})", 50);
  ASSERT_EQ(busy.findings.size(), 1u);
  EXPECT_EQ(busy.findings[0].kind, "unfinished");
  EXPECT_EQ(busy.steps, 100u);
  const ScenarioResult stuck = RunLoop(R"({"op": "while", "condition": 1, "times": 100})", 50);
  ASSERT_EQ(stuck.findings.size(), 1u);
  EXPECT_EQ(stuck.findings[0].kind, "livelock");
  EXPECT_EQ(stuck.findings[0].message, "looper takes turns and gets nowhere");
  const auto replayed = ReplayTrace(stuck.findings[0].trace);
  ASSERT_TRUE(replayed.ok()) << replayed.status();
  EXPECT_TRUE(replayed->matches) << replayed->why_not;
}

TEST_F(LimitTest, SystemCallsThatReturnAreGettingOn) {
  const auto scenario = ParseScenario("test.json", R"({"schema": 1, "name": "calls",
      "files": [{"name": "f"}],
      "threads": [{"name": "caller", "repeat": 100, "ops": [{"op": "fsync", "file": "f"}]}],
      "search": {"strategy": "timed", "max_steps": 100}, "expect": {"findings": []}})",
                                      ModelPolicies());
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const ScenarioResult result = Run(*scenario);
  ASSERT_EQ(result.findings.size(), 1u);
  EXPECT_EQ(result.findings[0].kind, "unfinished");
}

void ExpectSame(const ScenarioResult& result, const ScenarioResult& other) {
  EXPECT_EQ(result.executions, other.executions);
  EXPECT_EQ(result.redundant, other.redundant);
  EXPECT_EQ(result.complete, other.complete);
  EXPECT_EQ(result.steps, other.steps);
  EXPECT_EQ(result.digest, other.digest);
  EXPECT_EQ(result.coverage, other.coverage);
  ASSERT_EQ(result.findings.size(), other.findings.size());
  for (size_t i = 0; i < result.findings.size(); ++i) {
    EXPECT_EQ(result.findings[i].message, other.findings[i].message);
    EXPECT_EQ(result.findings[i].count, other.findings[i].count);
    EXPECT_EQ(result.findings[i].trace, other.findings[i].trace);
  }
}

TEST_F(SearchTest, PartsAreOneSearchForAnyNumberOfJobs) {
  for (const char* search :
       {R"({"strategy": "dpor"})", R"({"strategy": "depth_first", "max_preemptions": 1})"}) {
    const Scenario scenario = Philosophers(search);
    const ScenarioResult whole = Run(scenario, {.coverage = true});
    for (const int64_t part : {1, 7, 40}) {
      SCOPED_TRACE(Cat(search, ", parts of ", part));
      const ScenarioResult alone =
          Run(scenario, {.jobs = 1, .part_executions = part, .coverage = true});
      EXPECT_TRUE(alone.complete);
      EXPECT_EQ(alone.executions, whole.executions);
      EXPECT_EQ(alone.redundant, 0u);
      EXPECT_EQ(alone.steps, whole.steps);
      EXPECT_EQ(alone.coverage->executions, static_cast<int64_t>(whole.executions));
      EXPECT_EQ(alone.coverage->final_states.seen, whole.coverage->final_states.seen);
      EXPECT_EQ(alone.findings.size(), whole.findings.size());
      for (const FoundFinding& finding : alone.findings) {
        const auto replayed = ReplayTrace(finding.trace);
        ASSERT_TRUE(replayed.ok()) << replayed.status();
        EXPECT_TRUE(replayed->matches) << replayed->why_not;
      }
      for (const int jobs : {2, 3, 8}) {
        ExpectSame(Run(scenario, {.jobs = jobs, .part_executions = part, .coverage = true}), alone);
      }
    }
  }
}

// What turns touch is not known before they are taken: some plans come to nothing.
TEST_F(SearchTest, AReducedSearchWithABoundIsTheSameForAnyNumberOfJobs) {
  const Scenario scenario = Philosophers(R"({"strategy": "dpor", "max_preemptions": 1})");
  const ScenarioResult every =
      Run(scenario, {.strategy = StrategyKind::kDepthFirst, .coverage = true});
  const ScenarioResult whole = Run(scenario, {.coverage = true});
  EXPECT_LT(whole.executions + whole.redundant, every.executions);
  EXPECT_GT(whole.redundant, 0u);
  for (const int64_t part : {1, 7, 40}) {
    SCOPED_TRACE(part);
    const ScenarioResult alone =
        Run(scenario, {.jobs = 1, .part_executions = part, .coverage = true});
    EXPECT_TRUE(alone.complete);
    EXPECT_EQ(alone.executions, whole.executions);
    EXPECT_EQ(alone.coverage->final_states.seen, every.coverage->final_states.seen);
    ASSERT_EQ(alone.findings.size(), every.findings.size());
    for (const FoundFinding& finding : every.findings) {
      EXPECT_TRUE(
          std::any_of(alone.findings.begin(), alone.findings.end(),
                      [&](const FoundFinding& found) { return found.message == finding.message; }))
          << finding.message;
    }
    for (const int jobs : {2, 3, 8}) {
      ExpectSame(Run(scenario, {.jobs = jobs, .part_executions = part, .coverage = true}), alone);
    }
  }
}

TEST_F(SearchTest, AFileSystemsPartsAreTheSameForAnyNumberOfJobs) {
  const auto scenario = ParseScenario("test.json", R"({"schema": 1, "name": "files",
      "files": [{"name": "a", "size_bytes": 8192}],
      "threads": [
        {"name": "syncer", "ops": [{"op": "fsync", "file": "a"}]},
        {"name": "truncate", "ops": [{"op": "truncate", "file": "a", "size_bytes": 4096}]}],
      "search": {"strategy": "dpor", "executions": 300, "crash_at": "none"},
      "expect": {"findings": []}})",
                                      ModelPolicies());
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  const ScenarioResult alone = Run(*scenario, {.jobs = 1, .part_executions = 4});
  EXPECT_EQ(alone.executions, 300u);
  ExpectSame(Run(*scenario, {.jobs = 3, .part_executions = 4}), alone);
}

TEST_F(SearchTest, ALimitCutsPartsOffAtTheSameExecutionForAnyNumberOfJobs) {
  for (const int64_t limit : {29, 30, 31, 89, 90}) {
    SCOPED_TRACE(limit);
    const Scenario scenario =
        Philosophers(Cat(R"({"strategy": "dpor", "executions": )", limit, "}"));
    const ScenarioResult alone = Run(scenario, {.jobs = 1, .part_executions = 10});
    EXPECT_EQ(alone.executions, static_cast<uint64_t>(limit));
    EXPECT_FALSE(alone.complete);
    ExpectSame(Run(scenario, {.jobs = 3, .part_executions = 10}), alone);
  }
}

TEST_F(SearchTest, APctSearchSaysWhatItPromises) {
  const ScenarioResult result = Run(Searched(R"({"strategy": "pct", "executions": 10})"));
  ASSERT_EQ(result.bounds.size(), 1u);
  EXPECT_THAT(result.bounds[0], HasSubstr("hits a bug of depth 3"));
}

}  // namespace
}  // namespace scenario
