// Every scenario of scenarios/lock_order says what it is there to say; its whole search is done.

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "model/ext4/policy.h"
#include "model/scenario/parse.h"
#include "model/scenario/runner.h"
#include "tools/find_scenarios.h"
#include "tools/verdict.h"

namespace {

using scenario::FoundFinding;
using scenario::ScenarioResult;
using testing::IsEmpty;

std::vector<std::string> Paths() {
  return tools::FindScenarios({std::string(SOURCE_ROOT) + "/scenarios/lock_order"}).paths;
}

class LockOrderSuiteTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    std::vector<scenario::PolicyField> policies;
    for (const model::PolicyEntry& entry : model::kPolicyEntries) {
      policies.push_back({entry.name, entry.about, entry.source});
    }
    auto loaded = scenario::LoadScenario(GetParam(), policies);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    scenario_ = *std::move(loaded);
  }
  ScenarioResult Search(int jobs) const {
    scenario::RunOptions options;
    options.jobs = jobs;
    return scenario::RunScenario(scenario_, options, [](uint64_t, uint64_t) {});
  }

  scenario::Scenario scenario_;
};

TEST_P(LockOrderSuiteTest, FindsWhatItExpectsAndEachTraceReplays) {
  const ScenarioResult result = Search(1);
  EXPECT_THAT(tools::Differences(scenario_.expect.findings, result.findings), IsEmpty());
  for (const FoundFinding& finding : result.findings) {
    SCOPED_TRACE(finding.message);
    const auto replayed = scenario::ReplayTrace(finding.trace);
    ASSERT_TRUE(replayed.ok()) << replayed.status();
    EXPECT_TRUE(replayed->matches) << replayed->why_not;
  }
}

TEST_P(LockOrderSuiteTest, IsTheSameForAnyNumberOfThreads) {
  scenario_.search.executions = std::min<int64_t>(scenario_.search.executions, 130);  // 3 chunks
  const ScenarioResult alone = Search(1);
  const ScenarioResult shared = Search(3);
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
  bool expects_order = false;
  for (const auto& expected : scenario_.expect.findings) {
    expects_order |= expected.kind == "lock_cycle" || expected.kind == "recursive_lock";
  }
  if (!expects_order) return;
  bool any_without_deadlock = false;
  for (uint64_t seed = 1; seed <= 256; ++seed) {
    scenario_.search.seed = seed;
    scenario_.search.executions = 1;
    bool deadlocks = false, found = false;
    for (const FoundFinding& finding : Search(1).findings) {
      deadlocks |= finding.kind == "deadlock";
      found |= finding.kind == "lock_cycle" || finding.kind == "recursive_lock";
    }
    if (!deadlocks && found) return;
    any_without_deadlock |= !deadlocks;
  }
  EXPECT_FALSE(any_without_deadlock) << "no execution of 256 shows it without a deadlock";
}

INSTANTIATE_TEST_SUITE_P(LockOrder, LockOrderSuiteTest, testing::ValuesIn(Paths()),
                         [](const auto& info) {
                           const size_t begin = info.param.rfind('/') + 1;
                           return info.param.substr(begin, info.param.rfind('.') - begin);
                         });

}  // namespace
