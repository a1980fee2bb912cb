#include "sim/locking/spinlock.h"

#include "sim/locking/mutex.h"
#include "tests/locking/locking_fixture.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class SpinLockTest : public LockingTest {
 protected:
  // An interrupt that takes the lock, at once if interrupts are on.
  void RaiseIrq() {
    world_.At(
        world_.now(), spinlock_.object(),
        [](void* self, uint64_t) {
          auto& test = *static_cast<SpinLockTest*>(self);
          const SpinIrqGuard guard(test.spinlock_);
          ++test.irqs_;
        },
        this, 0);
  }

  SpinLock spinlock_{world_, tracker_.Class("i_raw_lock", kSpinLock), {}};
  Mutex mutex_{world_, tracker_.Class("s_umount"), {}};
  int irqs_ = 0;
};

TEST_F(SpinLockTest, SecondTakerSpinsUntilTheUnlock) {
  Do("owner", [this] { spinlock_.spin_lock(); });
  Do("other", [this] { spinlock_.spin_lock(); });
  Check([this] { EXPECT_THAT(Parked(), ElementsAre("other")); });
  Do("owner", [this] { spinlock_.spin_unlock(); });
  Do("owner", [this] { EXPECT_FALSE(spinlock_.spin_trylock()); });
  Do("other", [this] { spinlock_.spin_unlock(); });
  Do("owner", [this] {
    EXPECT_TRUE(spinlock_.spin_trylock());
    spinlock_.spin_unlock();
  });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Messages(), IsEmpty());
}

TEST_F(SpinLockTest, SleepingWaitInsideIsMisuse) {
  Do("owner", [this] {
    const SpinGuard guard(spinlock_);
    const MutexGuard sleeping(mutex_);
  });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Messages(),
              ElementsAre("sleeping wait in a spinlock's critical section: mutex_lock"));
}

TEST_F(SpinLockTest, SleepingWaitAfterTheUnlockIsFine) {
  Do("owner", [this] {
    { const SpinGuard guard(spinlock_); }
    { const SpinIrqGuard guard(spinlock_); }
    const MutexGuard sleeping(mutex_);
  });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Messages(), IsEmpty());
}

TEST_F(SpinLockTest, SleepingWaitInAnInterruptIsMisuse) {
  Do("task", [this] {
    world_.At(
        world_.now(), mutex_.object(),
        [](void* self, uint64_t) {
          static_cast<LockTracker*>(self)->MightSleep("mutex_lock", Site::Here());
        },
        &tracker_, 0);
  });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Messages(), ElementsAre("sleeping wait in an interrupt: mutex_lock"));
}

TEST_F(SpinLockTest, InterruptsWaitForIrqRestore) {
  Do("owner", [this] {
    spinlock_.spin_lock_irqsave();
    RaiseIrq();
    for (int i = 0; i < 100; ++i) world_.Step(spinlock_.object(), Access::kRead);
    EXPECT_EQ(irqs_, 0);
    spinlock_.spin_unlock_irqrestore();
  });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_EQ(irqs_, 1);
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(SpinLockTest, LockOfInterruptsTakenWithInterruptsOnIsReported) {
  Do("owner", [this] {
    RaiseIrq();
    world_.SleepFor(10);
    const SpinGuard guard(spinlock_);
  });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Reports(), ElementsAre(ReportKind::kInconsistentUsage));
}

TEST_F(SpinLockTest, UnlockByAnotherTaskIsMisuse) {
  Do("owner", [this] { spinlock_.spin_lock(); });
  Do("other", [this] { spinlock_.spin_unlock(); });
  Do("owner", [this] { spinlock_.spin_unlock(); });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Messages(), ElementsAre("spin_unlock() by a task that does not own it: i_raw_lock"));
}

}  // namespace
}  // namespace sim
