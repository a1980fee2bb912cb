#include "sim/engine/event_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <vector>

#include "sim/engine/random.h"

namespace sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

void AppendTo(void* self, uint64_t arg) {
  static_cast<std::vector<uint64_t>*>(self)->push_back(arg);
}

class EventQueueTest : public ::testing::Test {
 protected:
  EventId Push(Nanos at, uint64_t arg = 0) { return queue_.Push(at, AppendTo, &ran_, arg); }
  void RunAll() {
    while (!queue_.empty()) queue_.PopEarliest()();
  }
  std::vector<EventId> Pending() {
    std::vector<Event> events;
    queue_.ListPending(events);
    std::vector<EventId> ids;
    for (const Event& event : events) ids.push_back(event.id);
    return ids;
  }

  EventQueue queue_;
  std::vector<uint64_t> ran_;
};

TEST_F(EventQueueTest, RunsInOrderOfTimeAndThenOfCreation) {
  Push(20, 1);
  Push(10, 2);
  Push(20, 3);
  Push(10, 4);
  RunAll();
  EXPECT_THAT(ran_, ElementsAre(2, 4, 1, 3));
}

TEST_F(EventQueueTest, KeepsWhatWasPushed) {
  const EventId id = queue_.Push(5, AppendTo, &ran_, 7, ObjectId{3});
  const Event event = queue_.PopEarliest();
  EXPECT_EQ(event.at, 5);
  EXPECT_EQ(event.id, id);
  EXPECT_EQ(event.object, ObjectId{3});
  event();
  EXPECT_THAT(ran_, ElementsAre(7));
}

TEST_F(EventQueueTest, EarliestTimeSkipsCancelledEvents) {
  EXPECT_EQ(queue_.earliest_at(), EventQueue::kNever);
  EXPECT_EQ(queue_.earliest_id(), EventId{});
  const EventId first = Push(1);
  const EventId second = Push(2);
  const EventId third = Push(3);
  EXPECT_TRUE(queue_.Cancel(second));
  EXPECT_EQ(queue_.earliest_at(), 1);
  EXPECT_TRUE(queue_.Cancel(first));
  EXPECT_EQ(queue_.earliest_at(), 3);
  EXPECT_EQ(queue_.earliest_id(), third);
  EXPECT_EQ(queue_.size(), 1u);
}

TEST_F(EventQueueTest, CancelOfAGoneEventDoesNothing) {
  const EventId popped = Push(1);
  const EventId cancelled = Push(2);
  queue_.PopEarliest();
  EXPECT_TRUE(queue_.Cancel(cancelled));
  EXPECT_FALSE(queue_.Cancel(cancelled));
  EXPECT_FALSE(queue_.Cancel(popped));
  EXPECT_FALSE(queue_.Cancel(EventId{}));
}

TEST_F(EventQueueTest, AnyEventCanBeTakenOutOfOrder) {
  const EventId a = Push(10, 1);
  const EventId b = Push(20, 2);
  const EventId c = Push(30, 3);
  queue_.Pop(c)();
  EXPECT_THAT(Pending(), ElementsAre(a, b));
  queue_.Pop(a)();
  EXPECT_THAT(Pending(), ElementsAre(b));
  RunAll();
  EXPECT_THAT(ran_, ElementsAre(3, 1, 2));
}

TEST_F(EventQueueTest, ClearStartsAgainFromIdZero) {
  for (int i = 0; i < 1000; ++i) Push(i);
  queue_.Clear();
  EXPECT_TRUE(queue_.empty());
  EXPECT_THAT(Pending(), IsEmpty());
  EXPECT_EQ(queue_.earliest_at(), EventQueue::kNever);
  EXPECT_EQ(Push(1).value, 0u);
}

TEST(EventQueueDeathTest, RefusesWhatIsNotPending) {
  EventQueue queue;
  EXPECT_EXIT(queue.PopEarliest(), ::testing::ExitedWithCode(3), "empty");
  EXPECT_EXIT(queue.Pop(EventId{0}), ::testing::ExitedWithCode(3), "check failed");
  EXPECT_EXIT(queue.Push(-1, AppendTo, nullptr, 0), ::testing::ExitedWithCode(3), "at >= 0");
}

