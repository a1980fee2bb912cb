// Every scenario of scenarios/lock_order says what it is there to say; its whole search is done.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "tests/suite/suite.h"
#include "tools/verdict.h"

namespace {

using scenario::FoundFinding;
using scenario::ScenarioResult;
using testing::IsEmpty;

class LockOrderSuiteTest : public testing::TestWithParam<std::string> {
 protected:
  bool Expects(std::string_view kind) const {
    return std::any_of(scenario_.expect.findings.begin(), scenario_.expect.findings.end(),
                       [&](const scenario::ExpectedFinding& one) { return one.kind == kind; });
  }

  static void ExpectReplays(const FoundFinding& finding) {
    SCOPED_TRACE(finding.message);
    const auto replayed = scenario::ReplayTrace(finding.trace);
    ASSERT_TRUE(replayed.ok()) << replayed.status();
    EXPECT_TRUE(replayed->matches) << replayed->why_not;
  }

  scenario::Scenario scenario_ = suite::Load(GetParam());
};

// A cycle is confirmed by a trace that ends in its deadlock, unless there is none to be had: when
// nobody waits for one of its classes in a simulation, or in too large a search.
TEST_P(LockOrderSuiteTest, FindsWhatItExpectsAndEachTraceReplays) {
  const ScenarioResult result = scenario::RunScenario(scenario_, {}, [](uint64_t, uint64_t) {});
  EXPECT_THAT(tools::Differences(scenario_.expect, result, std::nullopt), IsEmpty());
  for (const FoundFinding& finding : result.findings) {
    ExpectReplays(finding);
    if (finding.kind != "lock_cycle") continue;
    EXPECT_EQ(finding.verdict, Expects("deadlock") ? "confirmed" : "open") << finding.why;
    EXPECT_EQ(finding.trace["finding"]["kind"],
              finding.verdict == "confirmed" ? "deadlock" : "lock_cycle");
  }
}

TEST_P(LockOrderSuiteTest, IsTheSameForAnyNumberOfThreads) {
  const int64_t executions = std::min<int64_t>(ExecutionLimit(scenario_.search), 130);  // 3 chunks
  const ScenarioResult alone = suite::Search(scenario_, executions, 1);
  const ScenarioResult shared = suite::Search(scenario_, executions, 3);
  EXPECT_EQ(shared.digest, alone.digest);
  ASSERT_EQ(shared.findings.size(), alone.findings.size());
  for (size_t i = 0; i < alone.findings.size(); ++i) {
    EXPECT_EQ(shared.findings[i].detail, alone.findings[i].detail);
    EXPECT_EQ(shared.findings[i].count, alone.findings[i].count);
  }
}

// A broken rule is known from the orders seen, without luck: executions that do not deadlock show
// it, too, if there are any.
TEST_P(LockOrderSuiteTest, AnInversionIsFoundInExecutionsThatDoNotDeadlock) {
  if (!Expects("lock_cycle") && !Expects("recursive_lock")) return;
  bool any_without_deadlock = false;
  for (uint64_t seed = 1; seed <= 256; ++seed) {
    scenario_.search.seed = seed;
    bool deadlocks = false, found = false;
    for (const FoundFinding& finding : suite::Search(scenario_, 1).findings) {
      deadlocks |= finding.kind == "deadlock";
      found |= finding.kind == "lock_cycle" || finding.kind == "recursive_lock";
    }
    if (!deadlocks && found) return;
    any_without_deadlock |= !deadlocks;
  }
  EXPECT_FALSE(any_without_deadlock) << "no execution of 256 shows it without a deadlock";
}

TEST(RefutationTest, WhatAllExecutionsExcludeIsNoFinding) {
  const scenario::Scenario scenario =
      suite::Load(suite::InSource("scenarios/lock_order/opposite_orders_one_after_the_other.json"));
  const ScenarioResult judged = scenario::RunScenario(scenario, {}, [](uint64_t, uint64_t) {});
  EXPECT_THAT(judged.findings, IsEmpty());
  ASSERT_EQ(judged.excluded_cycles.size(), 1u);
  EXPECT_EQ(judged.excluded_cycles[0].verdict, "refuted");
  EXPECT_EQ(judged.excluded_cycles[0].why,
            "in this scenario: all 2 executions end without its deadlock");
  const ScenarioResult unjudged = suite::Search(scenario, 256);
  ASSERT_EQ(unjudged.findings.size(), 1u);
  EXPECT_EQ(unjudged.findings[0].kind, "lock_cycle");
}

INSTANTIATE_TEST_SUITE_P(LockOrder, LockOrderSuiteTest,
                         testing::ValuesIn(suite::Paths("scenarios/lock_order")), suite::NameOf);

}  // namespace
