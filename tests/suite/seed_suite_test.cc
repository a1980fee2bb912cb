// Every scenario of scenarios/seed, scenarios/crash and scenarios/xfstests says what it is there to
// say, and for the reason it gives.
//
// Searches are cut short here, at the first size that gives what the scenario expects: `crashdep
// run scenarios/seed` does them whole.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "model/scenario/lock_cycle_judge.h"
#include "tests/suite/suite.h"
#include "tools/verdict.h"

namespace {

using scenario::FoundFinding;
using scenario::Scenario;
using scenario::ScenarioResult;
using suite::Search;
using testing::ElementsAreArray;
using testing::IsEmpty;
using tools::Differences;

// Enough that three threads have something to share: a search is shared out in chunks of 64.
constexpr int64_t kSharedExecutions = 66;
// Scenarios with longer executions are not searched that often.
constexpr int64_t kCheapSteps = 1000;

std::vector<std::string> Lines(const ScenarioResult& result) {
  std::vector<std::string> lines = {result.digest, std::to_string(result.executions),
                                    std::to_string(result.steps),
                                    std::to_string(result.crash_families), result.crash_states};
  for (const FoundFinding& finding : result.findings) {
    lines.push_back(finding.kind + ": " + finding.message);
    lines.push_back(finding.detail);
    lines.push_back(std::to_string(finding.count));
    lines.push_back(finding.trace.dump());
  }
  return lines;
}

// Of `all` executions as many as it takes to find what the scenario expects.
ScenarioResult SearchUntilFound(const Scenario& scenario) {
  const int64_t all = ExecutionLimit(scenario.search);
  for (int64_t executions = 4;; executions = std::min(4 * executions, all)) {
    ScenarioResult result = Search(scenario, executions);
    if (executions == all || Differences(scenario.expect.findings, result.findings).empty()) {
      return result;
    }
  }
}

class SeedSuiteTest : public testing::TestWithParam<std::string> {
 protected:
  bool Passes(const scenario::Expectation& expect) const {
    return Differences(expect.findings, result_.findings).empty();
  }

  Scenario scenario_ = suite::Load(GetParam());
  const ScenarioResult& result_ = SearchedOnce();
  const int64_t executions_ = static_cast<int64_t>(result_.executions);

