#include "sim/locking/workqueue.h"

#include "sim/locking/mutex.h"
#include "tests/locking/locking_fixture.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class WorkqueueTest : public LockingTest {
 protected:
  // Work that goes on until Finish().
  void Queue(Workqueue& queue, int item) {
    queue.queue_work([this, item] {
      started_.push_back(item);
      gate_.wait_event([this, item] { return finished_ >= item; });
      done_.push_back(item);
    });
  }
  void Finish(int item) {
    Do("director's hand", [this, item] {
      finished_ = item;
      gate_.WakeAll();
    });
  }

  LockClassId slot_class_ = tracker_.Class("(wq_completion)rsv_conversion", {});
  WaitQueue gate_{world_, tracker_.Class("gate", {}), {}};
  std::vector<int> started_, done_;
  int finished_ = 0;
};

TEST_F(WorkqueueTest, OneSlotRunsItemsOneByOneInOrder) {
  Workqueue queue(world_, "rsv", slot_class_, 1);
  Do("user", [&] {
    for (const int item : {1, 2, 3}) Queue(queue, item);
  });
  Check([this] { EXPECT_THAT(started_, ElementsAre(1)); });
  Finish(1);
  Check([this] { EXPECT_THAT(started_, ElementsAre(1, 2)); });
  Finish(3);
  Check([this] { EXPECT_THAT(done_, ElementsAre(1, 2, 3)); });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(WorkqueueTest, MaxActiveItemsRunAtOnce) {
  Workqueue queue(world_, "rsv", slot_class_, 2);
  Do("user", [&] {
    for (const int item : {1, 2, 3}) Queue(queue, item);
  });
  Check([this] { EXPECT_THAT(started_, ElementsAre(1, 2)); });
  Finish(3);
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_EQ(done_.size(), 3u);
}

TEST_F(WorkqueueTest, FlushWaitsForWhatWasQueuedBefore) {
  Workqueue queue(world_, "rsv", slot_class_, 1);
  Do("user", [&] { Queue(queue, 1); });
  Do("flusher", [&] { queue.flush_workqueue(); });
  Do("user", [&] { Queue(queue, 2); });
  Check([this] { EXPECT_THAT(Parked(), ElementsAre("flusher")); });
  Finish(1);
  Check([this] { EXPECT_THAT(Parked(), IsEmpty()); });
  Finish(2);
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

// The reason why an item must not flush, or wait for later items of, its own queue.
TEST_F(WorkqueueTest, ItemThatFlushesItsOwnQueueIsReportedAndDeadlocks) {
  Workqueue queue(world_, "rsv", slot_class_, 1);
  Do("user", [&] { queue.queue_work([&] { queue.flush_workqueue(); }); });
  EXPECT_EQ(Play(), ExecutionEnd::kDeadlock);
  EXPECT_THAT(Reports(), ElementsAre(ReportKind::kRecursiveLock));
}

// Somebody holds a lock and waits for what an item does, while another item takes that lock. They
// do not meet here: an execution in which each does its part alone is enough.
class ItemWaitTest : public WorkqueueTest {
 protected:
  std::vector<ReportKind> ReportsWith(int max_active, bool other_queue) {
    Workqueue queue(world_, "rsv", slot_class_, max_active);
    Workqueue other(world_, "other", tracker_.Class("(wq_completion)other", {}), 1);
    queue.BringsAbout(event_);
    Do("user", [&] {
      (other_queue ? other : queue).queue_work([this] {
        mutex_.mutex_lock();
        mutex_.mutex_unlock();
      });
      queue.queue_work([this] { End(); });
    });
    Do("waiter", [&] {
      mutex_.mutex_lock();
      queue.might_wait_for_item([this] { return is_over_; }, Site::Here());
      event_.wait_event([this] { return is_over_; });
      mutex_.mutex_unlock();
    });
    EXPECT_EQ(Play(), ExecutionEnd::kFinished);
    return Reports();
  }
  void End() {
    is_over_ = true;
    event_.WakeAll();
  }

  Mutex mutex_{world_, tracker_.Class("mutex"), {}};
  WaitQueue event_{world_, tracker_.Class("done", {}), {}};
  bool is_over_ = false;
};

TEST_F(ItemWaitTest, WhoWaitsForAnItemOfASingleSlotWaitsForTheOthers) {
  EXPECT_THAT(ReportsWith(1, false), ElementsAre(ReportKind::kLockCycle));
}

TEST_F(ItemWaitTest, WithASecondSlotNobodyIsHeldUp) {
  EXPECT_THAT(ReportsWith(2, false), IsEmpty());
}

TEST_F(ItemWaitTest, ItemsOfAnotherQueueAreNotWaitedFor) {
  EXPECT_THAT(ReportsWith(1, true), IsEmpty());
}

// Items run in the order queued: what it finds done was done by an item before it.
TEST_F(ItemWaitTest, AnItemMayLookForWhatAnEarlierOneDid) {
  Workqueue queue(world_, "rsv", slot_class_, 1);
  queue.BringsAbout(event_);
  Do("user", [&] {
    queue.queue_work([this] { End(); });
    queue.queue_work([&] {
      queue.might_wait_for_item([this] { return is_over_; }, Site::Here());
      event_.wait_event([this] { return is_over_; });
    });
  });
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
  EXPECT_THAT(Reports(), IsEmpty());
}

TEST_F(ItemWaitTest, AnItemThatWaitsForALaterOneIsReportedAndDeadlocks) {
  Workqueue queue(world_, "rsv", slot_class_, 1);
  queue.BringsAbout(event_);
  Do("user", [&] {
    queue.queue_work([&] {
      queue.might_wait_for_item([this] { return is_over_; }, Site::Here());
      event_.wait_event([this] { return is_over_; });
    });
    queue.queue_work([this] { End(); });
  });
  EXPECT_EQ(Play(), ExecutionEnd::kDeadlock);
  EXPECT_THAT(Reports(), ElementsAre(ReportKind::kRecursiveLock));
}

TEST_F(WorkqueueTest, WorkersStopWhenTheExecutionIsOver) {
  Workqueue queue(world_, "rsv", slot_class_, 3);
  EXPECT_EQ(Play(), ExecutionEnd::kFinished);
}

}  // namespace
}  // namespace sim
