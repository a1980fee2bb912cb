#include "tools/timeline.h"

#include <map>
#include <vector>

#include "gmock/gmock.h"
#include "sim/engine/random.h"
#include "sim/explore/random.h"
#include "sim/locking/bit_lock.h"
#include "sim/locking/mutex.h"
#include "sim/locking/rwsem.h"
#include "sim/locking/wait_event.h"

namespace tools {
namespace {

using sim::EventLog;
using sim::LoggedEvent;
using sim::Task;
using sim::TaskId;
using testing::ElementsAre;

// --- What tasks hold, beside what the lock checker says ------------------------------------------

struct Held {
  uint64_t id = 0;
  bool shared = false, owed = false;
  bool operator==(const Held&) const = default;
};

class HeldLocksTest : public testing::TestWithParam<uint64_t> {
 protected:
  // Each task works with locks at random, in a fixed order of them, and notes after each operation
  // what the lock checker has it hold.
  void Work() {
    for (int round = 0; round < 12; ++round) {
      Do(
          random_.OneIn(2), [&] { rwsem_.down_read(); }, [&] { rwsem_.up_read(); },
          [&] {
            Do(
                random_.OneIn(2), [&] { mutex_.mutex_lock(); }, [&] { mutex_.mutex_unlock(); },
                [&] {
                  Do(
                      random_.OneIn(2), [&] { bit_.lock(); }, [&] { bit_.unlock(); },
                      [&] { Owe(); });
                });
          });
      rwsem_.down_write();
      Note();
      rwsem_.downgrade_write();
      Note();
      rwsem_.up_read();
      Note();
      HandOver();
    }
  }

  template <class Take, class Give, class Inside>
  void Do(bool takes, Take take, Give give, Inside inside) {
    if (takes) take();
    Note();
    inside();
    if (takes) give();
    Note();
  }

  void Owe() {
    const sim::EventScope scope(event_);
    Note();
    world_.Step(pause_, sim::Access::kWrite);
  }

  // To an event, as to an I/O completion.
  void HandOver() {
    bit_.lock();
    Note();
    bit_.hand_over();
    Note();
    world_.At(
        world_.now() + 300, bit_.object(),
        [](void* bit, uint64_t) { static_cast<sim::BitLock*>(bit)->unlock(); }, &bit_, 0);
  }

  void Note() {
    std::vector<Held>& held = noted_[log_.events.size()];
    held.clear();
    for (const sim::HeldLock& lock : tracker_.held().locks()) {
      held.push_back({lock.acquisition.instance, lock.acquisition.read != sim::ReadMode::kExclusive,
                      lock.acquisition.event});
    }
    who_[log_.events.size()] = world_.current().id();
  }

