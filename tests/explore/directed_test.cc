// The directed strategy meets deadlocks that chance alone hardly ever does, and always comes to an
// end where there is none.

#include "sim/explore/directed.h"

#include <gmock/gmock.h>

#include <functional>
#include <memory>
#include <vector>

#include "sim/explore/random.h"
#include "sim/locking/lock_tracker.h"
#include "sim/locking/mutex.h"
#include "sim/locking/wait_event.h"

namespace sim {
namespace {

using testing::Each;

constexpr uint64_t kSeeds = 200;

// Locks and an event, and tasks on them.
struct Rig {
  explicit Rig(Strategy& strategy, StackPool& pool) : world({}, strategy, pool, stacks) {}

  void Pause(int times) {
    for (int i = 0; i < times; ++i) world.Step(elsewhere, Access::kRead);
  }
  void Spawn(const char* name, std::function<void()> body) {
    world.Spawn(name, TaskKind::kUser, std::move(body));
  }
  // Takes them one after the other, in between some turns elsewhere.
  void Nest(std::vector<Mutex*> locks, int pause) {
    for (Mutex* lock : locks) {
      lock->mutex_lock();
      Pause(pause);
    }
    for (; !locks.empty(); locks.pop_back()) locks.back()->mutex_unlock();
  }

  StackTable stacks;
  Validator validator;
  World world;
  LockTracker tracker{world, validator};
  Mutex a{world, tracker.Class("A"), {}}, b{world, tracker.Class("B"), {}},
      c{world, tracker.Class("C"), {}}, gate{world, tracker.Class("gate"), {}};
  WaitQueue event{world, tracker.Class("event"), {}};
  bool is_set = false;
  ObjectId elsewhere = world.NewObject();
};

using Story = std::function<void(Rig&)>;
using Cycle = std::vector<CycleWait>;

class DirectedTest : public testing::Test {
 protected:
  ExecutionEnd Run(Strategy& strategy, const Story& story) {
    Rig rig(strategy, pool_);
    story(rig);
    return rig.world.Run();
  }
  // Of kSeeds executions, directed at the cycle, or random ones.
  int DeadlocksOf(const Story& story, const Cycle& cycle) {
    int deadlocks = 0;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      DirectedStrategy strategy(seed, cycle);
      deadlocks += Run(strategy, story) == ExecutionEnd::kDeadlock ? 1 : 0;
    }
    return deadlocks;
  }
  int DeadlocksAtRandom(const Story& story) {
    int deadlocks = 0;
    for (uint64_t seed = 0; seed < kSeeds; ++seed) {
      RandomStrategy strategy(seed);
      deadlocks += Run(strategy, story) == ExecutionEnd::kDeadlock ? 1 : 0;
    }
    return deadlocks;
  }

