// Lock programs: what is wrong with one is said with its place, and what one does is what it says.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "model/scenario/parse.h"
#include "model/scenario/runner.h"
#include "model/scenario/writer.h"
#include "nlohmann/json.hpp"

namespace scenario {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr char kWorld[] = R"({
  "locks": [{"name": "A", "kind": "mutex"}, {"name": "B", "kind": "mutex"},
            {"name": "gate", "kind": "mutex", "unique": true}, {"name": "sem", "kind": "rwsem"}, {"name": "spin", "kind": "spinlock"},
            {"name": "folio", "kind": "folio", "count": 2, "ordered": true}],
  "events": [{"name": "done"}, {"name": "tokens", "counting": true}],
  "variables": [{"name": "x"}, {"name": "slots", "count": 4, "initial": 7}],
  "queues": [{"name": "wq"}],
  "works": [{"name": "item", "ops": [{"op": "add", "variable": "x", "value": 1}]}]})";

// Threads as "name: operations", without brackets.
std::string Program(const std::vector<std::string>& threads, int executions = 64) {
  std::string text;
  for (size_t i = 0; i < threads.size(); ++i) {
    text +=
        absl::StrCat(i == 0 ? "" : ", ", "{\"name\": \"t", i, "\", \"ops\": [", threads[i], "]}");
  }
  return absl::StrCat("{\"schema\": 1, \"name\": \"p\", \"program\": ", kWorld, ",\n\"threads\": [",
                      text,
                      "], \"search\": {\"strategy\": \"random\", \"executions\": ", executions,
                      "}, \"expect\": {\"findings\": []}}");
}

std::string Do(const std::string& op, const std::string& more = "") {
  return absl::StrCat("{\"op\": \"", op, "\"", more.empty() ? "" : ", ", more, "}");
}
std::string On(const std::string& op, const std::string& lock) {
  return Do(op, absl::StrCat("\"lock\": \"", lock, "\""));
}
std::string Store(const std::string& variable, const std::string& value) {
  return Do("store", absl::StrCat("\"variable\": \"", variable, "\", \"value\": ", value));
}
std::string Expect(const std::string& variable, const std::string& condition) {
  return absl::StrCat(Do("load", absl::StrCat("\"variable\": \"", variable, "\", \"into\": \"v\"")),
                      ", ", Do("assert", absl::StrCat("\"condition\": \"", condition, "\"")));
}
std::string Seq(const std::vector<std::string>& ops) {
  std::string text;
  for (const std::string& op : ops) text += (text.empty() ? "" : ", ") + op;
  return text;
}

class ProgramTest : public testing::Test {
 protected:
  // "kind: message", as found.
  static std::vector<std::string> FoundIn(const std::string& text) {
    const auto parsed = ParseScenario("p", text, {});
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    if (!parsed.ok()) return {};
    const ScenarioResult result = RunScenario(*parsed, {}, [](uint64_t, uint64_t) {});
    std::vector<std::string> found;
    for (const FoundFinding& finding : result.findings) {
      found.push_back(finding.kind + ": " + finding.message);
    }
    return found;
  }
  static std::vector<std::string> Found(const std::vector<std::string>& threads) {
    return FoundIn(Program(threads));
  }
  static std::string Error(const std::vector<std::string>& threads) {
    return std::string(ParseScenario("p", Program(threads), {}).status().message());
  }
};

TEST_F(ProgramTest, SaysWhichNameIsNotDeclared) {
  EXPECT_THAT(
      Error({On("lock", "sen")}),
      HasSubstr("/threads/0/ops/0/lock: no such lock in \"program\"; did you mean \"sem\"?"));
  EXPECT_THAT(Error({Do("wait", "\"event\": \"x\"")}),
              HasSubstr("/threads/0/ops/0/event: no such"));
  EXPECT_THAT(Error({Do("flush", "\"queue\": \"w\"")}),
              HasSubstr("/threads/0/ops/0/queue: no such"));
}

