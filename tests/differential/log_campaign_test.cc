// Two checkers, one of the model and one of recordings, say the same of the same executions.
#include "tests/differential/log_campaign.h"

#include <iostream>
#include <sstream>

#include "gmock/gmock.h"
#include "model/recorded/recording_check.h"
#include "model/scenario/execution_log.h"
#include "tests/suite/suite.h"
#include "tools/import/log_writes.h"

namespace differential {
namespace {

// A finding of the scenario's search, what its trace gives as a log, and what is found there.
class RoundTripTest : public testing::Test {
 protected:
  void Find(const std::string& path, const std::string& kind) {
    const scenario::ScenarioResult result = suite::Search(suite::Load(suite::InSource(path)), 4);
    const auto found = std::find_if(result.findings.begin(), result.findings.end(),
                                    [&](const auto& finding) { return finding.kind == kind; });
    ASSERT_NE(found, result.findings.end());
    message_ = found->message;
    Judge(found->trace);
  }
  void Judge(const nlohmann::ordered_json& trace) {
    model::ExecutionLog log;
    const absl::Status made = scenario::LogTrace(trace, log);
    ASSERT_TRUE(made.ok()) << made;
    std::ostringstream out;
    tools::WriteLogWrites(log.recording, out);
    const std::string bytes = out.str();
    const auto recording = tools::ParseLogWrites(bytes);
    ASSERT_TRUE(recording.ok()) << recording.status();
    model::RecordingOptions options;
    options.rules.writes = log.writes;
    options.rules.stale_pattern = model::kStalePattern;
    auto judged = model::CheckRecording(log.base, *recording, options);
    ASSERT_TRUE(judged.ok()) << judged.status();
    in_log_ = *std::move(judged);
  }
  std::vector<std::string> Messages(const std::string& kind) const {
    std::vector<std::string> messages;
    for (const auto& finding : in_log_.findings) {
      if (finding.kind == kind) messages.push_back(finding.message);
    }
    return messages;
  }

  std::string message_;  // in the model
  model::RecordingResult in_log_;
};

TEST_F(RoundTripTest, StaleDataIsAtTheSamePlace) {
  Find("scenarios/seed/b13d_written_extents_in_iomap_nodelalloc.json", "stale_data");
  ASSERT_THAT(in_log_.findings, testing::SizeIs(1));
  const std::string place = message_.substr(0, message_.find(' '));
  EXPECT_THAT(place, testing::MatchesRegex("a\\[[0-9]+,[0-9]+\\)"));
  EXPECT_EQ(in_log_.findings[0].message, place + " shows the pattern of free blocks");
}

TEST_F(RoundTripTest, LostDataIsLost) {
  Find("scenarios/seed/commit_record_without_flush.json", "lost_data");
  EXPECT_THAT(Messages("lost_data"), testing::Not(testing::IsEmpty()));
}

TEST_F(RoundTripTest, CleanExecutionIsClean) {
  const auto recording = scenario::RecordExecution(
      suite::Load(suite::InSource("scenarios/seed/iomap_delalloc.json")), {}, 0);
  ASSERT_TRUE(recording.ok()) << recording.status();
  Judge(recording->trace);
  EXPECT_THAT(in_log_.findings, testing::IsEmpty());
  EXPECT_GT(in_log_.promises, 0u);
  EXPECT_GT(in_log_.writes, 10u);
}

TEST(LogCampaignTest, BothSayTheSameOfTheSeed) {
  LogResult result;
  for (const std::string& path : suite::Paths("scenarios/seed")) {
    const scenario::Scenario loaded = suite::Load(path);
    if (scenario::CheckIsLoggable(loaded).ok()) CompareLogs(loaded, 1, result);
  }
  std::cout << Summary(result);
  EXPECT_THAT(result.disagreements, testing::IsEmpty());
  EXPECT_GT(result.clean, 20u);
}

TEST(LogCampaignTest, JournalOnADeviceOfItsOwnIsInNoLog) {
  const auto recording = scenario::RecordExecution(
      suite::Load(
          suite::InSource("scenarios/complete/overwrite_beside_commit_external_journal.json")),
      {}, 0);
  ASSERT_TRUE(recording.ok()) << recording.status();
  model::ExecutionLog log;
  EXPECT_THAT(std::string(scenario::LogTrace(recording->trace, log).message()),
              testing::StartsWith("the journal has a device of its own: a log is of one device"));
}

TEST(LogCampaignTest, BothSayTheSameOfRandomScenarios) {
  LogResult result;
  CompareRandomLogs(1, 60, result);
  std::cout << Summary(result);
  EXPECT_THAT(result.disagreements, testing::IsEmpty());
  // Otherwise it would say little.
  EXPECT_GT(result.clean, 20u);
  EXPECT_GT(result.told, 10u);
}

}  // namespace
}  // namespace differential
