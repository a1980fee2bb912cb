#include "sim/explore/replay_then.h"

#include <memory>
#include <vector>

#include "gmock/gmock.h"
#include "sim/engine/random.h"
#include "sim/engine/world.h"
#include "sim/explore/random.h"
#include "sim/explore/replay.h"
#include "sim/explore/round_robin.h"
#include "sim/explore/timed.h"

namespace sim {
namespace {

using Runs = std::vector<ScheduleRun>;

ScheduleRun Turns(uint32_t task, uint32_t turns) { return {{Actor::Kind::kTask, task}, turns}; }

uint64_t TurnsOf(const Runs& schedule) {
  uint64_t turns = 0;
  for (const ScheduleRun& run : schedule) turns += run.turns;
  return turns;
}

// Goes on with the last candidate, and remembers which turns it was asked for.
class LastOne final : public Strategy {
 public:
  size_t Choose(const ChoicePoint& point) override {
    asked_.push_back(point.turn);
    return point.candidates.size() - 1;
  }
  const std::vector<uint64_t>& asked() const { return asked_; }

 private:
  std::vector<uint64_t> asked_;
};

class ReplayThenTest : public testing::Test {
 protected:
  struct Outcome {
    std::string digest;
    Runs schedule;
    bool operator==(const Outcome&) const = default;
  };

  // Tasks that step, sleep, and wait for each other's timers.
  Outcome Run(Strategy& strategy, int tasks = 4, uint64_t seed = 1) {
    World world({.seed = seed}, strategy, pool_, stacks_);
    const ObjectId object = world.NewObject();
    for (int task = 0; task < tasks; ++task) {
      world.Spawn("task " + std::to_string(task), TaskKind::kUser, [&world, object, task] {
        for (int i = 0; i < 4; ++i) {
          world.Step(object, Access::kWrite);
          world.Record(static_cast<uint64_t>(task));
          if (i == task) world.SleepFor(1000 + 7 * task);
        }
      });
    }
    EXPECT_EQ(world.Run(), ExecutionEnd::kFinished);
    return {world.digest().Value().ToHex(), world.schedule()};
  }
  Outcome Recorded(uint64_t seed) {
    RandomStrategy random(seed);
    return Run(random);
  }

  StackPool pool_;
  StackTable stacks_;
};

TEST_F(ReplayThenTest, AScheduleThatAgreesIsTakenToItsEnd) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Outcome recorded = Recorded(seed);
    LastOne then;
    ReplayThenStrategy replay(recorded.schedule, ReplayThenStrategy::kAllTurns, then);
    EXPECT_EQ(Run(replay), recorded) << seed;
    EXPECT_THAT(then.asked(), testing::IsEmpty());
    EXPECT_THAT(replay.task_names(), testing::ElementsAre("task 0", "task 1", "task 2", "task 3"));
  }
}

TEST_F(ReplayThenTest, WithoutAnyTurnsItIsTheOtherStrategy) {
  const Runs other = Recorded(99).schedule;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    RandomStrategy then(seed);
    ReplayThenStrategy replay(other, 0, then);
    EXPECT_EQ(Run(replay), Recorded(seed)) << seed;
  }
  RoundRobinStrategy alone, then;
  ReplayThenStrategy replay(other, 0, then);
  EXPECT_EQ(Run(replay), Run(alone));
}

TEST_F(ReplayThenTest, GoingOnByTimeIsTheTimedExecution) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    TimedStrategy alone, then;
    ReplayThenStrategy replay({}, 0, then);
    EXPECT_EQ(Run(replay, 4, seed), Run(alone, 4, seed)) << seed;
  }
}

TEST_F(ReplayThenTest, SoManyTurnsAreTheRecordingsAndTheRestBeginsAtTurnZero) {
  const Outcome recorded = Recorded(5);
  for (uint64_t turns = 1; turns < TurnsOf(recorded.schedule); ++turns) {
    LastOne then;
    ReplayThenStrategy replay(recorded.schedule, turns, then);
    const Outcome outcome = Run(replay);
    const auto divergence = FindDivergence(recorded.schedule, outcome.schedule);
    EXPECT_GE(divergence.value_or(Divergence{.turn = turns}).turn, turns);
    // Where only one can go on, nobody is asked.
    for (const uint64_t asked : then.asked()) EXPECT_LT(asked + turns, TurnsOf(outcome.schedule));
  }
}

TEST_F(ReplayThenTest, LeavesWhereTheActorWantedCannotTakeItsTurn) {
  LastOne then;
  ReplayThenStrategy replay({Turns(1, 2), Turns(7, 1), Turns(0, 9)}, ReplayThenStrategy::kAllTurns,
                            then);
  const Outcome outcome = Run(replay, 3);
  EXPECT_EQ(outcome.schedule[0], Turns(1, 2));
  EXPECT_EQ(outcome.schedule[1].actor, Turns(2, 1).actor);
  EXPECT_EQ(then.asked().front(), 0u);
}

TEST_F(ReplayThenTest, LeavesAtTheEndOfTheSchedule) {
  LastOne then;
  ReplayThenStrategy replay({Turns(1, 2)}, ReplayThenStrategy::kAllTurns, then);
  EXPECT_EQ(Run(replay, 3).schedule[0], Turns(1, 2));
  EXPECT_EQ(then.asked().front(), 0u);
}

// Task 0 takes the first turn because it is alone then; the schedule had another for that, and is
// not taken up again although its next turns could be had.
TEST_F(ReplayThenTest, ATurnThatWasNobodysChoiceCountsAsWell) {
  LastOne then;
  ReplayThenStrategy replay({Turns(1, 1), Turns(0, 9)}, ReplayThenStrategy::kAllTurns, then);
  World world({}, replay, pool_, stacks_);
  const ObjectId object = world.NewObject();
  const auto two_steps = [&] {
    for (int i = 0; i < 2; ++i) world.Step(object, Access::kWrite);
  };
  world.Spawn("first", TaskKind::kUser, [&] {
    world.Spawn("second", TaskKind::kUser, two_steps);
    two_steps();
  });
  EXPECT_EQ(world.Run(), ExecutionEnd::kFinished);
  EXPECT_THAT(world.schedule(), testing::ElementsAre(Turns(0, 1), Turns(1, 3), Turns(0, 2)));
}

}  // namespace
}  // namespace sim
