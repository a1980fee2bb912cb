#include "sim/explore/guided.h"

#include <gmock/gmock.h>

#include <vector>

namespace sim {
namespace {

class GuidedTest : public testing::Test {
 protected:
  static ScheduleRun Run(uint32_t task, uint32_t turns) {
    return {{Actor::Kind::kTask, task}, turns};
  }
  // Who goes next, of these.
  uint32_t Next(std::vector<uint32_t> tasks) {
    std::vector<Candidate> candidates;
    for (const uint32_t task : tasks) candidates.push_back({{Actor::Kind::kTask, task}, {}, 0});
    return tasks.at(guided_.Choose({candidates, turn_++, TaskId{}}));
  }

  GuidedStrategy guided_{{Run(2, 2), Run(0, 1), Run(1, 2)}};
  uint64_t turn_ = 0;
};

TEST_F(GuidedTest, TakesTheTurnsOfTheSchedule) {
  EXPECT_EQ(Next({0, 1, 2}), 2u);
  EXPECT_EQ(Next({0, 1, 2}), 2u);
  EXPECT_EQ(Next({0, 1, 2}), 0u);
  EXPECT_EQ(Next({0, 1, 2}), 1u);
}

TEST_F(GuidedTest, LeavesOutWhatCannotBeTaken) {
  EXPECT_EQ(Next({0, 1, 2}), 2u);
  EXPECT_EQ(Next({0, 1}), 0u);
  EXPECT_EQ(Next({0, 1, 2}), 1u);
}

TEST_F(GuidedTest, BehindTheEndTheLastOneGoesOnWhileItCan) {
  for (int i = 0; i < 5; ++i) Next({0, 1, 2});
  EXPECT_EQ(Next({0, 1, 2}), 1u);
  EXPECT_EQ(Next({0, 2}), 0u);
  EXPECT_EQ(Next({0, 2}), 0u);
}

}  // namespace
}  // namespace sim