  sim::RandomStrategy strategy_{GetParam()};
  sim::RandomStream random_{GetParam(), "work"};
  sim::StackPool pool_;
  sim::StackTable stacks_;
  sim::Validator validator_;
  EventLog log_;
  sim::World world_{{.max_turns = 100'000}, strategy_, pool_, stacks_};
  sim::LockTracker tracker_{world_, validator_};
  sim::RwSem rwsem_{world_, tracker_.Class("rwsem"), {}};
  sim::Mutex mutex_{world_, tracker_.Class("mutex"), {}};
  sim::BitLock bit_{world_, tracker_.Class("bit"), {}};
  sim::WaitQueue event_{world_, tracker_.Class("event"), {}};
  sim::ObjectId pause_ = world_.NewObject();
  std::map<size_t, std::vector<Held>> noted_;  // by how many events there had been
  std::map<size_t, TaskId> who_;
};

TEST_P(HeldLocksTest, AreThoseOfTheLockChecker) {
  world_.set_event_log(&log_);
  for (const char* name : {"one", "two", "three"}) {
    world_.Spawn(name, sim::TaskKind::kUser, [this] { Work(); });
  }
  ASSERT_EQ(world_.Run(), sim::ExecutionEnd::kFinished);
  const std::vector<TimelineEvent> timeline = MakeTimeline(log_);
  std::map<TaskId, std::vector<Held>> now;
  size_t waits = 0, compared = 0;
  for (size_t i = 0; i < timeline.size(); ++i) {
    const TimelineEvent& at = timeline[i];
    std::vector<Held>& held = now[at.event->task];
    held.clear();
    for (const HeldLock& lock : at.held) held.push_back({lock.id, lock.shared, lock.owed});
    // The timeline has a lock that is asked for among those held from the next event on.
    if (at.got.has_value() && at.event->what != "resume") {
      held.push_back({at.got->id, at.got->shared, at.got->owed});
    }
    waits += at.waits ? 1 : 0;
    if (!noted_.contains(i + 1)) continue;
    ++compared;
    EXPECT_EQ(now[who_[i + 1]], noted_[i + 1]) << "after event " << i;
  }
  EXPECT_GT(waits, 5u);
  EXPECT_GT(compared, 200u);
}

INSTANTIATE_TEST_SUITE_P(Seeds, HeldLocksTest, testing::Range<uint64_t>(1, 17));

// --- The rest, from logs as they come ------------------------------------------------------------

TaskId TaskOf(uint32_t task) { return TaskId{task}; }

TEST(TimelineTest, AWakeLeadsToWhereTheTaskGoesOnAndASubmissionToItsCompletion) {
  EventLog log;
  log.events = {{.task = TaskOf(1), .what = "park", .id = 9},
                {.task = TaskOf(2), .what = "submit", .id = 4},
                {.task = TaskOf(2), .what = "submit", .id = 5},
                {.what = "complete", .id = 4},
                {.what = "wake", .id = 1},
                {.task = TaskOf(1), .what = "resume", .id = 9},
                {.task = TaskOf(2), .what = "wake", .id = 3}};
  const auto timeline = MakeTimeline(log);
  EXPECT_EQ(timeline[4].leads_to, 5u);
  EXPECT_EQ(timeline[1].leads_to, 3u);
  EXPECT_EQ(timeline[2].leads_to, TimelineEvent::kNone);
  EXPECT_EQ(timeline[6].leads_to, TimelineEvent::kNone);
  std::vector<size_t> in_flight;
  for (const TimelineEvent& at : timeline) in_flight.push_back(at.in_flight);
  EXPECT_THAT(in_flight, ElementsAre(0, 1, 2, 1, 1, 1, 1));
}

TEST(TimelineTest, ATaskIsInTheTransactionOfItsHandleOrThatItCommits) {
  EventLog log;
  log.events = {{.task = TaskOf(1), .what = "transaction", .id = 7, .note = "T_RUNNING"},
                {.task = TaskOf(1), .what = "start_handle", .id = 7},
                {.task = TaskOf(2), .what = "transaction", .id = 7, .note = "T_LOCKED"},
                {.task = TaskOf(1), .what = "stop_handle", .id = 7},
                {.task = TaskOf(2), .what = "lock", .subject = "A", .id = 1},
                {.task = TaskOf(2), .what = "transaction", .id = 7, .note = "T_FINISHED"}};
  std::vector<uint64_t> tids;
  for (const TimelineEvent& at : MakeTimeline(log)) tids.push_back(at.tid.value_or(0));
  EXPECT_THAT(tids, ElementsAre(0, 7, 7, 0, 7, 0));
}

class ShortNamesTest : public testing::Test {
 protected:
  static std::vector<std::string> Short(const std::vector<std::string>& subjects) {
    EventLog log;
    for (const std::string& subject : subjects) {
      log.events.push_back({.what = "lock", .subject = subject});
    }
    const ShortNames names(log);
    std::vector<std::string> found;
    for (const std::string& subject : subjects) found.push_back(names.Of(subject));
    return found;
  }
};

TEST_F(ShortNamesTest, LeaveOutWhatTellsNothingApart) {
  EXPECT_THAT(
      Short({"&ei->i_data_sem of inode 12", "&(ei->i_raw_lock) of inode 12", "sb_writers",
             "folio lock (iomap) of folio 12:1", "(wq_completion)conversion of conversion"}),
      ElementsAre("i_data_sem", "i_raw_lock", "sb_writers", "folio lock",
                  "(wq_completion)conversion"));
}

TEST_F(ShortNamesTest, NumberInstancesWhereThereAreSeveral) {
  EXPECT_THAT(Short({"&ei->i_data_sem of inode 12", "&ei->i_data_sem of inode 13",
                     "folio of folio:0", "folio of folio:1"}),
              ElementsAre("i_data_sem(12)", "i_data_sem(13)", "folio(0)", "folio(1)"));
}

TEST_F(ShortNamesTest, HaveAsMuchOfTheFullNameAsItTakes) {
  EXPECT_THAT(Short({"BH_Lock of block 0", "BH_Lock of log block 0", "BH_Lock of block 4"}),
              ElementsAre("BH_Lock(block 0)", "BH_Lock(log block 0)", "BH_Lock(4)"));
  EXPECT_THAT(Short({"&a->lock", "&b->lock"}), ElementsAre("&a->lock", "&b->lock"));
}

TEST_F(ShortNamesTest, LeaveAloneWhatIsNoLock) {
  EventLog log;
  log.events = {{.what = "call", .subject = "write a of b"}};
  EXPECT_EQ(ShortNames(log).Of("write a of b"), "write a of b");
}

}  // namespace
}  // namespace tools
