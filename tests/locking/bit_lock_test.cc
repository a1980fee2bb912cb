#include "sim/locking/bit_lock.h"

#include "tests/locking/locking_fixture.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class BitLockTest : public LockingTest {
 protected:
  void Lock(const std::string& actor) {
    Do(actor, [this] { folio_.lock(); });
  }
  void Unlock(const std::string& actor) {
    Do(actor, [this] { folio_.unlock(); });
  }

  BitLock folio_{world_, tracker_.Class("folio lock"), {"folio", 12, 3}};
};

TEST_F(BitLockTest, WaitersAreServedInOrderOfArrival) {
  Lock("first");
  Lock("second");
  Lock("third");
  Unlock("first");
  Check([this] { EXPECT_THAT(Parked(), ElementsAre("third")); });
  Unlock("second");
  Unlock("third");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_FALSE(folio_.is_locked());
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(BitLockTest, TrylockFailsInsteadOfWaiting) {
  Lock("owner");
  Do("other", [this] { EXPECT_FALSE(folio_.trylock()); });
  Unlock("owner");
  Do("other", [this] {
    EXPECT_TRUE(folio_.trylock());
    EXPECT_TRUE(folio_.held());
  });
  Unlock("other");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

TEST_F(BitLockTest, AnotherTaskMayUnlock) {
  Lock("owner");
  Unlock("other");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_FALSE(folio_.is_locked());
  EXPECT_THAT(Messages(), IsEmpty());
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(BitLockTest, CompletionUnlocksWhatWasHandedOver) {
  Do("reader", [this] {
    folio_.lock();
    world_.At(
        world_.now() + 1'000'000'000, folio_.object(),
        [](void* folio, uint64_t) { static_cast<BitLock*>(folio)->unlock(); }, &folio_, 0);
    folio_.hand_over();
    EXPECT_THAT(folio_.Owners(), IsEmpty());
    EXPECT_TRUE(folio_.is_locked());
    folio_.lock();
    EXPECT_TRUE(folio_.held());
    folio_.unlock();
  });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(BitLockTest, UnlockOfAnUnlockedBitIsMisuse) {
  Unlock("task");
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Messages(), ElementsAre("unlock of a bit that nobody holds: folio lock"));
}

TEST_F(BitLockTest, DescribesFileAndIndex) {
  EXPECT_EQ(folio_.Describe(), "folio lock of folio 12:3");
}

}  // namespace
}  // namespace sim
