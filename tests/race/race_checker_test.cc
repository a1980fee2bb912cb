#include "sim/race/race_checker.h"

#include "sim/engine/shared.h"
#include "sim/locking/bit_lock.h"
#include "sim/locking/mutex.h"
#include "sim/locking/rwsem.h"
#include "sim/locking/workqueue.h"
#include "tests/locking/locking_fixture.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RaceCheckerTest : public LockingTest {
 protected:
  void Write(const std::string& actor, Shared<int>& field) {
    Do(actor, [&] {
      SIM_FRAME("store_it");
      field = 1;
    });
  }
  void Read(const std::string& actor, const Shared<int>& field) {
    Do(actor, [&] {
      SIM_FRAME("load_it");
      (void)field.load();
    });
  }
  void Lock(const std::string& actor, Mutex& mutex) {
    Do(actor, [&] { mutex.mutex_lock(); });
  }
  void Unlock(const std::string& actor, Mutex& mutex) {
    Do(actor, [&] { mutex.mutex_unlock(); });
  }
  void PlayToTheEnd() { EXPECT_EQ(Play(), ExecutionEnd::kFinished); }

  GuardTable guards_;
  RaceChecker races_{world_, guards_};
  Shared<int> plain_{world_, {"i_blocks"}, {"inode", 12}, 0};
  ObjectId plain_object_ = world_.NewObject();
  Mutex mutex_{world_, tracker_.Class("i_rwsem"), {"inode", 12}};
  Mutex other_{world_, tracker_.Class("i_rwsem"), {"inode", 13}};
};

TEST_F(RaceCheckerTest, UnprotectedWriteAndReadAreARace) {
  Write("writer", plain_);
  Read("reader", plain_);
  PlayToTheEnd();
  EXPECT_THAT(Messages(), ElementsAre("data race on i_blocks: load_it() reads, store_it() writes"));
}

TEST_F(RaceCheckerTest, TwoReadsAreNone) {
  Read("one", plain_);
  Read("other", plain_);
  PlayToTheEnd();
  EXPECT_THAT(Messages(), IsEmpty());
}

TEST_F(RaceCheckerTest, MessageIsTheSameWhicheverComesFirst) {
  Read("reader", plain_);
  Write("writer", plain_);
  PlayToTheEnd();
  EXPECT_THAT(Messages(), ElementsAre("data race on i_blocks: load_it() reads, store_it() writes"));
}

TEST_F(RaceCheckerTest, CommonLockOrders) {
  for (const char* const actor : {"one", "other"}) {
    Lock(actor, mutex_);
    Write(actor, plain_);
    Unlock(actor, mutex_);
  }
  PlayToTheEnd();
  EXPECT_THAT(Messages(), IsEmpty());
}

TEST_F(RaceCheckerTest, LockOfAnotherObjectDoesNot) {
  Lock("one", mutex_);
  Write("one", plain_);
  Unlock("one", mutex_);
  Lock("other", other_);
  Write("other", plain_);
  Unlock("other", other_);
  PlayToTheEnd();
  ASSERT_EQ(world_.findings().size(), 1u);
  const std::string& detail = world_.findings().front().detail;
  EXPECT_THAT(detail, HasSubstr("i_blocks of inode 12"));
  EXPECT_THAT(detail, HasSubstr("one writes it at step"));
  EXPECT_THAT(detail, HasSubstr("holding i_rwsem:\n       store_it+tests/race/"));
  EXPECT_THAT(detail, HasSubstr("holding i_rwsem of another inode:"));
}

// Why a lock set alone would not do.
TEST_F(RaceCheckerTest, OrderByALockThatIsNotHeldAtTheAccessIsEnough) {
  Write("first", plain_);
  Lock("first", mutex_);
  Unlock("first", mutex_);
  Lock("then", mutex_);
  Unlock("then", mutex_);
  Write("then", plain_);
  PlayToTheEnd();
  EXPECT_THAT(Messages(), IsEmpty());
}

TEST_F(RaceCheckerTest, TwoReadersOfARwSemAreNotOrdered) {
  RwSem rwsem(world_, tracker_.Class("i_data_sem"), {"inode", 12});
  for (const char* const actor : {"one", "other"}) {
    Do(actor, [&] { rwsem.down_read(); });
    Write(actor, plain_);
    Do(actor, [&] { rwsem.up_read(); });
  }
  PlayToTheEnd();
  EXPECT_THAT(Messages(),
              ElementsAre("data race on i_blocks: store_it() writes, store_it() writes"));
}

TEST_F(RaceCheckerTest, WorkComesAfterWhatQueuedIt) {
  Workqueue queue(world_, "wq", tracker_.Class("slot"), 1);
  Do("user", [&] {
    plain_ = 1;
    queue.queue_work([&] { ++plain_; });
  });
  PlayToTheEnd();
  EXPECT_THAT(Messages(), IsEmpty());
}

TEST_F(RaceCheckerTest, EventComesAfterWhoBroughtItAboutAndBeforeWhomItWakes) {
  WaitQueue done(world_, tracker_.Class("done"), {});
  bool over = false;
  struct Io {
    Shared<int>& field;
    WaitQueue& done;
    bool& over;
  } io{plain_, done, over};
  Do("submitter", [&] {
    plain_ = 1;
    world_.At(
        world_.now() + 1, plain_object_,
        [](void* self, uint64_t) {
          auto& [field, queue, flag] = *static_cast<Io*>(self);
          ++field;
          flag = true;
          queue.WakeAll();
        },
        &io, 0);
  });
  Do("waiter", [&] {
    done.wait_event([&] { return over; });
    ++plain_;
  });
  PlayToTheEnd();
  EXPECT_THAT(Messages(), IsEmpty());
}

TEST_F(RaceCheckerTest, LocklessReadsAreNoRaceButUnorderedWritesAre) {
  Shared<int> size(world_, {"i_disksize", Sharing::kLocklessReads, "READ_ONCE()"}, {}, 0);
  Write("one", size);
  Read("reader", size);
  Do("other", [&] { size = 2; });
  PlayToTheEnd();
  EXPECT_THAT(Messages(), ElementsAre("data race on i_disksize: a task writes, store_it() writes"));
}

TEST_F(RaceCheckerTest, AtomicsAreNoRaceAndOrderOnlyIfTheKernelsDo) {
  Shared<int> relaxed(world_, {"counter", Sharing::kAtomic, "percpu_counter"}, {}, 0);
  Shared<int> ordered(world_, {"i_size", Sharing::kOrdered, "store-release"}, {}, 0);
  Shared<int> second(world_, {"second"}, {}, 0);
  Do("one", [&] {
    plain_ = 1;
    ++relaxed;
    second = 1;
    ++ordered;
  });
  Do("other", [&] {
    ++relaxed;
    (void)plain_.load();
    (void)ordered.load();
    (void)second.load();
  });
  PlayToTheEnd();
  EXPECT_THAT(Messages(), ElementsAre("data race on i_blocks: a task reads, a task writes"));
}

TEST_F(RaceCheckerTest, ReportsEachRaceOnce) {
  for (int i = 0; i < 3; ++i) {
    Write("writer", plain_);
    Write("another", plain_);
  }
  PlayToTheEnd();
  EXPECT_EQ(Messages().size(), 1u);
}

}  // namespace
}  // namespace sim
