#include "sim/engine/world.h"

#include <gmock/gmock.h>

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/explore/random.h"
#include "sim/explore/replay.h"
#include "sim/explore/timed.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Something to wait for.
class Gate final : public Waitable {
 public:
  using Waitable::Waitable;
  std::string Describe() const override { return "the gate"; }
};

class WorldTest : public testing::Test {
 public:
  void Log(std::string what) { log_.push_back(std::move(what)); }

 protected:
  World& NewWorld(Strategy& strategy, WorldOptions options = {}) {
    world_ = std::make_unique<World>(options, strategy, pool_, stacks_);
    gate_ = std::make_unique<Gate>(world_->NewObject());
    log_.clear();
    return *world_;
  }
  World& NewTimedWorld(WorldOptions options = {}) { return NewWorld(timed_, options); }

  void Step() { world_->Step(gate_->object(), Access::kWrite); }
  void Steps(int count) {
    for (int i = 0; i < count; ++i) Step();
  }
  Task& SpawnUser(std::string name, std::function<void()> body) {
    return world_->Spawn(std::move(name), TaskKind::kUser, std::move(body));
  }
  Task& SpawnDaemon(std::string name, std::function<void()> body) {
    return world_->Spawn(std::move(name), TaskKind::kDaemon, std::move(body));
  }
  // Logs `what` in an event.
  void LogAt(Nanos at, std::string what) {
    notes_.push_back({this, std::move(what)});
    world_->At(
        at, gate_->object(),
        [](void* note, uint64_t) {
          auto& [test, text] = *static_cast<Note*>(note);
          EXPECT_TRUE(test->world_->in_irq());
          test->Log(text);
        },
        &notes_.back(), 0);
  }

  struct Note {
    WorldTest* test;
    std::string text;
  };

  TimedStrategy timed_;
  StackPool pool_;
  StackTable stacks_;
  std::unique_ptr<Gate> gate_;
  std::deque<Note> notes_;
  std::vector<std::string> log_;
  std::unique_ptr<World> world_;
};

// --- Ends ----------------------------------------------------------------------------------------

TEST_F(WorldTest, WorldWithoutTasksIsFinished) {
  EXPECT_EQ(NewTimedWorld().Run(), ExecutionEnd::kFinished);
}

TEST_F(WorldTest, TasksRunToTheirEnd) {
  NewTimedWorld();
  SpawnUser("a", [this] {
    Steps(3);
    Log("a");
  });
  SpawnUser("b", [this] { Log("b"); });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
  EXPECT_THAT(log_, ElementsAre("b", "a"));
}

TEST_F(WorldTest, TaskThatNobodyWakesIsADeadlock) {
  NewTimedWorld();
  Task& task = SpawnUser("waiter", [this] { world_->Park(*gate_); });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kDeadlock);
  EXPECT_EQ(task.state(), Task::State::kParked);
  EXPECT_EQ(task.waiting_on(), gate_.get());
}

