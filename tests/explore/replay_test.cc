#include "sim/explore/replay.h"

#include <gmock/gmock.h>

#include <vector>

namespace sim {
namespace {

using Runs = std::vector<ScheduleRun>;

ScheduleRun TaskRun(uint32_t task, uint32_t turns) { return {{Actor::Kind::kTask, task}, turns}; }
ScheduleRun EventRun(uint32_t event) { return {{Actor::Kind::kEvent, event}, 1}; }

class ReplayTest : public testing::Test {
 protected:
  // The task chosen at `turn`, if those in `tasks` can take it.
  static uint32_t TaskChosen(ReplayStrategy& replay, uint64_t turn, std::vector<uint32_t> tasks) {
    std::vector<Candidate> candidates;
    for (const uint32_t task : tasks) candidates.push_back({{Actor::Kind::kTask, task}, {}, 0});
    return tasks.at(replay.Choose({candidates, turn, TaskId{}}));
  }

  static std::string Diverges(const Runs& wanted, const Runs& taken) {
    const auto divergence = FindDivergence(wanted, taken);
    return divergence.has_value() ? RenderText(*divergence) : "";
  }
};

TEST_F(ReplayTest, TakesTheTurnsOfTheRecording) {
  ReplayStrategy replay({TaskRun(2, 2), TaskRun(0, 1)});
  EXPECT_EQ(TaskChosen(replay, 0, {0, 1, 2}), 2u);
  EXPECT_EQ(TaskChosen(replay, 1, {0, 1, 2}), 2u);
  EXPECT_EQ(TaskChosen(replay, 2, {0, 1, 2}), 0u);
}

TEST_F(ReplayTest, TurnsWithoutAChoiceCount) {
  ReplayStrategy replay({TaskRun(2, 2), EventRun(0), EventRun(1), TaskRun(1, 3)});
  EXPECT_EQ(TaskChosen(replay, 6, {0, 1, 2}), 1u);
}

TEST_F(ReplayTest, FirstCandidateGoesOnceTheRecordingCannotBeFollowed) {
  ReplayStrategy replay({TaskRun(2, 2), TaskRun(1, 5)});
  EXPECT_EQ(TaskChosen(replay, 0, {0, 1}), 0u);
  EXPECT_EQ(TaskChosen(replay, 2, {0, 1}), 0u);
}

TEST_F(ReplayTest, FirstCandidateGoesAfterTheEndOfTheRecording) {
  ReplayStrategy replay({TaskRun(2, 2)});
  EXPECT_EQ(TaskChosen(replay, 2, {1, 2}), 1u);
}

TEST_F(ReplayTest, EqualSchedulesDoNotDiverge) {
  EXPECT_EQ(Diverges({}, {}), "");
  EXPECT_EQ(Diverges({TaskRun(2, 2), EventRun(1)}, {TaskRun(2, 2), EventRun(1)}), "");
}

TEST_F(ReplayTest, DivergenceNamesTheFirstTurnThatDiffers) {
  EXPECT_EQ(Diverges({TaskRun(2, 2), EventRun(1)}, {TaskRun(2, 2), TaskRun(3, 1)}),
            "turn 3: the recording has event 1, the replay has task 3");
  EXPECT_EQ(Diverges({TaskRun(2, 2), EventRun(1)}, {TaskRun(2, 5)}),
            "turn 3: the recording has event 1, the replay has task 2");
  EXPECT_EQ(Diverges({TaskRun(2, 5)}, {TaskRun(2, 2), EventRun(1)}),
            "turn 3: the recording has task 2, the replay has event 1");
}

TEST_F(ReplayTest, DivergenceNamesTasksAsTheReplayHasThem) {
  const std::vector<std::string> names = {"a", "b", "c", "d"};
  const auto divergence = FindDivergence(Runs{TaskRun(2, 2)}, Runs{TaskRun(3, 1)});
  ASSERT_TRUE(divergence.has_value());
  EXPECT_EQ(RenderText(*divergence, names),
            "turn 1: the recording has task 2 (here c), the replay has task 3 (d)");
}

TEST_F(ReplayTest, DivergenceTellsWhoEndedEarly) {
  EXPECT_EQ(Diverges({TaskRun(2, 5)}, {TaskRun(2, 2)}),
            "turn 3: the recording has task 2, the replay has ended");
  EXPECT_EQ(Diverges({TaskRun(2, 2)}, {TaskRun(2, 2), EventRun(1)}),
            "turn 3: the recording has ended, the replay has event 1");
}

}  // namespace
}  // namespace sim
