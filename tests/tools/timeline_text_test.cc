#include "tools/timeline_text.h"

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"

namespace tools {
namespace {

using scenario::ReplayedRun;
using sim::LoggedEvent;
using sim::TaskId;
using testing::HasSubstr;

class TimelineTextTest : public testing::Test {
 protected:
  // By task `number`, in function "f" at `turn`.
  LoggedEvent& Add(uint32_t number, uint64_t turn, const char* what, std::string subject = "",
                   uint64_t id = 1) {
    return run_.log.events.emplace_back(
        LoggedEvent{.turn = turn,
                    .at = static_cast<sim::Nanos>(turn) * 1'000'000'007,
                    .task = TaskId{number},
                    .actor = "task" + std::to_string(number),
                    .frame = "f",
                    .what = what,
                    .subject = std::move(subject),
                    .id = id});
  }
  std::string Text() const {
    std::ostringstream out;
    WriteTimeline(run_, out);
    return out.str();
  }

  ReplayedRun run_ = {.execution = 3, .seed = 8};
};

TEST_F(TimelineTextTest, OneLinePerEventInColumns) {
  Add(1, 1, "call", "write a [0, 4096)").frame = "";
  Add(1, 1, "lock", "&x->outer", 1).shared = true;
  Add(1, 2, "lock", "&x->inner", 2);
  Add(1, 2, "park", "&x->inner", 2).note = "task2";
  Add(2, 3, "start_handle", "transaction 7", 7);
  Add(2, 3, "submit", "flush", 0);
  Add(2, 3, "unlock", "&x->inner", 2).owner = TaskId{2};
  Add(2, 3, "wake", "task1", 1);
  Add(1, 4, "resume", "&x->inner", 2);
  Add(1, 4, "owe", "done", 3);
  Add(1, 4, "unlock", "done", 3).owner = TaskId{1};
  run_.notes = {{2, "deadlock: or nearly"}, {9, "lock_cycle: a --> b"}};
  EXPECT_EQ(Text(),
            R"(execution 3, seed 8: 11 events
locks held: (shared), owed..., " those above; before the operation, if it takes one
turn time         task  tid bios frame                   operation                  locks held
   1 1.000000007  task1                                  call write a [0, 4096)
                  task1         f                        rlock outer
   2 2.000000014  task1         f                        lock inner                 (outer)
                  task1         f                        WAIT for inner, up to task2 "
****  deadlock: or nearly
   3 3.000000021  task2 7       f                        start handle, tid 7
                  task2 7   1   f                        submit bio 0: flush
                  task2 7   1   f                        unlock inner
                  task2 7   1   f                        wake task1
   4 4.000000028  task1     1   f                        got inner                  (outer) inner
                  task1     1   f                        owe done                   "
                  task1     1   f                        has done done              "
****  lock_cycle: a --> b
)");
}

TEST_F(TimelineTextTest, ALockGivenBackAtOnceIsOneLine) {
  Add(1, 1, "lock", "a", 1);
  Add(1, 1, "unlock", "a", 1).owner = TaskId{1};
  Add(1, 1, "lock", "b", 2);
  Add(1, 1, "unlock", "b", 2).owner = TaskId{1};
  run_.log.events.back().frame = "another";
  const std::string text = Text();
  EXPECT_THAT(text, HasSubstr(" lock + unlock a\n"));
  EXPECT_THAT(text, HasSubstr(" lock b\n"));
  EXPECT_THAT(text, HasSubstr("another                  unlock b\n"));
}

TEST_F(TimelineTextTest, LocksThatDoNotFitGoOnInTheNextLine) {
  for (uint64_t id = 1; id <= 9; ++id) {
    Add(1, 1, "lock", "a_lock_with_a_long_name_" + std::to_string(id), id);
  }
  Add(2, 2, "clear", "x");
  Add(1, 3, "clear", "y");
  const std::string text = Text();
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 120u);
  const size_t last = text.rfind("clear y");
  for (int id = 1; id <= 9; ++id) {
    EXPECT_NE(text.find("a_lock_with_a_long_name_" + std::to_string(id), last), text.npos) << id;
  }
}

TEST_F(TimelineTextTest, ALongRunIsThereAsAWhole) {
  for (uint64_t turn = 1; turn <= 20'000; ++turn) Add(1, turn, "signal", "x");
  const std::string text = Text();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 20'003);
}

TEST_F(TimelineTextTest, AnEmptyRunHasNoLines) {
  EXPECT_THAT(Text(), HasSubstr("execution 3, seed 8: 0 events\n"));
}

}  // namespace
}  // namespace tools