TEST_F(ProgramTest, SaysWhichBlockDoesNotMatch) {
  EXPECT_THAT(Error({Do("end")}), HasSubstr("/threads/0/ops/0: \"end\" without a block"));
  EXPECT_THAT(Error({Do("else")}), HasSubstr("/threads/0/ops/0: \"else\" without an \"if\""));
  EXPECT_THAT(Error({Do("repeat", "\"times\": 2")}),
              HasSubstr("/threads/0/ops/0: want an \"end\" for this block"));
  EXPECT_THAT(Error({Seq({Do("if", "\"condition\": 1"), Do("else"), Do("else"), Do("end")})}),
              HasSubstr("/threads/0/ops/2: \"else\" without an \"if\""));
}

TEST_F(ProgramTest, SaysWhatDoesNotGoTogether) {
  EXPECT_THAT(Error({On("downgrade", "A")}), HasSubstr("want a lock with readers"));
  EXPECT_THAT(Error({On("lock", "folio")}), HasSubstr("want an element, \"folio[expression]\""));
  EXPECT_THAT(Error({On("lock", "A[0]")}), HasSubstr("\"A\" is no array"));
  EXPECT_THAT(Error({On("lock", "folio[0")}), HasSubstr("want a \"]\" at the end"));
  EXPECT_THAT(Error({On("lock", "folio[i]")}), HasSubstr("no register \"i\" is set before"));
  EXPECT_THAT(Error({Do("write", "\"file\": \"f\"")}), HasSubstr("/threads/0/ops/0/op"));
}

TEST_F(ProgramTest, OnlyAtomicVariablesAreChangedInOneGo) {
  const auto complaint = [](const std::string& sharing, const std::string& op) {
    const std::string program = absl::StrCat(
        R"({"schema": 1, "name": "p", "program": {"variables": [{"name": "x", "sharing": ")",
        sharing, R"("}]}, "threads": [{"name": "t", "ops": [)", op,
        R"(]}], "expect": {"findings": []}})");
    return std::string(ParseScenario("p", program, {}).status().message());
  };
  const std::string add = Do("add", R"("variable": "x", "value": 1)");
  EXPECT_EQ(complaint("atomic", add), "");
  EXPECT_EQ(complaint("plain", Store("x", "1")), "");
  EXPECT_THAT(complaint("plain", add),
              HasSubstr("/threads/0/ops/0/variable: want one that is \"atomic\" or \"ordered\""));
  EXPECT_THAT(complaint("lockless_reads", Do("cas", R"("variable": "x", "old": 0, "value": 1)")),
              HasSubstr("/threads/0/ops/0/variable: want one"));
  EXPECT_THAT(complaint("racy", add), HasSubstr("/program/variables/0/sharing"));
}

TEST_F(ProgramTest, AUniqueLockIsTheOnlyOneOfItsClass) {
  const auto complaint = [](const std::string& locks) {
    const std::string program = absl::StrCat(
        "{\"schema\": 1, \"name\": \"p\", \"program\": {\"locks\": [", locks,
        "], \"events\": [{\"name\": \"done\"}]}, \"threads\": [{\"name\": \"t\", \"ops\": [",
        On("lock", "gate"), "]}], \"expect\": {\"findings\": []}}");
    return std::string(ParseScenario("p", program, {}).status().message());
  };
  const std::string gate = R"({"name": "gate", "kind": "mutex", "unique": true})";
  EXPECT_EQ(complaint(gate), "");
  EXPECT_THAT(complaint(gate + R"(, {"name": "other", "kind": "mutex", "class": "gate"})"),
              HasSubstr("/program/locks/0/unique: want the only lock of class \"gate\""));
  EXPECT_THAT(complaint(R"({"name": "gate", "kind": "mutex", "class": "done", "unique": true})"),
              HasSubstr("/program/locks/0/unique: want the only lock of class \"done\""));
  EXPECT_THAT(complaint(R"({"name": "gate", "kind": "folio", "unique": true})"),
              HasSubstr("and one that its taker gives back"));
}

TEST_F(ProgramTest, AUniqueOuterLockGuards) {
  const std::string there = Seq({On("lock", "gate"), On("lock", "A"), On("lock", "B"),
                                 On("unlock", "B"), On("unlock", "A"), On("unlock", "gate")});
  const std::string back = Seq({On("lock", "gate"), On("lock", "B"), On("lock", "A"),
                                On("unlock", "A"), On("unlock", "B"), On("unlock", "gate")});
  EXPECT_THAT(Found({there, back}), IsEmpty());
}

