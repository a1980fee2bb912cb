// Replaying traces of the scenarios that come with the program: as they were, shown, and another
// way.

#include <algorithm>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "model/scenario/runner.h"
#include "tests/suite/suite.h"
#include "tests/tools/trace_event_check.h"
#include "tools/timeline_text.h"
#include "tools/trace_event.h"

namespace {

using nlohmann::ordered_json;
using scenario::ReplayOptions;
using scenario::ReplayResult;
using scenario::StrategyKind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ReplayResult Replay(const ordered_json& trace, const ReplayOptions& options = {}) {
  auto result = scenario::ReplayTrace(trace, options);
  EXPECT_TRUE(result.ok()) << result.status();
  return result.ok() ? *std::move(result) : ReplayResult{};
}

// --- Showing -------------------------------------------------------------------------------------

class ShownReplayTest : public testing::TestWithParam<std::string> {
 protected:
  // Those of the first findings, or a recording.
  static std::vector<ordered_json> Traces() {
    const scenario::Scenario scenario = suite::Load(GetParam());
    std::vector<ordered_json> traces;
    for (const auto& finding : suite::Search(scenario, 2).findings) {
      if (traces.size() < 2) traces.push_back(finding.trace);
    }
    if (!traces.empty()) return traces;
    const auto recording = scenario::RecordExecution(scenario, {}, 0);
    if (recording.ok()) traces.push_back(recording->trace);
    return traces;
  }
  static std::string Shown(const ReplayResult& result) {
    std::ostringstream out;
    for (const auto& run : result.runs) tools::WriteTimeline(run, out);
    return out.str();
  }
  static std::string TraceEvents(const ReplayResult& result) {
    std::ostringstream out;
    tools::WriteTraceEvents(result.scenario, result.runs, out);
    return out.str();
  }
  // How often a run's notes speak of it.
  static int64_t Notes(const ReplayResult& result, const std::string& kind) {
    int64_t count = 0;
    for (const auto& run : result.runs) {
      count += std::count_if(run.notes.begin(), run.notes.end(), [&](const auto& note) {
        return note.turn > 0 && note.text.find(kind) != std::string::npos;
      });
    }
    return count;
  }
};

TEST_P(ShownReplayTest, IsTheSameExecutionWithItsFindingAndFitForViewers) {
  for (const ordered_json& trace : Traces()) {
    const std::string kind = trace["finding"]["kind"];
    SCOPED_TRACE(kind);
    const ReplayResult shown = Replay(trace, {.keeps_events = true});
    EXPECT_TRUE(shown.matches) << shown.why_not;
    ASSERT_EQ(shown.runs.size(), trace["runs"].size());
    EXPECT_GE(Notes(shown, kind), kind.empty() ? 0 : 1);
    tools::CheckTraceEvents(TraceEvents(shown));
    const ReplayResult again = Replay(trace, {.keeps_events = true});
    EXPECT_EQ(Shown(again), Shown(shown));
    EXPECT_EQ(TraceEvents(again), TraceEvents(shown));
    EXPECT_TRUE(Replay(trace).runs.empty());
  }
}

std::vector<std::string> AllPaths() {
  std::vector<std::string> paths = suite::Paths("scenarios/lock_order");
  for (const std::string& path : suite::Paths("scenarios/seed")) paths.push_back(path);
  return paths;
}
INSTANTIATE_TEST_SUITE_P(All, ShownReplayTest, testing::ValuesIn(AllPaths()), suite::NameOf);

// --- Another way ---------------------------------------------------------------------------------

class ReplayAnotherWayTest : public testing::Test {
 protected:
  static ordered_json TraceOf(const std::string& path, const std::string& kind) {
    const scenario::Scenario scenario = suite::Load(suite::InSource(path));
    for (const auto& finding : suite::Search(scenario, 64).findings) {
      if (finding.kind == kind) return finding.trace;
    }
    ADD_FAILURE() << "no " << kind << " in " << path;
    return {};
  }
  // What happened in the first `turns` turns of the last run.
  static std::vector<std::string> Begin(const ReplayResult& result, uint64_t turns) {
    std::vector<std::string> lines;
    for (const auto& event : result.runs.back().log.events) {
      if (event.turn <= turns) lines.push_back(event.actor + event.what + event.subject);
    }
    return lines;
  }

