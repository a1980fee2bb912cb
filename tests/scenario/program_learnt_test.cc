// Waits that nobody is declared to end, learnt from executions of lock programs: of random programs
// in which threads and work items signal one event, whoever waits for it waits for the locks that
// each of them takes before, by its text.

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

const std::vector<std::string> kLocks = {"A", "B"};

struct Program {
  std::string text;
  std::vector<std::string> always_before;  // locks that every signaller takes before it signals
};

class Generator {
 public:
  explicit Generator(uint32_t seed) : random_(seed) {}

  Program Next() {
    before_ = kLocks;
    std::vector<std::string> threads, works;
    for (const std::string& lock : kLocks) {
      threads.push_back(RoutineText(absl::StrCat("waiter_", lock),
                                    {OpText("lock", "lock", lock), OpText("wait", "event", "E"),
                                     OpText("unlock", "lock", lock)}));
    }
    std::vector<std::string> submits;
    for (const char* const name : {"first", "second"}) {
      if (random_() % 2 == 0) {
        threads.push_back(RoutineText(absl::StrCat("t_", name), Signaller()));
      } else {
        works.push_back(RoutineText(name, Signaller()));
        submits.push_back(QueueText(name));
      }
    }
    if (!submits.empty()) threads.push_back(RoutineText("submitter", submits));
    return {absl::StrCat(R"({"schema": 1, "name": "p", "program": {
        "locks": [{"name": "A", "kind": "mutex"}, {"name": "B", "kind": "mutex"}],
        "events": [{"name": "E"}], "queues": [{"name": "wq"}], "works": [)",
                         absl::StrJoin(works, ", "), R"(]}, "threads": [)",
                         absl::StrJoin(threads, ", "),
                         R"(], "search": {"strategy": "dpor"}, "expect": {"findings": []}})"),
            before_};
  }

 private:
  // Takes locks, signals, and takes others.
  std::vector<std::string> Signaller() {
    std::vector<std::string> ops, after;
    for (const std::string& lock : kLocks) {
      const bool is_before = random_() % 3 != 0;
      std::vector<std::string>& part = is_before ? ops : after;
      part.push_back(OpText("lock", "lock", lock));
      part.push_back(OpText("unlock", "lock", lock));
      if (!is_before) std::erase(before_, lock);
    }
    ops.push_back(OpText("signal", "event", "E"));
    ops.insert(ops.end(), after.begin(), after.end());
    return ops;
  }

  std::mt19937 random_;
  std::vector<std::string> before_;
};

TEST(ProgramLearntTest, WaitersWaitForTheLocksThatEverySignallerTakesBefore) {
  Generator generator(1);
  size_t learnt = 0, not_learnt = 0;
  for (int round = 0; round < 15; ++round) {
    const Program program = generator.Next();
    const auto parsed = ParseScenario("p", program.text, {});
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    const ScenarioResult result = RunScenario(*parsed, {}, [](uint64_t, uint64_t) {});
    ASSERT_TRUE(result.complete) << program.text;
    std::vector<std::string> found;
    for (const std::string& lock : kLocks) {
      const std::string cycle = absl::StrCat(": ", lock, " --> E --> ", lock);
      const bool reported = std::any_of(
          result.findings.begin(), result.findings.end(),
          [&](const FoundFinding& finding) { return finding.message.ends_with(cycle); });
      if (reported) found.push_back(lock);
    }
    ASSERT_EQ(found, program.always_before) << program.text;
    learnt += found.size();
    not_learnt += kLocks.size() - found.size();
  }
  EXPECT_GT(learnt, 5u);
  EXPECT_GT(not_learnt, 5u);
}

}  // namespace
}  // namespace scenario