TEST_F(ProgramTest, AProgramComesBackFromItsOwnJson) {
  const auto parsed = ParseScenario("p", Program({Seq({On("trylock", "A"), Do("end")})}), {});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const auto again = ParseScenario("again", ToJson(*parsed).dump(), {});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(ToJson(*again), ToJson(*parsed));
  EXPECT_FALSE(ToJson(*parsed).contains("fs"));
}

TEST_F(ProgramTest, ATrylockTakesItsBlockOnlyWhenItGetsTheLock) {
  const std::string got = Seq({On("trylock", "A"), Store("x", "1"), Do("else"), Store("x", "2"),
                               Do("end"), Expect("x", "v == 1")});
  EXPECT_THAT(Found({Seq({got, On("unlock", "A")})}), IsEmpty());
  const std::string held =
      Seq({On("lock", "A"), On("trylock", "A"), Store("x", "1"), Do("else"), Store("x", "2"),
           Do("end"), Expect("x", "v == 2"), On("unlock", "A")});
  EXPECT_THAT(Found({held}), IsEmpty());
}

TEST_F(ProgramTest, LoopsEndWithTheirConditionOrTheirBound) {
  const std::string add = Do("add", "\"variable\": \"x\", \"value\": 1, \"into\": \"before\"");
  EXPECT_THAT(Found({Seq({Do("repeat", "\"times\": 3"), Do("repeat", "\"times\": 4"), add,
                          Do("end"), Do("end"), Expect("x", "v == 12")})}),
              IsEmpty());
  EXPECT_THAT(Found({Seq({Do("let", "\"into\": \"before\", \"value\": 0"),
                          Do("while", "\"condition\": \"before < 5\", \"times\": 100"), add,
                          Do("end"), Expect("x", "v == 6")})}),
              IsEmpty());
  EXPECT_THAT(Found({Seq({Do("while", "\"condition\": 1, \"times\": 7"), add, Do("end"),
                          Expect("x", "v == 7")})}),
              IsEmpty());
}

TEST_F(ProgramTest, CompareAndSwapWritesOnlyOverTheOldValue) {
  const std::string cas =
      Do("cas", "\"variable\": \"slots[me]\", \"old\": 7, \"value\": 8, \"into\": \"was\"");
  EXPECT_THAT(Found({Seq({cas, Do("assert", "\"condition\": \"was == 7\""), cas,
                          Do("assert", "\"condition\": \"was == 8\""), Expect("slots[0]", "v == 8"),
                          Expect("slots[1]", "v == 7")})}),
              IsEmpty());
}

TEST_F(ProgramTest, AFailedAssertionIsAFinding) {
  EXPECT_THAT(Found({Expect("x", "v == 1")}),
              ElementsAre("invariant: t0: assertion failed: v == 1"));
}

TEST_F(ProgramTest, AnIndexBeyondItsArrayIsAFinding) {
  EXPECT_THAT(Found({Store("slots[me + 4]", "1")}),
              ElementsAre("invariant: t0: index 4 of an array of 4"));
}

TEST_F(ProgramTest, UnprotectedIncrementsGetLost) {
  const std::string increment =
      Seq({Do("load", "\"variable\": \"x\", \"into\": \"v\""), Store("x", "\"v + 1\"")});
  const std::string check =
      Seq({Do("wait_until", "\"variable\": \"slots[0]\", \"value\": 9"), Expect("x", "v == 2")});
  const std::string ready = Do("add", "\"variable\": \"slots[0]\", \"value\": 1");
  EXPECT_THAT(Found({Seq({increment, ready}), Seq({increment, ready}), check}),
              ElementsAre("invariant: t2: assertion failed: v == 2"));
  const std::string locked = Seq({On("lock", "A"), increment, On("unlock", "A"), ready});
  EXPECT_THAT(Found({locked, locked, check}), IsEmpty());
}

TEST_F(ProgramTest, ACountingEventLetsOneWaitPass) {
  const std::string wait = Do("wait", "\"event\": \"tokens\"");
  const std::string signal = Do("signal", "\"event\": \"tokens\"");
  EXPECT_THAT(Found({Seq({wait, wait}), Seq({signal, signal})}), IsEmpty());
  EXPECT_THAT(Found({Seq({wait, wait}), signal}), ElementsAre(HasSubstr("deadlock: ")));
}

