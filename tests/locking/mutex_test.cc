#include "sim/locking/mutex.h"

#include "tests/locking/locking_fixture.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class MutexTest : public LockingTest {
 protected:
  void Lock(const std::string& actor) {
    Do(actor, [this] { mutex_.mutex_lock(); });
  }
  void Unlock(const std::string& actor) {
    Do(actor, [this] { mutex_.mutex_unlock(); });
  }

  Mutex mutex_{world_, tracker_.Class("s_umount"), {"super", 1}};
};

TEST_F(MutexTest, SecondTakerWaitsForTheFirst) {
  Lock("first");
  Lock("second");
  Check([this] {
    EXPECT_THAT(Parked(), ElementsAre("second"));
    EXPECT_THAT(mutex_.Owners(), ElementsAre(TaskId{0}));
  });
  Unlock("first");
  Check([this] {
    EXPECT_THAT(Parked(), IsEmpty());
    EXPECT_THAT(mutex_.Owners(), ElementsAre(TaskId{1}));
  });
  Unlock("second");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(mutex_.Owners(), IsEmpty());
  EXPECT_THAT(Messages(), IsEmpty());
}

TEST_F(MutexTest, WaitersAreServedInOrderOfArrival) {
  Lock("first");
  Lock("third");
  Lock("second");
  Unlock("first");
  Check([this] { EXPECT_THAT(Parked(), ElementsAre("second")); });
  Unlock("third");
  Unlock("second");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

TEST_F(MutexTest, TrylockFailsInsteadOfWaiting) {
  Lock("owner");
  Do("other", [this] { EXPECT_FALSE(mutex_.mutex_trylock()); });
  Unlock("owner");
  Do("other", [this] { EXPECT_TRUE(mutex_.mutex_trylock()); });
  Do("owner", [this] { EXPECT_FALSE(mutex_.mutex_trylock()); });
  Unlock("other");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

TEST_F(MutexTest, UnlockByAnotherTaskIsMisuseAndChangesNothing) {
  Lock("owner");
  Unlock("other");
  Check([this] { EXPECT_THAT(mutex_.Owners(), ElementsAre(TaskId{0})); });
  Unlock("owner");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Messages(), ElementsAre("mutex_unlock() by a task that does not own it: s_umount"));
  EXPECT_EQ(world_.findings().at(0).kind, "lock_misuse");
}

TEST_F(MutexTest, EndOfATaskThatHoldsItIsReported) {
  Lock("owner");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Reports(), ElementsAre(ReportKind::kHeldAtExit));
}

TEST_F(MutexTest, TakingItTwiceIsADeadlock) {
  Lock("owner");
  Lock("owner");
  EXPECT_EQ(Play(), ExecutionEnd::kDeadlock);
  EXPECT_THAT(Reports(), ElementsAre(ReportKind::kRecursiveLock));
}

TEST_F(MutexTest, GuardGivesBackAtTheEndOfItsBlock) {
  Do("owner", [this] {
    {
      MutexGuard guard(mutex_);
      EXPECT_TRUE(mutex_.held());
      guard.Unlock();
      EXPECT_FALSE(mutex_.held());
      guard.Relock(mutex_);
      EXPECT_TRUE(mutex_.held());
    }
    EXPECT_FALSE(mutex_.held());
  });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(MutexTest, DescribesClassAndInstance) {
  EXPECT_EQ(mutex_.Describe(), "s_umount of super 1");
}

}  // namespace
}  // namespace sim
