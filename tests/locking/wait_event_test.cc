#include "sim/locking/wait_event.h"

#include "sim/locking/mutex.h"
#include "tests/locking/locking_fixture.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class WaitEventTest : public LockingTest {
 protected:
  void Wait(const std::string& actor) {
    Do(actor, [this] { queue_.wait_event([this] { return ready_; }); });
  }
  void Announce(bool ready) {
    Do("waker", [this, ready] {
      ready_ = ready;
      queue_.WakeAll();
    });
  }

  WaitQueue queue_{world_, tracker_.Class("transaction commit", {}), {"tid", 7}};
  Mutex mutex_{world_, tracker_.Class("i_rwsem"), {}};
  bool ready_ = false;
};

TEST_F(WaitEventTest, WaiterGoesOnOnceTheConditionHolds) {
  Wait("waiter");
  Wait("other waiter");
  Check([this] { EXPECT_THAT(Parked(), ElementsAre("waiter", "other waiter")); });
  Announce(true);
  Check([this] { EXPECT_FALSE(queue_.active()); });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

TEST_F(WaitEventTest, WakeUpWithoutTheConditionParksAgain) {
  Wait("waiter");
  Announce(false);
  Check([this] { EXPECT_THAT(Parked(), ElementsAre("waiter")); });
  Announce(true);
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

TEST_F(WaitEventTest, ConditionThatHoldsIsNoWait) {
  Announce(true);
  Wait("waiter");
  Check([this] { EXPECT_THAT(Parked(), IsEmpty()); });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

TEST_F(WaitEventTest, EventThatNobodyBringsAboutIsADeadlock) {
  Wait("waiter");
  EXPECT_EQ(Play(), ExecutionEnd::kDeadlock);
}

TEST_F(WaitEventTest, DeadlineEndsTheWait) {
  Do("waiter", [this] {
    EXPECT_FALSE(queue_.wait_event_until([this] { return ready_; }, world_.now() + 5'000'000'000));
    EXPECT_FALSE(queue_.active());
  });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_GE(world_.now(), 5'000'000'000);
}

TEST_F(WaitEventTest, WakeUpBeforeTheDeadlineEndsTheWaitInTime) {
  world_.Spawn("waiter", TaskKind::kUser, [this] {
    EXPECT_TRUE(queue_.wait_event_until([this] { return ready_; }, 5'000'000'000));
  });
  world_.Spawn("waker", TaskKind::kUser, [this] {
    while (!queue_.active()) world_.Step(queue_.object(), Access::kRead);
    ready_ = true;
    queue_.WakeAll();
  });
  EXPECT_EQ(world_.Run(), ExecutionEnd::kFinished);
  EXPECT_LT(world_.now(), 5'000'000'000);
}

// Waits are dependencies: the classic inversion, with an event for one of the locks.
TEST_F(WaitEventTest, LockTakenByWhoBringsAboutTheEventClosesACycle) {
  Do("committer", [this] {
    const EventScope scope(queue_);
    const MutexGuard guard(mutex_);
  });
  Announce(true);
  Do("writer", [this] {
    const MutexGuard guard(mutex_);
    queue_.wait_event([this] { return ready_; });
  });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Reports(), ElementsAre(ReportKind::kLockCycle));
}

TEST_F(WaitEventTest, CompletionLetsEverybodyThroughForGood) {
  Completion completion(world_, tracker_.Class("j_wait"), {});
  Do("waiter", [&] { completion.wait_for_completion(); });
  Check([this] { EXPECT_THAT(Parked(), ElementsAre("waiter")); });
  Do("worker", [&] { completion.complete(); });
  Do("late waiter", [&] { completion.wait_for_completion(); });
  Check([this] { EXPECT_THAT(Parked(), IsEmpty()); });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_TRUE(completion.done());
}

TEST_F(WaitEventTest, CompletionOfSeveralStepsIsOverWithTheLast) {
  Completion completion(world_, tracker_.Class("j_wait"), {}, /*steps=*/1);
  Do("worker", [&] { completion.expect(); });
  Do("waiter", [&] { completion.wait_for_completion(); });
  Do("worker", [&] { completion.complete(); });
  Check([this] { EXPECT_THAT(Parked(), ElementsAre("waiter")); });
  Do("worker", [&] { completion.complete(); });
  Check([this] { EXPECT_THAT(Parked(), IsEmpty()); });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

TEST_F(WaitEventTest, BitIsWaitedForWhileItIsSet) {
  WaitBit bit(world_, tracker_.Class("PG_writeback"), {});
  Do("early waiter", [&] { bit.wait_on_bit(); });
  Do("worker", [&] { bit.set_bit(); });
  Do("waiter", [&] { bit.wait_on_bit(); });
  Check([this] { EXPECT_THAT(Parked(), ElementsAre("waiter")); });
  Do("worker", [&] { bit.clear_and_wake_up_bit(); });
  Check([this] { EXPECT_THAT(Parked(), IsEmpty()); });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

}  // namespace
}  // namespace sim
