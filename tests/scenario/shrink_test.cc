// A shrunk trace has the same finding, replays, and has nothing in it that could be left out.

#include "model/scenario/shrink.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "model/scenario/model_policies.h"
#include "model/scenario/parse.h"
#include "model/scenario/runner.h"
#include "model/scenario/trace_file.h"

namespace scenario {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// A deadlock of A and B, and much beside it.
constexpr char kTwoOrders[] = R"({"schema": 1, "name": "two_orders",
  "program": {"locks": [{"name": "A"}, {"name": "B"}, {"name": "C"}], "variables": [{"name": "x"}]},
  "threads": [
    {"name": "bystander", "ops": [{"op": "lock", "lock": "C"}, {"op": "unlock", "lock": "C"}]},
    {"name": "one", "ops": [
      {"op": "store", "variable": "x", "value": 1}, {"op": "lock", "lock": "C"},
      {"op": "lock", "lock": "A"}, {"op": "lock", "lock": "B"},
      {"op": "unlock", "lock": "B"}, {"op": "unlock", "lock": "A"}, {"op": "unlock", "lock": "C"},
      {"op": "add", "variable": "x", "value": 1}]},
    {"name": "other", "ops": [
      {"op": "add", "variable": "x", "value": 1}, {"op": "lock", "lock": "B"},
      {"op": "lock", "lock": "A"}, {"op": "unlock", "lock": "A"}, {"op": "unlock", "lock": "B"}]}],
  "search": {"strategy": "random", "executions": 256},
  "expect": {"findings": []}})";

// Size on disk before the data, and much beside it.
constexpr char kSizeTooEarly[] = R"({"schema": 1, "name": "size_too_early",
  "fs": {"buffered_iomap": true}, "files": [{"name": "a", "size_bytes": 9000}, {"name": "b"}],
  "threads": [
    {"name": "writer", "repeat": 2, "ops": [
      {"op": "write", "file": "b", "pos_bytes": 0, "len_bytes": 8192},
      {"op": "write", "file": "a", "pos_bytes": 4096, "len_bytes": 20480, "returns": 20480},
      {"op": "writeback", "file": "a"}, {"op": "fsync", "file": "a"}]},
    {"name": "reader", "ops": [{"op": "read", "file": "b", "pos_bytes": 0, "len_bytes": 4096}]}],
  "policy": {"disksize_at_submit": true},
  "search": {"strategy": "random", "executions": 100},
  "expect": {"findings": []}})";

// An execution shows one of two orders, never both.
constexpr char kEitherOrder[] = R"({"schema": 1, "name": "either_order",
  "program": {"locks": [{"name": "A"}, {"name": "B"}], "variables": [{"name": "x"}]},
  "threads": [
    {"name": "one", "ops": [
      {"op": "load", "variable": "x", "into": "v"},
      {"op": "if", "condition": "v == 0"},
      {"op": "lock", "lock": "A"}, {"op": "lock", "lock": "B"},
      {"op": "unlock", "lock": "B"}, {"op": "unlock", "lock": "A"},
      {"op": "else"},
      {"op": "lock", "lock": "B"}, {"op": "lock", "lock": "A"},
      {"op": "unlock", "lock": "A"}, {"op": "unlock", "lock": "B"},
      {"op": "end"}]},
    {"name": "other", "ops": [{"op": "store", "variable": "x", "value": 1}]}],
  "search": {"strategy": "random", "executions": 256},
  "expect": {"findings": []}})";

class ShrinkTest : public testing::Test {
 protected:
  static Scenario Parsed(const std::string& text) {
    auto scenario = ParseScenario("test.json", text, ModelPolicies());
    EXPECT_TRUE(scenario.ok()) << scenario.status();
    return scenario.ok() ? *std::move(scenario) : Scenario{};
  }

  static std::set<std::string> KindsOf(const Scenario& scenario) {
    std::set<std::string> kinds;
    const auto result = RunScenario(scenario, {.confirms = false}, [](uint64_t, uint64_t) {});
    for (const FoundFinding& finding : result.findings) kinds.insert(finding.kind);
    return kinds;
  }