// The naive queue: an ordered set of (time, id).
class Oracle {
 public:
  using Entry = std::tuple<Nanos, EventId>;

  void Push(Nanos at, EventId id) { entries_.emplace(at, id); }
  void Erase(size_t nth) { entries_.erase(Nth(nth)); }
  EventId IdOf(size_t nth) const { return std::get<EventId>(*Nth(nth)); }
  size_t size() const { return entries_.size(); }
  Nanos earliest_at() const {
    return entries_.empty() ? EventQueue::kNever : std::get<Nanos>(*entries_.begin());
  }
  void Clear() { entries_.clear(); }
  std::vector<Entry> List() const { return {entries_.begin(), entries_.end()}; }

 private:
  std::set<Entry>::const_iterator Nth(size_t nth) const { return std::next(entries_.begin(), nth); }

  std::set<Entry> entries_;
};

// How large the queue gets, and how often events are taken out of order.
struct Mix {
  uint64_t limit;
  uint64_t time_range;
  uint64_t out_of_order_one_in;
};

class EventQueueRandomTest : public ::testing::TestWithParam<Mix> {
 protected:
  void Push() {
    const Nanos at = now_ + static_cast<Nanos>(random_.UniformBelow(GetParam().time_range));
    oracle_.Push(at, queue_.Push(at, AppendTo, nullptr, static_cast<uint64_t>(at)));
  }
  void Pop() {
    const bool any = random_.OneIn(GetParam().out_of_order_one_in);
    const size_t nth = any ? random_.UniformBelow(oracle_.size()) : 0;
    const EventId id = oracle_.IdOf(nth);
    if (any && random_.OneIn(2)) {
      ASSERT_TRUE(queue_.Cancel(id));
    } else {
      const Event event = any ? queue_.Pop(id) : queue_.PopEarliest();
      ASSERT_EQ(event.id, id);
      ASSERT_EQ(event.arg, static_cast<uint64_t>(event.at));
      now_ = std::max(now_, event.at);
    }
    ASSERT_FALSE(queue_.IsPending(id));
    oracle_.Erase(nth);
  }
  void CompareLists() {
    std::vector<Event> events;
    queue_.ListPending(events);
    std::vector<Oracle::Entry> entries;
    for (const Event& event : events) entries.emplace_back(event.at, event.id);
    ASSERT_EQ(entries, oracle_.List());
  }
  void Clear() {
    queue_.Clear();
    oracle_.Clear();
    now_ = 0;
  }

  RandomStream random_{1, "event_queue_test"};
  EventQueue queue_;
  Oracle oracle_;
  Nanos now_ = 0;
};

TEST_P(EventQueueRandomTest, BehavesAsAnOrderedSet) {
  const uint64_t limit = GetParam().limit;
  uint64_t goal = limit;  // alternates, so that the queue both fills and drains
  for (int step = 0; step < 100000; ++step) {
    if (oracle_.size() == goal) goal = random_.UniformBelow(limit + 1);
    if (oracle_.size() < goal || oracle_.size() == 0) {
      Push();
    } else {
      ASSERT_NO_FATAL_FAILURE(Pop());
    }
    ASSERT_EQ(queue_.size(), oracle_.size());
    ASSERT_EQ(queue_.earliest_at(), oracle_.earliest_at());
    if (random_.OneIn(4 * limit)) {
      ASSERT_NO_FATAL_FAILURE(CompareLists());
    }
    if (random_.OneIn(20000)) Clear();
  }
}

INSTANTIATE_TEST_SUITE_P(Mixes, EventQueueRandomTest,
                         ::testing::Values(Mix{1, 10, 2}, Mix{4, 3, 1}, Mix{20, 1000, 1},
                                           Mix{20, 5, 3}, Mix{300, 100, 1}, Mix{300, 1000000, 4},
                                           Mix{3000, 1000, 2}, Mix{3000, 1, 50}));

}  // namespace
}  // namespace sim
