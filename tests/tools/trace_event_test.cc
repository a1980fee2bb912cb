#include "tools/trace_event.h"

#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/tools/trace_event_check.h"

namespace tools {
namespace {

using sim::LoggedEvent;
using sim::TaskId;
using testing::ElementsAre;
using testing::HasSubstr;

class TraceEventTest : public testing::Test {
 protected:
  LoggedEvent& Add(uint32_t task, uint64_t turn, const char* what, std::string subject,
                   uint64_t id = 1) {
    return runs_.back().log.events.emplace_back(
        LoggedEvent{.turn = turn,
                    .at = static_cast<sim::Nanos>(turn) * 1500,
                    .task = TaskId{task},
                    .actor = task == TaskId::kNone ? "irq" : "task" + std::to_string(task),
                    .what = what,
                    .subject = std::move(subject),
                    .id = id});
  }
  std::string Text() const {
    std::ostringstream out;
    WriteTraceEvents("s", runs_, out);
    return out.str();
  }
  // "B name" and "E" of that track, or of that category, in order.
  std::vector<std::string> Events(const char* key, const nlohmann::json& value) const {
    std::vector<std::string> found;
    const auto json = nlohmann::json::parse(Text());
    for (const auto& event : json["traceEvents"]) {
      if (event["ph"] == "M" || !event.contains(key) || event[key] != value) continue;
      const std::string phase = event["ph"];
      found.push_back(phase == "E" ? phase : phase + " " + event["name"].get<std::string>());
    }
    return found;
  }

  std::vector<scenario::ReplayedRun> runs_{{.execution = 3}};
};

TEST_F(TraceEventTest, LocksAndWaitsAreSpansOfTheTask) {
  Add(0, 1, "lock", "a", 1).shared = true;
  Add(0, 2, "lock", "b", 2);
  Add(0, 2, "park", "b", 2);
  Add(1, 3, "wake", "task0", 0);
  Add(0, 4, "resume", "b", 2);
  Add(0, 5, "unlock", "b", 2).owner = TaskId{0};
  CheckTraceEvents(Text());
  EXPECT_THAT(Events("tid", 1), ElementsAre("B task0", "B a (shared)", "B wait for b", "f wake",
                                            "E", "B b", "E", "E", "E"));
  EXPECT_THAT(Events("tid", 2), ElementsAre("B task1", "s wake", "E"));
}

// Spans of a track must nest: the inner one is cut where the outer one ends.
TEST_F(TraceEventTest, ALockGivenUpBeforeThoseTakenUnderItCutsThem) {
  Add(0, 1, "lock", "a", 1);
  Add(0, 2, "lock", "b", 2);
  Add(0, 3, "unlock", "a", 1).owner = TaskId{0};
  Add(0, 4, "unlock", "b", 2).owner = TaskId{0};
  CheckTraceEvents(Text());
  EXPECT_THAT(Events("tid", 1), ElementsAre("B task0", "B a", "B b", "E", "E", "B b", "E", "E"));
}

TEST_F(TraceEventTest, AnInterruptMayUnlockForATaskThatWaits) {
  Add(0, 1, "lock", "folio", 1);
  Add(0, 2, "park", "event", 2);
  Add(TaskId::kNone, 3, "unlock", "folio", 1).owner = TaskId{0};
  CheckTraceEvents(Text());
  EXPECT_THAT(Events("tid", 1), ElementsAre("B task0", "B folio", "B wait for event", "E", "E",
                                            "B wait for event", "E", "E"));
  EXPECT_THAT(Events("tid", 2), ElementsAre("B interrupt", "E"));
}

TEST_F(TraceEventTest, BiosAndTransactionsAreAsynchronousSpans) {
  Add(0, 1, "transaction", "transaction 7", 7).note = "T_RUNNING";
  Add(0, 2, "submit", "write", 0);
  Add(0, 2, "submit", "write", 1);
  Add(TaskId::kNone, 3, "flushed", "write", 1);
  Add(TaskId::kNone, 4, "complete", "write", 1);
  Add(0, 5, "transaction", "transaction 7", 7).note = "T_LOCKED";
  Add(0, 6, "transaction", "transaction 7", 7).note = "T_FINISHED";
  Add(0, 7, "transaction", "transaction 8", 8).note = "T_RUNNING";
  CheckTraceEvents(Text());
  EXPECT_THAT(Events("cat", "transaction"),
              ElementsAre("b transaction 7", "b T_RUNNING", "e T_RUNNING", "b T_LOCKED",
                          "e T_LOCKED", "b T_FINISHED", "e T_FINISHED", "e transaction 7",
                          "b transaction 8", "b T_RUNNING", "e T_RUNNING", "e transaction 8"));
  EXPECT_THAT(Events("cat", "bio"),
              ElementsAre("b bios", "b bio 0: write", "C bios under way", "b bios",
                          "b bio 1: write", "C bios under way", "n flushed", "e bio 1: write",
                          "e bios", "C bios under way", "e bio 0: write", "e bios"));
  EXPECT_THAT(Events("cat", "flow"), ElementsAre("s bio", "f bio"));
}

TEST_F(TraceEventTest, EachRunIsAProcessWithItsFindings) {
  Add(0, 1, "lock", "a", 1);
  runs_[0].notes = {{1, "deadlock: d"}};
  runs_.push_back({.execution = 4});
  Add(0, 1, "lock", "a", 1);
  CheckTraceEvents(Text());
  EXPECT_THAT(Events("pid", 1), ElementsAre("B task0", "B a", "i deadlock: d", "E", "E"));
  EXPECT_THAT(Events("pid", 2), ElementsAre("B task0", "B a", "E", "E"));
}

// Else most of the picture would be the seconds in which a daemon sleeps.
TEST_F(TraceEventTest, ATurnIsAMicrosecondLongWithItsEventsSpreadOverIt) {
  Add(0, 3, "lock", "a", 1);
  Add(0, 3, "unlock", "a", 1).owner = TaskId{0};
  Add(0, 9, "park", "event", 2).at = 5'000'000'000;
  EXPECT_THAT(Text(), HasSubstr(R"({"name":"a","cat":"lock","ph":"B","ts":3.0,)"));
  EXPECT_THAT(Text(), HasSubstr(R"({"ph":"E","ts":3.5,)"));
  EXPECT_THAT(Text(), HasSubstr(R"("ph":"B","ts":9.0,"pid":1,"tid":1,)"
                                R"("args":{"turn":9,"time_ns":5000000000}})"));
  EXPECT_THAT(Text(), HasSubstr(R"({"ph":"E","ts":10.0,)"));
}

TEST_F(TraceEventTest, AnInterruptTakesItsTurn) {
  Add(TaskId::kNone, 3, "wake", "task", 1);
  EXPECT_THAT(Text(), HasSubstr(R"({"name":"interrupt","cat":"interrupt","ph":"B","ts":3.0,)"));
  EXPECT_THAT(Text(), HasSubstr(R"({"ph":"E","ts":4.0,)"));
}

}  // namespace
}  // namespace tools