  // The trace of the first finding of that kind.
  static nlohmann::ordered_json TraceOf(const std::string& text, const std::string& kind) {
    const auto result = RunScenario(Parsed(text), {.confirms = false}, [](uint64_t, uint64_t) {});
    for (const FoundFinding& finding : result.findings) {
      if (finding.kind == kind) return finding.trace;
    }
    ADD_FAILURE() << "no " << kind;
    return {};
  }

  static ShrinkResult ShrinkWith(const std::string& text, const std::string& kind, int jobs) {
    auto shrunk = ShrinkTrace(TraceOf(text, kind), jobs);
    EXPECT_TRUE(shrunk.ok()) << shrunk.status();
    return shrunk.ok() ? *std::move(shrunk) : ShrinkResult{};
  }
  // Each is done once for all tests.
  static const ShrinkResult& Shrink(const std::string& text, const std::string& kind) {
    static std::map<std::pair<std::string, std::string>, ShrinkResult> done;
    const auto [it, is_new] = done.try_emplace({text, kind});
    if (is_new) it->second = ShrinkWith(text, kind, 1);
    return it->second;
  }

  static Scenario ScenarioOf(const ShrinkResult& shrunk) {
    auto trace = ReadTrace(shrunk.trace);
    EXPECT_TRUE(trace.ok()) << trace.status();
    return trace.ok() ? trace->scenario : Scenario{};
  }

  static std::vector<std::string> OpsOf(const Scenario& scenario, size_t thread) {
    std::vector<std::string> ops;
    for (const Op& op : scenario.threads.at(thread).ops) {
      ops.push_back(std::string(kOpKindNames[static_cast<size_t>(op.kind)]) + " " +
                    (op.on.lock.empty() ? op.file : op.on.lock));
    }
    return ops;
  }
};

TEST_F(ShrinkTest, OnlyTheLocksOfADeadlockAreLeft) {
  const ShrinkResult shrunk = Shrink(kTwoOrders, "deadlock");
  const Scenario scenario = ScenarioOf(shrunk);
  ASSERT_THAT(scenario.threads, SizeIs(2));
  EXPECT_THAT(OpsOf(scenario, 0), ElementsAre("lock A", "lock B", "unlock B", "unlock A"));
  EXPECT_THAT(OpsOf(scenario, 1), ElementsAre("lock B", "lock A", "unlock A", "unlock B"));
  EXPECT_THAT(scenario.program->locks, SizeIs(2));
  EXPECT_THAT(scenario.program->variables, IsEmpty());
  EXPECT_EQ(shrunk.after.operations, 8u);
  EXPECT_EQ(shrunk.after.threads, 2u);
}

// The one takes A, the other B and waits for A, the one waits for B: no way has fewer switches.
TEST_F(ShrinkTest, TheWayToADeadlockHasTheFewestSwitches) {
  EXPECT_EQ(Shrink(kTwoOrders, "deadlock").after.switches, 2u);
}

// With any one of them left out, no execution shows the deadlock, or something else is wrong.
TEST_F(ShrinkTest, NoOperationThatIsLeftCanBeLeftOut) {
  const Scenario shrunk = ScenarioOf(Shrink(kTwoOrders, "deadlock"));
  for (size_t thread = 0; thread < shrunk.threads.size(); ++thread) {
    for (size_t op = 0; op < shrunk.threads[thread].ops.size(); ++op) {
      Scenario smaller = shrunk;
      smaller.threads[thread].ops.erase(smaller.threads[thread].ops.begin() +
                                        static_cast<ptrdiff_t>(op));
      smaller.search = {.strategy = StrategyKind::kDpor};
      const std::set<std::string> kinds = KindsOf(smaller);
      EXPECT_TRUE(!kinds.contains("deadlock") || kinds.contains("lock_misuse"))
          << thread << " " << op;
    }
  }
}