  ordered_json deadlock_ =
      TraceOf("scenarios/lock_order/two_locks_opposite_order.json", "deadlock");
};

TEST_F(ReplayAnotherWayTest, FromTheStartByTheSearchsStrategyAndSeedIsTheSameExecution) {
  const ordered_json trace =
      TraceOf("scenarios/seed/b13d_written_extents_in_iomap_nodelalloc.json", "stale_data");
  ASSERT_EQ(trace["scenario"]["search"]["strategy"], "random");
  const ReplayResult result = Replay(trace, {.then = StrategyKind::kRandom, .from = 0});
  EXPECT_EQ(result.digest, result.expected_digest);
  EXPECT_TRUE(result.matches);
  EXPECT_THAT(result.left, ElementsAre(HasSubstr("after turn 0; from there by random, seed ")));
}

TEST_F(ReplayAnotherWayTest, TheTurnsUpToThereAreTheRecordings) {
  const ordered_json trace =
      TraceOf("scenarios/seed/b37e_folio_lock_under_handle.json", "lock_cycle");
  const ReplayResult whole = Replay(trace, {.keeps_events = true});
  for (const StrategyKind then : {StrategyKind::kTimed, StrategyKind::kRandom, StrategyKind::kPct,
                                  StrategyKind::kPos, StrategyKind::kRoundRobin}) {
    const ReplayResult other =
        Replay(trace, {.then = then, .from = 30, .seed = 5, .keeps_events = true});
    EXPECT_EQ(Begin(other, 30), Begin(whole, 30));
    EXPECT_NE(Begin(other, UINT64_MAX), Begin(whole, UINT64_MAX));
    EXPECT_THAT(other.left, ElementsAre(HasSubstr("after turn 30; from there by ")));
  }
}

TEST_F(ReplayAnotherWayTest, TellsWhetherTheFindingCameAgain) {
  EXPECT_TRUE(Replay(deadlock_, {.then = StrategyKind::kTimed}).matches);
  int came = 0;
  for (uint64_t seed = 1; seed <= 64; ++seed) {
    came += Replay(deadlock_, {.then = StrategyKind::kRandom, .from = 0, .seed = seed}).matches;
  }
  EXPECT_GT(came, 0);
  EXPECT_LT(came, 64);
}

TEST_F(ReplayAnotherWayTest, AScheduleThatAgreesToItsEndIsNotLeft) {
  EXPECT_THAT(Replay(deadlock_, {.then = StrategyKind::kTimed}).left, IsEmpty());
  deadlock_["scenario"]["about"] = "Edited.";
  EXPECT_TRUE(Replay(deadlock_).matches);
}

TEST_F(ReplayAnotherWayTest, AnEditedScenarioIsLeftWhereItDoesNotAgreeAnyMore) {
  deadlock_["scenario"]["threads"][1]["ops"] =
      ordered_json::array({{{"op", "sleep"}, {"duration_ns", 1'000'000}}});
  const ReplayResult result = Replay(deadlock_, {.then = StrategyKind::kTimed});
  EXPECT_FALSE(result.matches);
  EXPECT_EQ(result.why_not, "the finding did not come again");
  EXPECT_THAT(result.left,
              ElementsAre(testing::ContainsRegex(
                  "^turn [0-9]+: the recording has task 1 \\(here two\\), the replay has task 0 "
                  "\\(one\\); from there by timed$")));
  EXPECT_THAT(Replay(deadlock_).why_not, HasSubstr("the execution went another way: turn "));
}

TEST_F(ReplayAnotherWayTest, AThreadMoreLetsTheFindingComeAgain) {
  ordered_json three = deadlock_["scenario"]["threads"][0];
  three["name"] = "three";
  three["ops"] = ordered_json::array({{{"op", "sleep"}, {"duration_ns", 1'000'000}}});
  deadlock_["scenario"]["threads"].push_back(three);
  const ReplayResult result = Replay(deadlock_, {.then = StrategyKind::kRoundRobin});
  EXPECT_TRUE(result.matches) << result.why_not;
  EXPECT_THAT(result.left, ElementsAre(HasSubstr("task 2 (three); from there by round_robin")));
}

TEST_F(ReplayAnotherWayTest, OnlyTheLastOfSeveralRunsIsLeftAtATurn) {
  const ordered_json trace = TraceOf(
      "scenarios/lock_order/b26_checkpoint_mutex_held_over_a_commit_wait.json", "lock_cycle");
  ASSERT_EQ(trace["runs"].size(), 2u);
  const std::string last = std::to_string(trace["runs"][1]["execution"].get<int>());
  EXPECT_THAT(Replay(trace, {.then = StrategyKind::kTimed, .from = 1}).left,
              ElementsAre("execution " + last + ", after turn 1; from there by timed"));
}

TEST_F(ReplayAnotherWayTest, CannotLeaveBehindTheEnd) {
  const auto result =
      scenario::ReplayTrace(deadlock_, {.then = StrategyKind::kTimed, .from = 1000});
  ASSERT_FALSE(result.ok());
  EXPECT_THAT(std::string(result.status().message()),
              testing::ContainsRegex("^has [0-9]+ turns, and is to be left after 1000$"));
}

}  // namespace