 private:
  // All tests of a scenario look at one search.
  const ScenarioResult& SearchedOnce() const {
    static auto& searched = *new std::map<std::string, ScenarioResult>();
    const auto [entry, is_new] = searched.try_emplace(GetParam());
    if (is_new) entry->second = SearchUntilFound(scenario_);
    return entry->second;
  }
};

TEST_P(SeedSuiteTest, FindsWhatItExpectsAndNothingElse) {
  EXPECT_THAT(Differences(scenario_.expect.findings, result_.findings), IsEmpty());
}

TEST_P(SeedSuiteTest, StatesShowWhatTheirFamiliesDo) {
  scenario::RunOptions options;
  options.executions = 1;
  options.confirms = false;
  options.enumerate = 64;
  const ScenarioResult result = RunScenario(scenario_, options, [](uint64_t, uint64_t) {});
  ASSERT_TRUE(result.enumerated.has_value());
  EXPECT_EQ(result.enumerated->disagreements, 0u) << result.enumerated->first_disagreement;
  EXPECT_EQ(result.enumerated->families + result.enumerated->larger, result.crash_families);
}

// The same scenario with every policy at its default, on a device that does what it says.
Scenario Sound(Scenario scenario) {
  using scenario::FaultKind;
  scenario.policy.clear();
  scenario.device.ignore_flush = false;
  scenario.device.ignore_fua = false;
  const size_t removed = std::erase_if(scenario.device.faults, [](const auto& fault) {
    return fault.kind != FaultKind::kWriteError && fault.kind != FaultKind::kShortWrite;
  });
  for (scenario::ThreadConfig& thread : scenario.threads) {
    for (scenario::Op& op : thread.ops) {
      if (removed > 0) op.returns.reset();  // it may say that the device fails
    }
  }
  return scenario;
}

bool IsSound(const Scenario& scenario) {
  const Scenario sound = Sound(scenario);
  return scenario.policy.empty() && scenario.device.ignore_flush == sound.device.ignore_flush &&
         scenario.device.ignore_fua == sound.device.ignore_fua &&
         scenario.device.faults.size() == sound.device.faults.size();
}

TEST_P(SeedSuiteTest, FailsWithAnyOtherExpectation) {
  EXPECT_EQ(scenario_.expect.findings.empty(), IsSound(scenario_));
  scenario::Expectation expect;
  for (size_t i = 0; i < scenario_.expect.findings.size(); ++i) {
    expect.findings = scenario_.expect.findings;
    expect.findings.erase(expect.findings.begin() + static_cast<ptrdiff_t>(i));
    EXPECT_FALSE(Passes(expect));
  }
  expect.findings = {{"starvation", ""}};
  EXPECT_FALSE(Passes(expect));
}

TEST_P(SeedSuiteTest, FindsNothingWithoutItsPolicyOnADeviceThatDoesWhatItSays) {
  if (IsSound(scenario_)) return;
  EXPECT_EQ(scenario_.expect.without_policy.has_value(), !scenario_.policy.empty());
  EXPECT_THAT(Differences({}, Search(Sound(scenario_), executions_).findings), IsEmpty());
}

// Where every commit flushes both devices, two are as good as one.
TEST_P(SeedSuiteTest, FindsNothingWithAJournalOnADeviceOfItsOwn) {
  Scenario sound = Sound(scenario_);
  if (sound.fs.journal_device == scenario::JournalDevice::kInternal) {
    sound.fs.journal_device = scenario::JournalDevice::kExternal;
    const int64_t journal_bytes = sound.fs.journal_blocks * sound.fs.block_bytes;
    sound.device.size_sectors -= journal_bytes / scenario::kSectorBytes;  // as many free blocks
  }
  sound.policy = {{"flush_data_device_always", true}};
  EXPECT_THAT(Differences({}, Search(sound, executions_).findings), IsEmpty());
}

TEST_P(SeedSuiteTest, IsTheSameEveryTimeAndForAnyNumberOfThreads) {
  const bool cheap = result_.steps / result_.executions < kCheapSteps;
  const int64_t executions = cheap ? kSharedExecutions : executions_;
  const ScenarioResult alone = Search(scenario_, executions);
  EXPECT_THAT(Lines(Search(scenario_, executions, 3)), ElementsAreArray(Lines(alone)));
  EXPECT_THAT(Lines(Search(scenario_, executions_)), ElementsAreArray(Lines(result_)));
}

TEST_P(SeedSuiteTest, EveryTraceReplaysToItsFinding) {
  for (const FoundFinding& finding : result_.findings) {
    SCOPED_TRACE(finding.message);
    const auto replayed = scenario::ReplayTrace(finding.trace);
    ASSERT_TRUE(replayed.ok()) << replayed.status();
    EXPECT_TRUE(replayed->matches) << replayed->why_not;
    EXPECT_EQ(replayed->digest, replayed->expected_digest);
  }
}

// A scenario, and what the message of one of its lock cycles contains.
struct BrokenOrder {
  const char* scenario;  // below scenarios/
  const char* cycle;
};

class SeedDeadlockTest : public testing::TestWithParam<BrokenOrder> {};

// What breaks the order of locks is no opinion: an execution ends in the deadlock.
TEST_P(SeedDeadlockTest, ALockCycleIsConfirmed) {
  const Scenario scenario =
      suite::Load(suite::InSource(std::string("scenarios/") + GetParam().scenario + ".json"));
  const ScenarioResult result = Search(scenario, ExecutionLimit(scenario.search));
  const auto reports = result.locks->Conclude().found;
  const auto report = std::find_if(reports.begin(), reports.end(), [](const auto& candidate) {
    return sim::Message(candidate).find(GetParam().cycle) != std::string::npos;
  });
  ASSERT_NE(report, reports.end());
  scenario::LockCycleJudge judge(scenario, nullptr);
  const auto outcome = judge.Judge(*report, [](int64_t) { return scenario::TracedRun(); });
  EXPECT_EQ(outcome.kind, scenario::CycleOutcome::Kind::kConfirmed) << outcome.why;
}

INSTANTIATE_TEST_SUITE_P(
    Seed, SeedDeadlockTest,
    testing::Values(BrokenOrder{"seed/b31_intwrite_under_handle", "jbd2_handle --> sb_internal"},
                    BrokenOrder{"seed/b37d_handle_across_balance_dirty_pages",
                                "jbd2_handle --> balance_dirty_pages"},
                    BrokenOrder{"seed/b37e_folio_lock_under_handle", "jbd2_handle --> folio lock"},
                    BrokenOrder{"seed/b37f_ordered_list_on_iomap_inode",
                                "jbd2_commit --> PG_writeback"},
                    BrokenOrder{"seed/reserved_handle_not_reserved", "jbd2_handle --> folio lock"},
                    BrokenOrder{"designs/conversion_waited_for_under_a_handle",
                                "jbd2_commit --> jbd2_handle --> folio lock"}),
    [](const auto& info) {
      const std::string path = info.param.scenario;
      return path.substr(path.find('/') + 1);
    });

INSTANTIATE_TEST_SUITE_P(Seed, SeedSuiteTest, testing::ValuesIn(suite::Paths("scenarios/seed")),
                         suite::NameOf);
INSTANTIATE_TEST_SUITE_P(Crash, SeedSuiteTest, testing::ValuesIn(suite::Paths("scenarios/crash")),
                         suite::NameOf);
INSTANTIATE_TEST_SUITE_P(Xfstests, SeedSuiteTest,
                         testing::ValuesIn(suite::Paths("scenarios/xfstests")), suite::NameOf);

}  // namespace