TEST_F(ShrinkTest, ACrashTakesTheFewestOperationsAndBytes) {
  const ShrinkResult shrunk = Shrink(kSizeTooEarly, "lost_data");
  const Scenario scenario = ScenarioOf(shrunk);
  ASSERT_THAT(scenario.threads, SizeIs(1));
  EXPECT_THAT(OpsOf(scenario, 0), ElementsAre("write a", "writeback a"));
  EXPECT_EQ(scenario.threads[0].repeat, 1);
  EXPECT_LT(shrunk.after.bytes, 4096);
  EXPECT_LT(shrunk.after.switches, shrunk.before.switches);
  EXPECT_THAT(scenario.policy, SizeIs(1));
  EXPECT_THAT(shrunk.detail, HasSubstr("there: bio "));
  EXPECT_THAT(shrunk.detail, HasSubstr("rule:  a committed size covers appended bytes only once"));
}

TEST_F(ShrinkTest, AShrunkTraceReplays) {
  for (const auto& [text, kind] : {std::pair(kTwoOrders, "deadlock"),
                                   {kTwoOrders, "lock_cycle"},
                                   {kSizeTooEarly, "lost_data"}}) {
    SCOPED_TRACE(kind);
    const auto replayed = ReplayTrace(Shrink(text, kind).trace);
    ASSERT_TRUE(replayed.ok()) << replayed.status();
    EXPECT_TRUE(replayed->matches) << replayed->why_not;
    EXPECT_EQ(replayed->expected_kind, kind);
  }
}

// A shrunk trace holds its scenario, whose own search finds the same.
TEST_F(ShrinkTest, TheSmallScenarioShowsTheFindingByItself) {
  EXPECT_THAT(KindsOf(ScenarioOf(Shrink(kSizeTooEarly, "lost_data"))), Contains("lost_data"));
}

TEST_F(ShrinkTest, IsTheSameForAnyNumberOfThreads) {
  EXPECT_EQ(ShrinkWith(kTwoOrders, "deadlock", 3).trace, Shrink(kTwoOrders, "deadlock").trace);
  EXPECT_EQ(ShrinkWith(kSizeTooEarly, "lost_data", 3).trace,
            Shrink(kSizeTooEarly, "lost_data").trace);
}

TEST_F(ShrinkTest, WhatIsSmallStaysAsItIs) {
  const ShrinkResult once = Shrink(kTwoOrders, "deadlock");
  const auto again = ShrinkTrace(once.trace, 1);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->before, again->after);
  EXPECT_EQ(again->trace["scenario"]["threads"], once.trace["scenario"]["threads"]);
}

TEST_F(ShrinkTest, AFindingThatDoesNotComeAgainIsNotShrunk) {
  auto trace = TraceOf(kSizeTooEarly, "lost_data");
  trace["scenario"]["policy"]["disksize_at_submit"] = false;
  const auto shrunk = ShrinkTrace(trace, 1);
  EXPECT_EQ(shrunk.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(shrunk.status().message()), HasSubstr("does not come again"));
}

// The same of one that is seen in several executions together.
TEST_F(ShrinkTest, ACycleThatDoesNotComeAgainIsNotShrunk) {
  auto trace = TraceOf(kEitherOrder, "lock_cycle");
  ASSERT_EQ(trace["runs"].size(), 2u);
  EXPECT_TRUE(ShrinkTrace(trace, 1).ok());
  trace["scenario"]["threads"].erase(1);
  EXPECT_EQ(ShrinkTrace(trace, 1).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(ShrinkTest, WhatIsNoFindingIsRefused) {
  EXPECT_EQ(ShrinkTrace({{"x", 1}}, 1).status().code(), absl::StatusCode::kInvalidArgument);
  auto trace = TraceOf(kSizeTooEarly, "lost_data");
  trace["finding"] = {{"kind", ""}, {"message", ""}};
  EXPECT_THAT(std::string(ShrinkTrace(trace, 1).status().message()), HasSubstr("a recording"));
}

}  // namespace
}  // namespace scenario
