// What a task has in a deadlock: the locks that it holds, and what it asks for meanwhile.

#include "sim/locking/hold_and_wait.h"

#include "sim/locking/mutex.h"
#include "sim/locking/wait_event.h"
#include "tests/locking/locking_fixture.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class HoldAndWaitTest : public LockingTest {
 protected:
  HoldAndWait Of(std::string_view name) const {
    for (const Task* const task : world_.tasks()) {
      if (task->name() == name) return HoldAndWaitOf(world_, *task);
    }
    return {};
  }

  Mutex a_{world_, tracker_.Class("A"), {}};
  Mutex b_{world_, tracker_.Class("B"), {}};
  Mutex c_{world_, tracker_.Class("C"), {}};
  WaitQueue queue_{world_, tracker_.Class("queue"), {}};
  WaitQueue event_{world_, tracker_.Class("event"), {}};
};

TEST_F(HoldAndWaitTest, WhoIsParkedHoldsWhatItTookBefore) {
  HoldAndWait other;
  Do("owner", [this] { c_.mutex_lock(); });
  Do("other", [this] {
    a_.mutex_lock();
    b_.mutex_lock(Subclass::kParent);
    c_.mutex_lock(Subclass::kChild);
  });
  Check([&] { other = Of("other"); });
  Do("owner", [this] { c_.mutex_unlock(); });
  Play();
  EXPECT_THAT(other.held, ElementsAre("A", "B/1"));
  EXPECT_THAT(other.wanted, ElementsAre("C/2"));
}

TEST_F(HoldAndWaitTest, AQueueIsWhatItStandsForAsWell) {
  queue_.StandsFor(event_);
  HoldAndWait waiter;
  bool done = false;
  Do("waiter", [&] {
    a_.mutex_lock();
    queue_.wait_event([&] { return done; });
  });
  Check([&] { waiter = Of("waiter"); });
  Do("other", [&] {
    done = true;
    queue_.WakeAll();
  });
  Play();
  EXPECT_THAT(waiter.held, ElementsAre("A"));
  EXPECT_THAT(waiter.wanted, ElementsAre("queue", "event"));
}

TEST_F(HoldAndWaitTest, WhoSleepsWantsNothing) {
  HoldAndWait sleeper;
  Do("sleeper", [this] {
    a_.mutex_lock();
    world_.SleepFor(10'000'000);
  });
  Check([&] { sleeper = Of("sleeper"); });
  Play();
  EXPECT_THAT(sleeper.held, ElementsAre("A"));
  EXPECT_THAT(sleeper.wanted, IsEmpty());
}

// Before each choice, looks at the task that is about to take its third lock.
class Onlooker final : public Strategy {
 public:
  void OnStart(const World& world) override { world_ = &world; }
  bool wants_turns() const override { return true; }
  size_t Choose(const ChoicePoint&) override {
    seen_.push_back(HoldAndWaitOf(*world_, *world_->tasks()[0]));
    return 0;
  }

  const World* world_ = nullptr;
  std::vector<HoldAndWait> seen_;
};

TEST(HoldAndWaitOfReadyTest, WhoIsReadyWantsWhatItsNextTurnAsksFor) {
  Onlooker onlooker;
  StackPool pool;
  StackTable stacks;
  Validator validator;
  World world({}, onlooker, pool, stacks);
  LockTracker tracker(world, validator);
  Mutex a(world, tracker.Class("A"), {}), b(world, tracker.Class("B"), {});
  world.Spawn("task", TaskKind::kUser, [&] {
    a.mutex_lock();
    b.mutex_lock();
    world.Step(world.NewObject(), Access::kRead);
    b.mutex_unlock();
    a.mutex_unlock();
  });
  world.Run();
  EXPECT_THAT(onlooker.seen_, ElementsAre(HoldAndWait{}, HoldAndWait{{}, {"A"}},
                                          HoldAndWait{{"A"}, {"B"}}, HoldAndWait{{"A", "B"}, {}}));
}

bool DoesAll(const HoldAndWait& task, const std::vector<CycleWait>& cycle) {
  return Does(task, cycle, 0);
}

TEST(DeadlockOfTest, AWaitIsDoneByWhoHoldsTheOneAndWantsTheOther) {
  const HoldAndWait task{{"A", "B"}, {"C", "D"}};
  EXPECT_TRUE(DoesAll(task, {{"B", "D"}, {"D", "B"}}));
  EXPECT_TRUE(DoesAll(task, {{"A", "C"}, {"C", "A"}}));
  EXPECT_FALSE(DoesAll(task, {{"C", "D"}, {"D", "C"}}));
  EXPECT_FALSE(DoesAll(task, {{"A", "E"}, {"E", "A"}}));
}

// B is taken under A, and C wanted under B: who does both waits A for C.
TEST(DeadlockOfTest, WhoHasWhatItWantedMayDoTheNextWaitAsWell) {
  const std::vector<CycleWait> cycle = {{"A", "B"}, {"B", "C"}, {"C", "A"}};
  const HoldAndWait both{{"A", "B"}, {"C"}}, back{{"C"}, {"A"}};
  EXPECT_TRUE(Does(both, cycle, 0));
  EXPECT_TRUE(Does(both, cycle, 1));
  EXPECT_FALSE(Does(both, cycle, 2));
  EXPECT_TRUE(IsDeadlockOf(cycle, {both, back}));
  // Not if it has the two in the other order, or if it wants nothing of the cycle.
  EXPECT_FALSE(Does(HoldAndWait{{"B", "A"}, {"C"}}, cycle, 0));
  EXPECT_FALSE(Does(HoldAndWait{{"A", "B"}, {"D"}}, cycle, 0));
  // Around the end of the list.
  EXPECT_TRUE(Does(HoldAndWait{{"C", "A"}, {"B"}}, cycle, 2));
}

TEST(DeadlockOfTest, OnlyWhoIsParkedIsKnownToWantASubclass) {
  const std::vector<CycleWait> cycle = {{"A", "B/1"}, {"B/1", "A"}};
  EXPECT_TRUE(Does(HoldAndWait{{"A"}, {"B"}}, cycle, 0));
  EXPECT_FALSE(Does(HoldAndWait{{"A"}, {"B"}, true}, cycle, 0));
  EXPECT_TRUE(Does(HoldAndWait{{"A"}, {"B/1"}, true}, cycle, 0));
}

TEST(DeadlockOfTest, EachWaitOfTheCycleIsSomebodys) {
  const std::vector<CycleWait> cycle = {{"A", "B"}, {"B", "A"}};
  const HoldAndWait there{{"A"}, {"B"}}, back{{"B"}, {"A"}}, bystander{{"C"}, {"A"}};
  EXPECT_TRUE(IsDeadlockOf(cycle, {bystander, back, there}));
  EXPECT_FALSE(IsDeadlockOf(cycle, {there, bystander}));
  EXPECT_FALSE(IsDeadlockOf(cycle, {}));
  // One who waits for two things at once can be both.
  EXPECT_TRUE(IsDeadlockOf(cycle, {HoldAndWait{{"A", "B"}, {"B", "A"}}}));
}

}  // namespace
}  // namespace sim