TEST_F(WorldTest, IdleDaemonsStopOnceTheUserTasksHaveEnded) {
  NewTimedWorld();
  SpawnDaemon("daemon", [this] {
    while (world_->ParkIdle(*gate_)) Log("work");
    Log("stopped");
  });
  SpawnUser("user", [this] {
    world_->SleepFor(1'000);
    world_->Wake(*world_->tasks()[0]);
    world_->SleepFor(1'000);
    Log("user ends");
  });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
  EXPECT_THAT(log_, ElementsAre("work", "user ends", "stopped"));
}

// Whoever starts a kernel thread waits for it.
TEST_F(WorldTest, DaemonsAreUpBeforeTheFirstTurn) {
  NewTimedWorld();
  SpawnUser("user", [this] { Log("user"); });
  SpawnDaemon("daemon", [this] {
    Log("up");
    world_->Step(gate_->object(), Access::kRead);
    Log("waits");
    (void)world_->ParkIdle(*gate_);
  });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
  EXPECT_THAT(log_, ElementsAre("up", "waits", "user"));
}

TEST_F(WorldTest, DaemonThatWaitsForMoreThanWorkIsADeadlock) {
  NewTimedWorld();
  SpawnDaemon("daemon", [this] { world_->Park(*gate_); });
  SpawnUser("user", [] {});
  EXPECT_EQ(world_->Run(), ExecutionEnd::kDeadlock);
}

TEST_F(WorldTest, TickingDaemonDoesNotHideADeadlock) {
  NewTimedWorld();
  SpawnDaemon("ticker", [this] {
    while (world_->ParkIdle(*gate_, world_->now() + 1'000'000)) {
    }
  });
  SpawnUser("waiter", [this] { world_->Park(*gate_); });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kDeadlock);
}

TEST_F(WorldTest, TickingDaemonDoesNotKeepAnExecutionGoing) {
  NewTimedWorld();
  SpawnDaemon("ticker", [this] {
    while (world_->ParkIdle(*gate_, world_->now() + 5'000'000'000)) {
    }
  });
  SpawnUser("user", [this] { Step(); });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
  EXPECT_LT(world_->now(), 5'000'000'000);
}

TEST_F(WorldTest, RunawayTaskEndsAtTheTurnLimit) {
  NewTimedWorld({.max_turns = 1'000});
  SpawnUser("spinner", [this] {
    for (;;) Step();
  });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kTurnLimit);
  EXPECT_EQ(world_->turns(), 1'000u);
}

TEST_F(WorldTest, EndlessSleeperEndsAtTheTimeLimit) {
  NewTimedWorld({.max_time = 1'000'000});
  SpawnUser("sleeper", [this] {
    for (;;) world_->SleepFor(10'000);
  });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kTimeLimit);
}

TEST_F(WorldTest, TearDownUnwindsWhatHasNotEnded) {
  World& world = NewTimedWorld({.max_turns = 50});
  struct Notes {
    WorldTest& test;
    World& world;
    std::string name;
    ~Notes() { test.Log(name + (world.tearing_down() ? " unwound" : " left")); }
  };
  SpawnUser("parked", [&] {
    const Notes notes{*this, world, "parked"};
    world.Park(*gate_);
  });
  SpawnUser("running", [&] {
    const Notes notes{*this, world, "running"};
    for (;;) Step();
  });
  SpawnUser("ended", [&] { const Notes notes{*this, world, "ended"}; });
  EXPECT_EQ(world.Run(), ExecutionEnd::kTurnLimit);
  EXPECT_THAT(log_, ElementsAre("ended left"));
  world_.reset();
  EXPECT_THAT(log_, ElementsAre("ended left", "parked unwound", "running unwound"));
}

// --- Time and events -----------------------------------------------------------------------------

TEST_F(WorldTest, SleepersWakeInOrderOfTheirTimes) {
  NewTimedWorld();
  for (const int sleep : {3, 1, 2}) {
    SpawnUser(std::to_string(sleep), [this, sleep] {
      world_->SleepFor(sleep * 1'000'000);
      Log(std::to_string(sleep));
    });
  }
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
  EXPECT_THAT(log_, ElementsAre("1", "2", "3"));
  EXPECT_GE(world_->now(), 3'000'000);
}

TEST_F(WorldTest, EventsComeBetweenTheTurnsOfATask) {
  NewTimedWorld();
  SpawnUser("task", [this] {
    LogAt(world_->now() + 2'000, "event");
    Steps(5);
    Log("early");
    Steps(50);
    Log("late");
  });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
  EXPECT_THAT(log_, ElementsAre("early", "event", "late"));
}

TEST_F(WorldTest, CancelledEventsDoNotHappen) {
  NewTimedWorld();
  SpawnUser("task", [this] {
    notes_.push_back({this, "cancelled"});
    const EventId event = world_->At(
        1'000, gate_->object(),
        [](void* note, uint64_t) { static_cast<Note*>(note)->test->Log("cancelled"); },
        &notes_.back(), 0);
    world_->Cancel(event);
    world_->SleepFor(10'000);
  });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
  EXPECT_THAT(log_, IsEmpty());
}

TEST_F(WorldTest, NoEventRunsWhileIrqsAreBlocked) {
  NewTimedWorld();
  SpawnUser("task", [this] {
    world_->BlockIrqs();
    LogAt(world_->now(), "event");
    Steps(10);
    Log("unblocks");
    world_->UnblockIrqs();
    Step();
  });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
  EXPECT_THAT(log_, ElementsAre("unblocks", "event"));
}

TEST_F(WorldTest, DeadlineAndWakeUpAreToldApart) {
  NewTimedWorld();
  Task& woken = SpawnUser("woken", [this] { EXPECT_TRUE(world_->ParkUntil(*gate_, 1'000'000)); });
  SpawnUser("late", [this] { EXPECT_FALSE(world_->ParkUntil(*gate_, 1'000'000)); });
  SpawnUser("waker", [this, &woken] {
    world_->SleepFor(1'000);
    world_->Wake(woken);
  });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
  EXPECT_EQ(world_->pending_events(), 0u);
}

// --- Choices -------------------------------------------------------------------------------------

class ReproductionTest : public WorldTest {
 protected:
  struct Outcome {
    std::string digest;
    std::vector<ScheduleRun> schedule;
    std::vector<std::string> log;
    Nanos now = 0;
    bool operator==(const Outcome&) const = default;
  };

  // Tasks that step, sleep, wait for each other and start events.
  Outcome RunStory(Strategy& strategy, uint64_t seed) {
    NewWorld(strategy, {.seed = seed});
    SpawnDaemon("ticker", [this] {
      while (world_->ParkIdle(*gate_, world_->now() + 700)) Log("tick");
    });
    Task& waiter = SpawnUser("waiter", [this] {
      world_->Park(*gate_);
      Log("waiter");
    });
    for (const char* name : {"a", "b"}) {
      SpawnUser(name, [this, name] {
        for (int i = 0; i < 5; ++i) {
          Steps(2);
          Log(name);
          LogAt(world_->now() + 150, "event");
          world_->SleepFor(300);
          world_->Record(log_.size());
        }
      });
    }
    SpawnUser("waker", [this, &waiter] {
      while (waiter.state() != Task::State::kParked) Step();
      world_->Wake(waiter);
    });
    EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
    return {world_->digest().Value().ToHex(), world_->schedule(), log_, world_->now()};
  }
};

TEST_F(ReproductionTest, TheSeedDecidesATimedExecution) {
  const Outcome outcome = RunStory(timed_, 1);
  EXPECT_EQ(RunStory(timed_, 1), outcome);
  EXPECT_NE(RunStory(timed_, 2).digest, outcome.digest);
}

TEST_F(ReproductionTest, TimedExecutionReplaysFromItsSchedule) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    const Outcome outcome = RunStory(timed_, seed);
    ReplayStrategy replay(outcome.schedule);
    ASSERT_EQ(RunStory(replay, seed), outcome) << seed;
  }
}

TEST_F(ReproductionTest, RandomExecutionReplaysFromItsSchedule) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    RandomStrategy random(seed);
    const Outcome outcome = RunStory(random, seed);
    ReplayStrategy replay(outcome.schedule);
    ASSERT_EQ(RunStory(replay, seed), outcome) << seed;
  }
}

TEST_F(ReproductionTest, RandomChoicesGiveManyOrders) {
  std::set<std::vector<std::string>> logs;
  for (uint64_t seed = 0; seed < 50; ++seed) {
    RandomStrategy random(seed);
    logs.insert(RunStory(random, 0).log);
  }
  EXPECT_GT(logs.size(), 45u);
}

// Listens to the turns of an execution.
class Recorder final : public Strategy {
 public:
  bool wants_turns() const override { return true; }
  size_t Choose(const ChoicePoint& point) override {
    running.push_back(point.running);
    return 0;
  }
  void OnTurn(const Turn& turn) override {
    std::string text =
        (turn.actor.kind == Actor::Kind::kTask ? "t" : "e") + std::to_string(turn.actor.id) + ":";
    for (const Footprint& access : turn.accesses) {
      text += (access.access == Access::kWrite ? " w" : " r") + std::to_string(access.object.value);
    }
    turns.push_back(text);
  }
  void OnEnd() override { ended = true; }

  std::vector<TaskId> running;
  std::vector<std::string> turns;
  bool ended = false;
};

TEST_F(WorldTest, StrategiesAreToldWhatEachTurnTouched) {
  Recorder recorder;
  NewWorld(recorder);
  const ObjectId one = world_->NewObject();
  const ObjectId two = world_->NewObject();
  SpawnUser("a", [&] {
    world_->Step(one, Access::kRead);
    world_->Touch(two, Access::kWrite);
    LogAt(0, "event");
    world_->Step(two, Access::kWrite);
  });
  SpawnUser("b", [] {});
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
  ASSERT_EQ(recorder.turns.size(), 5u);
  EXPECT_EQ(recorder.turns[1], "t0: r2 w3");
  EXPECT_EQ(recorder.turns[2], "t0: w3");
  EXPECT_EQ(recorder.turns[4], "e0: w1");
  EXPECT_TRUE(recorder.ended);
}

TEST_F(WorldTest, StrategiesAreToldWhomTheyPreempt) {
  Recorder recorder;
  NewWorld(recorder);
  SpawnUser("a", [this] { Step(); });
  SpawnUser("b", [] {});
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
  EXPECT_THAT(recorder.running, ElementsAre(TaskId{}, TaskId{0}, TaskId{}));
}

TEST_F(WorldTest, ScheduleIsRunLengthCoded) {
  Recorder recorder;
  NewWorld(recorder);
  SpawnUser("a", [this] { Steps(4); });
  SpawnUser("b", [this] { Steps(2); });
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
  EXPECT_THAT(world_->schedule(), ElementsAre(ScheduleRun{{Actor::Kind::kTask, 0}, 5},
                                              ScheduleRun{{Actor::Kind::kTask, 1}, 3}));
}

// --- Frames --------------------------------------------------------------------------------------

TEST_F(WorldTest, FramesFollowTheCallsOfEachTask) {
  NewTimedWorld();
  const auto ext4_ext_truncate = [this] {
    SIM_FRAME("ext4_ext_truncate");
    Steps(5);
    const auto frames = stacks_.Frames(world_->stack());
    ASSERT_EQ(frames.size(), 2u);
    EXPECT_STREQ(frames[0]->function, "ext4_ext_truncate");
    EXPECT_STREQ(frames[1]->function, "ext4_truncate");
  };
  for (const char* name : {"a", "b"}) {
    SpawnUser(name, [=, this] {
      {
        SIM_FRAME("ext4_truncate");
        ext4_ext_truncate();
      }
      EXPECT_THAT(stacks_.Frames(world_->stack()), IsEmpty());
    });
  }
  EXPECT_EQ(world_->Run(), ExecutionEnd::kFinished);
}

}  // namespace
}  // namespace sim