TEST_F(ProgramTest, AnIoCompletesByItself) {
  const std::string io = R"("event": "done", "latency_ns": [10, 20])";
  EXPECT_THAT(Found({Seq({Do("submit", io), Do("wait", "\"event\": \"done\"")})}), IsEmpty());
}

TEST_F(ProgramTest, FlushingAQueueWaitsForItsItems) {
  const std::string queue = Do("queue", R"("queue": "wq", "work": "item")");
  EXPECT_THAT(Found({Seq({queue, queue, Do("flush", "\"queue\": \"wq\""), Expect("x", "v == 2")})}),
              IsEmpty());
}

TEST_F(ProgramTest, TheOrderIsCheckedWithoutADeadlock) {
  const std::string there =
      Seq({On("lock", "A"), On("lock", "B"), On("unlock", "B"), On("unlock", "A")});
  const std::string back =
      Seq({On("lock", "B"), On("lock", "A"), On("unlock", "A"), On("unlock", "B")});
  EXPECT_THAT(Found({Seq({there, back})}),
              ElementsAre("lock_cycle: WARNING: possible circular locking dependency detected: "
                          "A --> B --> A"));
}

TEST_F(ProgramTest, WhoWaitsForAnEventWaitsForItsOnlySignaller) {
  const std::string waits =
      Seq({On("lock", "A"), Do("wait", "\"event\": \"done\""), On("unlock", "A")});
  const std::string signals =
      Seq({On("lock", "A"), On("unlock", "A"), Do("signal", "\"event\": \"done\"")});
  EXPECT_THAT(Found({waits, signals}),
              UnorderedElementsAre(HasSubstr("lock_cycle: "), HasSubstr("deadlock: ")));
}

TEST_F(ProgramTest, ALoopThatNeverGetsAnywhereIsAFinding) {
  const std::string loop = Do("repeat", "\"times\": 1000000");
  EXPECT_THAT(FoundIn(Program({Seq({loop, loop, Do("end"), Do("end")})}, 1)),
              ElementsAre("starvation: t0: loops without a choice point"));
}

TEST_F(ProgramTest, FoliosNestInAscendingOrderOnly) {
  const auto both = [](const std::string& first, const std::string& second) {
    return Seq({On("lock", first), On("lock", second), On("unlock", second), On("unlock", first)});
  };
  EXPECT_THAT(Found({both("folio[0]", "folio[1]")}), IsEmpty());
  EXPECT_THAT(Found({both("folio[1]", "folio[0]")}), ElementsAre(HasSubstr("recursive_lock: ")));
}

TEST_F(ProgramTest, TimesOfLocksAreMeasuredInAllExecutionsIfAskedFor) {
  const auto parsed = ParseScenario(
      "p", Program({Seq({On("lock", "A"), On("unlock", "A"), On("lock", "A"), On("unlock", "A")})}),
      {});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const ScenarioResult measured =
      RunScenario(*parsed, {.jobs = 2, .lock_stat = true}, [](uint64_t, uint64_t) {});
  EXPECT_EQ(measured.lock_stat.classes().at("A").holds[0].count, 128u);  // 64 executions
  const ScenarioResult plain = RunScenario(*parsed, {}, [](uint64_t, uint64_t) {});
  EXPECT_TRUE(plain.lock_stat.classes().empty());
  EXPECT_EQ(measured.digest, plain.digest);
}

TEST_F(ProgramTest, EveryTraceOfAProgramReplays) {
  const auto parsed = ParseScenario(
      "p",
      Program({Seq({On("lock", "A"), On("lock", "B"), On("unlock", "B"), On("unlock", "A")}),
               Seq({On("lock", "B"), On("lock", "A"), On("unlock", "A"), On("unlock", "B")})}),
      {});
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const ScenarioResult result = RunScenario(*parsed, {}, [](uint64_t, uint64_t) {});
  EXPECT_EQ(result.findings.size(), 2u);
  for (const FoundFinding& finding : result.findings) {
    const auto replayed = ReplayTrace(finding.trace);
    ASSERT_TRUE(replayed.ok()) << replayed.status();
    EXPECT_TRUE(replayed->matches) << replayed->why_not;
  }
}

}  // namespace
}  // namespace scenario
