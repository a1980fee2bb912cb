// Slots of workqueues as dependencies, against all executions: of random programs in which items
// and threads wait for each other, exactly those are reported that can deadlock.

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "model/scenario/parse.h"
#include "model/scenario/runner.h"
#include "tests/scenario/program_text.h"

namespace scenario {
namespace {

// What may come before: a lock around something, or a wait.
std::vector<std::string> RandomWaits(std::mt19937& random, bool in_item) {
  const std::string lock = random() % 2 == 0 ? "A" : "B";
  const std::string event = random() % 2 == 0 ? "first_done" : "second_done";
  switch (random() % (in_item ? 4 : 2)) {
    case 0:
      return {OpText("lock", "lock", lock), OpText("wait", "event", event),
              OpText("unlock", "lock", lock)};
    case 1:
      return {OpText("lock", "lock", lock), OpText("unlock", "lock", lock)};
    default:
      return {};
  }
}

// Each item is queued once, before its submitter waits for anything, and signals its own event.
std::string RandomProgram(std::mt19937& random) {
  std::vector<std::string> works, threads;
  for (const char* const name : {"first", "second"}) {
    std::vector<std::string> ops = RandomWaits(random, true);
    std::erase(ops, OpText("wait", "event", absl::StrCat(name, "_done")));
    ops.push_back(OpText("signal", "event", absl::StrCat(name, "_done")));
    works.push_back(RoutineText(name, ops));
    ops = RandomWaits(random, false);
    ops.insert(ops.begin(), QueueText(name));
    threads.push_back(RoutineText(absl::StrCat("t_", name), ops));
  }
  return absl::StrCat(R"({"schema": 1, "name": "p", "program": {
      "locks": [{"name": "A", "kind": "mutex"}, {"name": "B", "kind": "mutex"}],
      "events": [{"name": "first_done"}, {"name": "second_done"}],
      "queues": [{"name": "wq"}],
      "works": [)",
                      absl::StrJoin(works, ", "), R"(]}, "threads": [)",
                      absl::StrJoin(threads, ", "),
                      R"(], "search": {"strategy": "dpor"}, "expect": {"findings": []}})");
}

TEST(ProgramSlotTest, ThoseProgramsAreReportedThatCanDeadlock) {
  std::mt19937 random(1);
  int deadlocks = 0, excluded = 0;
  for (int round = 0; round < 100; ++round) {
    const std::string text = RandomProgram(random);
    const auto parsed = ParseScenario("p", text, {});
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    const ScenarioResult result = RunScenario(*parsed, {}, [](uint64_t, uint64_t) {});
    ASSERT_TRUE(result.complete) << text;
    const auto found = [&](const char* kind) {
      return std::any_of(result.findings.begin(), result.findings.end(),
                         [&](const FoundFinding& finding) { return finding.kind == kind; });
    };
    ASSERT_EQ(found("lock_cycle") || found("recursive_lock"), found("deadlock")) << text;
    deadlocks += found("deadlock") ? 1 : 0;
    excluded += result.excluded_cycles.empty() ? 0 : 1;
  }
  EXPECT_GT(deadlocks, 25);
  EXPECT_GT(excluded, 2);
}

}  // namespace
}  // namespace scenario
