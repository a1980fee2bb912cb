#include "sim/explore/pct.h"

#include <gmock/gmock.h>

#include "sim/engine/world.h"
#include "sim/explore/pos.h"
#include "sim/explore/random.h"
#include "sim/explore/round_robin.h"

namespace sim {
namespace {

// Two threads whose turns have to alternate so many times, in the middle of other turns, and one
// more thread that has nothing to do with it.
struct PlantedBug {
  static constexpr int kActors = 3;
  int depth = 1;  // ordering constraints: of depth + 1 turns each must come before the next
  int idle = 2;   // turns of each thread before and after

  // The turns of an execution in which everything but `depth + 1` turns is idle.
  uint64_t turns() const { return static_cast<uint64_t>(kActors * (2 * idle + 1) + depth + 1); }

  bool HitBy(Strategy& strategy, StackPool& pool, StackTable& stacks) const {
    World world({}, strategy, pool, stacks);
    const ObjectId object = world.NewObject();
    int reached = 0;
    for (int thread = 0; thread < kActors; ++thread) {
      world.Spawn("thread", TaskKind::kUser, [&, thread] {
        for (int i = 0; i < idle; ++i) world.Step(object, Access::kWrite);
        for (int event = 1; thread < 2 && event <= depth + 1; ++event) {
          if (event % 2 != thread) continue;
          world.Step(object, Access::kWrite);
          if (reached == event - 1) reached = event;
        }
        for (int i = 0; i < idle; ++i) world.Step(object, Access::kWrite);
      });
    }
    EXPECT_EQ(world.Run(), ExecutionEnd::kFinished);
    EXPECT_EQ(world.turns(), turns());
    return reached == depth + 1;
  }
};

class PctTest : public testing::TestWithParam<int> {};

TEST_P(PctTest, FindsABugOfItsDepthAsOftenAsItPromises) {
  const PlantedBug bug{.depth = GetParam()};
  uint64_t one_in = PlantedBug::kActors;
  for (int i = 1; i < bug.depth; ++i) one_in *= bug.turns();
  // So many hits are expected at least; a quarter of them off is six standard deviations.
  constexpr uint64_t kExpected = 600;
  const uint64_t executions = std::min<uint64_t>(one_in * kExpected, 400'000);
  StackPool pool;
  StackTable stacks;
  uint64_t hits = 0;
  for (uint64_t seed = 0; seed < executions && hits < kExpected; ++seed) {
    PctStrategy pct({seed, static_cast<uint32_t>(bug.depth), bug.turns()});
    hits += bug.HitBy(pct, pool, stacks) ? 1 : 0;
  }
  EXPECT_GE(hits * one_in * 4, executions * 3);
}
INSTANTIATE_TEST_SUITE_P(Depth, PctTest, testing::Values(1, 2, 3, 4));

TEST(PctBoundTest, IsActorsTimesTurnsToTheDepthLessOne) {
  EXPECT_EQ(PctBound(3, 20, 1), "1 in 3");
  EXPECT_EQ(PctBound(3, 20, 3), "1 in 1200");
  EXPECT_EQ(PctBound(10, 1'000'000, 5), "less than 1 in 2^64");
}

TEST(PosTest, ReachesWhatTakesManySwitches) {
  const PlantedBug bug{.depth = 4, .idle = 1};
  StackPool pool;
  StackTable stacks;
  int hits = 0;
  for (uint64_t seed = 0; seed < 2'000; ++seed) {
    PosStrategy pos(seed);
    hits += bug.HitBy(pos, pool, stacks) ? 1 : 0;
  }
  EXPECT_GT(hits, 20);
}

TEST(RoundRobinTest, EachTaskGoesInTurn) {
  RoundRobinStrategy strategy;
  StackPool pool;
  StackTable stacks;
  World world({}, strategy, pool, stacks);
  const ObjectId object = world.NewObject();
  std::string order;
  for (const char name : {'a', 'b', 'c'}) {
    world.Spawn(std::string(1, name), TaskKind::kUser, [&, name] {
      for (int i = 0; i < 3; ++i) {
        world.Step(object, Access::kWrite);
        order += name;
      }
    });
  }
  EXPECT_EQ(world.Run(), ExecutionEnd::kFinished);
  EXPECT_EQ(order, "abcabcabc");
}

}  // namespace
}  // namespace sim