  StackPool pool_;
};

// One comes to its place at once, the other long after.
TEST_F(DirectedTest, KeepsATaskBackUntilTheOtherHasCome) {
  const Story story = [](Rig& rig) {
    rig.Spawn("early", [&rig] { rig.Nest({&rig.a, &rig.b}, 0); });
    rig.Spawn("late", [&rig] {
      rig.Pause(40);
      rig.Nest({&rig.b, &rig.a}, 0);
    });
  };
  EXPECT_LE(DeadlocksAtRandom(story), 2);
  EXPECT_GE(DeadlocksOf(story, {{"A", "B"}, {"B", "A"}}), 120);
}

TEST_F(DirectedTest, BringsThreeTogether) {
  const Story story = [](Rig& rig) {
    rig.Spawn("one", [&rig] { rig.Nest({&rig.a, &rig.b}, 0); });
    rig.Spawn("two", [&rig] {
      rig.Pause(20);
      rig.Nest({&rig.b, &rig.c}, 0);
    });
    rig.Spawn("three", [&rig] {
      rig.Pause(40);
      rig.Nest({&rig.c, &rig.a}, 0);
    });
  };
  EXPECT_LE(DeadlocksAtRandom(story), 2);
  EXPECT_GE(DeadlocksOf(story, {{"A", "B"}, {"B", "C"}, {"C", "A"}}), 60);
}

// One that is in its wait already has come, too: nobody waits for the bystander's end.
TEST_F(DirectedTest, CountsWhoIsParked) {
  int met_before = 0;
  const Story story = [&](Rig& rig) {
    rig.Spawn("waiter", [&rig] {
      rig.a.mutex_lock();
      rig.event.wait_event([&rig] { return rig.is_set; });
      rig.a.mutex_unlock();
    });
    rig.Spawn("signaller", [&rig] {
      {
        const EventScope owes(rig.event);
        rig.a.mutex_lock();
        rig.a.mutex_unlock();
      }
      rig.is_set = true;
      rig.event.WakeAll();
    });
    rig.Spawn("bystander", [&] {
      rig.Pause(2'000);
      met_before += rig.world.tasks()[1]->state() == Task::State::kParked ? 1 : 0;
    });
  };
  EXPECT_GE(DeadlocksOf(story, {{"A", "event"}, {"event", "A"}}), 120);
  EXPECT_GE(met_before, 120);
}

// At its stop, a task is known to ask for a lock, but not with which subclass.
TEST_F(DirectedTest, TheSubclassThatIsAskedForMayBeAny) {
  const Story story = [](Rig& rig) {
    rig.Spawn("early", [&rig] {
      rig.a.mutex_lock();
      rig.b.mutex_lock(Subclass::kParent);
      rig.b.mutex_unlock();
      rig.a.mutex_unlock();
    });
    rig.Spawn("late", [&rig] {
      rig.Pause(40);
      rig.b.mutex_lock(Subclass::kParent);
      rig.a.mutex_lock();
      rig.a.mutex_unlock();
      rig.b.mutex_unlock();
    });
  };
  EXPECT_GE(DeadlocksOf(story, {{"A", "B/1"}, {"B/1", "A"}}), 120);
}

// One has to do much before the other does anything at all, at no lock.
TEST_F(DirectedTest, LetsATaskGoOnForLong) {
  const Story story = [](Rig& rig) {
    rig.Spawn("there", [&rig] {
      rig.Pause(1);
      rig.is_set = true;
      rig.Nest({&rig.a, &rig.b}, 0);
    });
    rig.Spawn("back", [&rig] {
      rig.Pause(25);
      if (!rig.is_set) rig.Nest({&rig.b, &rig.a}, 0);
    });
  };
  EXPECT_EQ(DeadlocksAtRandom(story), 0);
  EXPECT_GE(DeadlocksOf(story, {{"A", "B"}, {"B", "A"}}), 4);
}

// Where a wait for an event will come is not known before: whoever holds the lock is kept back at
// times. Here it has to be, while the other does much.
TEST_F(DirectedTest, KeepsAHolderBackBeforeAWaitThatCannotBeSeen) {
  const Story story = [](Rig& rig) {
    rig.is_set = true;
    rig.Spawn("holder", [&rig] {
      rig.a.mutex_lock();
      rig.event.wait_event([&rig] { return rig.is_set; });
      rig.a.mutex_unlock();
    });
    rig.Spawn("other", [&rig] {
      rig.Pause(40);
      rig.is_set = false;
      const EventScope owes(rig.event);
      rig.a.mutex_lock();
      rig.is_set = true;
      rig.event.WakeAll();
      rig.a.mutex_unlock();
    });
  };
  EXPECT_LE(DeadlocksAtRandom(story), 2);
  EXPECT_GE(DeadlocksOf(story, {{"A", "event"}, {"event", "A"}}), 10);
}

// It stops before the first of its rounds mostly, not always: here the deadlock is in the second,
// and there as long as the bystander runs.
TEST_F(DirectedTest, LetsSomePass) {
  const Story story = [](Rig& rig) {
    auto over = std::make_shared<bool>(false);
    rig.Spawn("twice", [&rig] {
      rig.Nest({&rig.a, &rig.b}, 0);
      rig.is_set = true;
      rig.event.WakeAll();
      rig.Nest({&rig.a, &rig.b}, 0);
    });
    rig.Spawn("after the first", [&rig, over] {
      rig.event.wait_event([&rig] { return rig.is_set; });
      if (!*over) rig.Nest({&rig.b, &rig.a}, 0);
    });
    rig.Spawn("bystander", [&rig, over] {
      rig.Pause(200);
      *over = true;
    });
  };
  EXPECT_GE(DeadlocksOf(story, {{"A", "B"}, {"B", "A"}}), 10);
}

TEST_F(DirectedTest, ACycleThatCannotCloseStopsNobody) {
  const Story story = [](Rig& rig) {
    rig.Spawn("there", [&rig] { rig.Nest({&rig.gate, &rig.a, &rig.b}, 1); });
    rig.Spawn("back", [&rig] { rig.Nest({&rig.gate, &rig.b, &rig.a}, 1); });
  };
  std::vector<ExecutionEnd> ends;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    DirectedStrategy strategy(seed, {{"A", "B"}, {"B", "A"}});
    ends.push_back(Run(strategy, story));
  }
  EXPECT_THAT(ends, Each(ExecutionEnd::kFinished));
}

TEST_F(DirectedTest, TheSameSeedMakesTheSameChoices) {
  const auto digest = [this](uint64_t seed) {
    DirectedStrategy strategy(seed, {{"A", "B"}, {"B", "A"}});
    Rig rig(strategy, pool_);
    for (int i = 0; i < 3; ++i) rig.Spawn("task", [&rig] { rig.Nest({&rig.a, &rig.b}, 2); });
    rig.world.Run();
    return rig.world.digest().Value().ToHex();
  };
  EXPECT_EQ(digest(1), digest(1));
  EXPECT_NE(digest(1), digest(2));
}

}  // namespace
}  // namespace sim
