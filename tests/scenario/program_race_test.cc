// Data races of lock programs, against another definition: a program has a race if and only if, in
// some order of its operations, two threads stand before accesses to one plain variable, one of
// them a store; both, if it may be read without a lock. All orders of small random programs are
// tried.

#include <algorithm>
#include <map>
#include <random>
#include <set>
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

struct Step {
  std::string op;  // lock, unlock, load, store
  std::string on;

  bool IsPlain() const { return on == "x" || on == "y"; }
};
using Thread = std::vector<Step>;

// Sections under A, and accesses to plain x, to y with lockless reads, and to an ordered flag.
Thread RandomThread(std::mt19937& random) {
  Thread thread;
  const auto access = [&] {
    const char* const names[] = {"x", "y", "flag"};
    thread.push_back({random() % 2 == 0 ? "load" : "store", names[random() % 3]});
  };
  for (uint32_t left = 1 + random() % 3; left > 0; --left) {
    const bool locked = random() % 2 == 0;
    if (locked) thread.push_back({"lock", "A"});
    access();
    if (locked) thread.push_back({"unlock", "A"});
  }
  return thread;
}

// Walks all orders; a thread may go unless it wants a lock that is taken.
class Oracle {
 public:
  explicit Oracle(const std::vector<Thread>& threads) : threads_(threads) {
    Walk(std::vector<size_t>(threads.size(), 0), false);
  }
  const std::set<std::string>& racy() const { return racy_; }

 private:
  void Walk(const std::vector<size_t>& at, bool locked) {
    if (!seen_.insert(at).second) return;
    for (size_t i = 0; i < at.size(); ++i) {
      for (size_t j = i + 1; j < at.size(); ++j) Compare(Next(at, i), Next(at, j));
    }
    for (size_t i = 0; i < at.size(); ++i) {
      const Step* const step = Next(at, i);
      if (step == nullptr || (step->op == "lock" && locked)) continue;
      std::vector<size_t> after = at;
      ++after[i];
      Walk(after, step->op == "lock" || (locked && step->op != "unlock"));
    }
  }
  const Step* Next(const std::vector<size_t>& at, size_t i) const {
    return at[i] < threads_[i].size() ? &threads_[i][at[i]] : nullptr;
  }
  void Compare(const Step* one, const Step* other) {
    if (one == nullptr || other == nullptr || one->on != other->on || !one->IsPlain()) return;
    const int stores = (one->op == "store" ? 1 : 0) + (other->op == "store" ? 1 : 0);
    if (stores >= (one->on == "y" ? 2 : 1)) racy_.insert(one->on);
  }

  const std::vector<Thread>& threads_;
  std::set<std::vector<size_t>> seen_;  // where the threads stand says who has the lock
  std::set<std::string> racy_;
};

// Declares the variables that are there.
std::string ScenarioOf(const std::vector<Thread>& threads) {
  std::vector<std::string> texts;
  std::map<std::string, std::string> variables;
  for (const Thread& thread : threads) {
    std::vector<std::string> ops;
    for (const Step& step : thread) {
      if (step.on == "A") {
        ops.push_back(OpText(step.op, "lock", step.on));
        continue;
      }
      const char* const rest = step.op == "load" ? R"("into": "v")" : R"("value": 1)";
      ops.push_back(absl::StrCat(R"({"op": ")", step.op, R"(", "variable": ")", step.on, R"(", )",
                                 rest, "}"));
      const char* const sharing = step.on == "x"   ? R"(, "sharing": "plain")"
                                  : step.on == "y" ? R"(, "sharing": "lockless_reads")"
                                                   : "";
      variables[step.on] = absl::StrCat(R"({"name": ")", step.on, R"(")", sharing, "}");
    }
    texts.push_back(RoutineText(absl::StrCat("t", texts.size()), ops));
  }
  return absl::StrCat(R"({"schema": 1, "name": "p", "program": {
      "locks": [{"name": "A", "kind": "mutex"}],
      "variables": [)",
                      absl::StrJoin(variables, ", ",
                                    [](std::string* out, const auto& variable) {
                                      absl::StrAppend(out, variable.second);
                                    }),
                      R"(]}, "threads": [)", absl::StrJoin(texts, ", "),
                      R"(], "search": {"strategy": "dpor"}, "expect": {"findings": []}})");
}

TEST(ProgramRaceTest, ACompleteSearchFindsTheRacesThatThereAreAndNoOthers) {
  std::mt19937 random(1);
  int racy = 0, free = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<Thread> threads(2 + random() % 2);
    for (Thread& thread : threads) thread = RandomThread(random);
    const std::string text = ScenarioOf(threads);
    const auto parsed = ParseScenario("p", text, {});
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    const ScenarioResult result = RunScenario(*parsed, {}, [](uint64_t, uint64_t) {});
    ASSERT_TRUE(result.complete) << text;
    const Oracle oracle(threads);
    for (const char* name : {"x", "y"}) {
      const bool found =
          std::any_of(result.findings.begin(), result.findings.end(), [&](const auto& finding) {
            return finding.kind == "data_race" &&
                   finding.detail.starts_with(absl::StrCat("  ", name, "\n"));
          });
      ASSERT_EQ(found, oracle.racy().contains(name)) << name << " in " << text;
    }
    ++(oracle.racy().empty() ? free : racy);
  }
  EXPECT_GT(racy, 80);
  EXPECT_GT(free, 80);
}

}  // namespace
}  // namespace scenario
