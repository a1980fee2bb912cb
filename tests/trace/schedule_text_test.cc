#include "sim/trace/schedule_text.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "sim/engine/random.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ScheduleRun TaskRun(uint32_t task, uint32_t turns) { return {{Actor::Kind::kTask, task}, turns}; }
ScheduleRun EventRun(uint32_t event) { return {{Actor::Kind::kEvent, event}, 1}; }

std::string ErrorOf(const std::string& text) {
  return std::string(ParseSchedule(text).status().message());
}

TEST(ScheduleTextTest, RunsAreWrittenInOrder) {
  EXPECT_EQ(FormatSchedule({{TaskRun(3, 12), EventRun(5), TaskRun(1, 1)}}), "t3x12 e5 t1");
  EXPECT_EQ(FormatSchedule({}), "");
}

TEST(ScheduleTextTest, AnyWhiteSpaceSeparatesRuns) {
  EXPECT_THAT(*ParseSchedule(" t3x12\ne5\t t1x1 \r\n"),
              ElementsAre(TaskRun(3, 12), EventRun(5), TaskRun(1, 1)));
  EXPECT_THAT(*ParseSchedule(""), ElementsAre());
}

TEST(ScheduleTextTest, NeighbouringRunsOfOneTaskAreOneRun) {
  EXPECT_THAT(*ParseSchedule("t3x12 t3 t3x2"), ElementsAre(TaskRun(3, 15)));
}

TEST(ScheduleTextTest, ErrorsNameByteAndExpectation) {
  EXPECT_EQ(ErrorOf("t1 q2"), "schedule: byte 4: want 't' or 'e', got 'q'");
  EXPECT_EQ(ErrorOf("t"), "schedule: byte 2: want a number below 4294967295, got the end");
  EXPECT_EQ(ErrorOf("t-1"), "schedule: byte 2: want a number below 4294967295, got '-'");
  EXPECT_EQ(ErrorOf("t1x"), "schedule: byte 4: want a number from 1 to 4294967295, got the end");
  EXPECT_EQ(ErrorOf("e1x2"), "schedule: byte 3: want white space, got 'x'");
  EXPECT_EQ(ErrorOf("t1t2"), "schedule: byte 3: want white space, got 't'");
}

TEST(ScheduleTextTest, NumbersOutOfRangeAreErrors) {
  EXPECT_THAT(ErrorOf("t4294967295"), HasSubstr("want a number below 4294967295"));
  EXPECT_THAT(ErrorOf("t99999999999"), HasSubstr("byte 2"));
  EXPECT_THAT(ErrorOf("t1x0"), HasSubstr("want a number from 1"));
  EXPECT_THAT(ErrorOf("t1x4294967296"), HasSubstr("want a number from 1"));
  EXPECT_THAT(ErrorOf("t1x4294967295 t1"), HasSubstr("byte 15: want fewer turns"));
  EXPECT_THAT(ErrorOf("e1 e1"), HasSubstr("byte 4: want each event once"));
}

TEST(ScheduleTextTest, BytesThatAreNotTextAreErrors) {
  EXPECT_THAT(ErrorOf(std::string("t1 \0", 4)), HasSubstr("got '\\000'"));
  EXPECT_THAT(ErrorOf("\xff"), HasSubstr("got '\\377'"));
}

TEST(ScheduleTextTest, WhatIsWrittenReadsBackTheSame) {
  RandomStream random(1, "schedule_text_test");
  for (int round = 0; round < 200; ++round) {
    std::vector<ScheduleRun> schedule;
    for (uint64_t runs = random.UniformBelow(20), i = 0; i < runs; ++i) {
      const auto id = static_cast<uint32_t>(4 * i + random.UniformBelow(4));  // neighbours differ
      schedule.push_back(random.OneIn(3)
                             ? EventRun(id)
                             : TaskRun(id, static_cast<uint32_t>(random.UniformIn(1, 1000))));
    }
    const auto parsed = ParseSchedule(FormatSchedule(schedule));
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(*parsed, schedule);
  }
}

}  // namespace
}  // namespace sim
