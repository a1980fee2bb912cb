#include "sim/locking/lock_stat.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/engine/event_log.h"
#include "sim/engine/random.h"
#include "sim/lockdep/validator.h"
#include "sim/locking/lock_tracker.h"
#include "sim/locking/mutex.h"
#include "sim/locking/rwsem.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr TaskId kOne{1}, kTwo{2};

class LockStatTest : public testing::Test {
 protected:
  LockStatTest() { stat_.BeginExecution(); }

  static LockStat::Taking Taking(const char* place, uint64_t instance = 1, bool shared = false) {
    return {"i_rwsem", 0, shared, instance, place};
  }
  const LockStat::ClassStat& Of(const std::string& name) const { return stat_.classes().at(name); }
  static std::vector<Nanos> Figures(const LockTimes& times) {
    return {static_cast<Nanos>(times.count), times.min, times.max, times.total};
  }

  // One holds it from 1000 to 4000; two asks at 1500, has it at 4100 and gives it up at 4350.
  void Contend() {
    stat_.Acquire(kOne, Taking("write+file.cc:1"), 1000);
    stat_.Acquire(kTwo, Taking("truncate+inode.cc:2"), 1500);
    stat_.Contended(kTwo, Taking("truncate+inode.cc:2"), 1500);
    stat_.Release(kOne, 1, 4000);
    stat_.Waited(kTwo, 1, 4100);
    stat_.Release(kTwo, 1, 4350);
  }

  LockStat stat_;
};

TEST_F(LockStatTest, AWaitLastsFromTheCallToTheLockAndAHoldFromThere) {
  Contend();
  EXPECT_THAT(Figures(Of("i_rwsem").waits[0]), ElementsAre(1, 2600, 2600, 2600));
  EXPECT_THAT(Figures(Of("i_rwsem").holds[0]), ElementsAre(2, 250, 3000, 3250));
  EXPECT_THAT(Of("i_rwsem").contention_points, ElementsAre(Pair("truncate+inode.cc:2", 1)));
  EXPECT_THAT(Of("i_rwsem").contending_points, ElementsAre(Pair("write+file.cc:1", 1)));
}

TEST_F(LockStatTest, ALockThatAnotherTookLastBounces) {
  Contend();
  EXPECT_EQ(Of("i_rwsem").contended_bounces[0], 1u);
  EXPECT_EQ(Of("i_rwsem").acquired_bounces[0], 1u);  // two's; one was the first
  stat_.Acquire(kTwo, Taking("truncate+inode.cc:2"), 5000);
  stat_.Acquire(kOne, Taking("write+file.cc:1", 7), 5000);  // another lock
  EXPECT_EQ(Of("i_rwsem").acquired_bounces[0], 1u);
}

TEST_F(LockStatTest, ReadersAreCountedForThemselvesAndADowngradeMakesOne) {
  stat_.Acquire(kOne, Taking("write+file.cc:1"), 100);
  stat_.Downgrade(kOne, 1, 160);
  stat_.Acquire(kTwo, Taking("read+file.cc:9", 1, true), 170);
  stat_.Release(kTwo, 1, 180);
  stat_.Release(kOne, 1, 200);
  EXPECT_THAT(Figures(Of("i_rwsem").holds[0]), ElementsAre(1, 60, 60, 60));
  EXPECT_THAT(Figures(Of("i_rwsem").holds[1]), ElementsAre(2, 10, 40, 50));
}

TEST_F(LockStatTest, AnEventIsWaitedForWithoutBeingHeld) {
  stat_.Contended(kOne, Taking("sync+fsync.cc:3"), 10);
  stat_.Waited(kOne, 1, 35);
  EXPECT_THAT(Figures(Of("i_rwsem").waits[0]), ElementsAre(1, 25, 25, 25));
  EXPECT_EQ(Of("i_rwsem").holds[0].count, 0u);
}

TEST_F(LockStatTest, AHoldThatTheEndCutsOffDoesNotCount) {
  stat_.Acquire(kOne, Taking("write+file.cc:1"), 100);
  stat_.BeginExecution();
  stat_.Release(kOne, 1, 50);
  EXPECT_EQ(Of("i_rwsem").holds[0].count, 0u);
}

TEST_F(LockStatTest, MergingAddsUp) {
  Contend();
  LockStat other;
  other.BeginExecution();
  other.Acquire(kOne, Taking("write+file.cc:1"), 0);
  other.Release(kOne, 1, 90);
  stat_.Merge(other);
  EXPECT_THAT(Figures(Of("i_rwsem").holds[0]), ElementsAre(3, 90, 3000, 3340));
  EXPECT_THAT(Figures(Of("i_rwsem").waits[0]), ElementsAre(1, 2600, 2600, 2600));
}

// The lines of rules and header are those that Linux 6.1 printed.
TEST_F(LockStatTest, TheTableIsThatOfTheKernel) {
  Contend();
  stat_.Acquire(kOne, {"sb_writers", 0, true, 2, "write+file.cc:1"}, 0);
  stat_.Release(kOne, 2, 1'234'567);
  const std::vector<std::string> lines = absl::StrSplit(RenderLockStat(stat_), '\n');
  ASSERT_EQ(lines.size(), 15u);
  EXPECT_EQ(lines[0], "lock_stat version 0.4");
  EXPECT_EQ(lines[1], std::string(221, '-'));
  EXPECT_EQ(
      lines[2],
      "                              class name    con-bounces    contentions   waittime-min  "
      " waittime-max waittime-total   waittime-avg    acq-bounces   acquisitions   "
      "holdtime-min   holdtime-max holdtime-total   holdtime-avg");
  EXPECT_EQ(lines[4], "");
  EXPECT_EQ(
      lines[5],
      "                                 i_rwsem:             1              1           2.60  "
      "         2.60           2.60           2.60              1              2           "
      "0.25           3.00           3.25           1.62");
  EXPECT_EQ(lines[6], "                                 -------");
  EXPECT_EQ(lines[7],
            "                                 i_rwsem              1                "
            "[<inode.cc:2>] truncate");
  EXPECT_EQ(lines[8], lines[6]);
  EXPECT_EQ(lines[9],
            "                                 i_rwsem              1                 "
            "[<file.cc:1>] write");
  EXPECT_EQ(lines[11], std::string(221, '.'));
  EXPECT_THAT(lines[13], HasSubstr("                            sb_writers-R:             0"));
  EXPECT_THAT(lines[13], HasSubstr("1234.56        1234.56        1234.56        1234.56"));
}

class AnyOne final : public Strategy {
 public:
  explicit AnyOne(uint64_t seed) : random_(seed, "any one") {}
  size_t Choose(const ChoicePoint& point) override {
    return random_.UniformBelow(point.candidates.size());
  }

 private:
  RandomStream random_;
};

// What tasks see of their own waits and holds, and the log of the execution, add up to the same.
class LockStatTotalsTest : public testing::TestWithParam<uint64_t> {
 protected:
  struct Total {
    uint64_t waits = 0, holds = 0;
    Nanos waited = 0, held = 0;
  };

  template <class Take, class Give>
  void Hold(const std::string& name, Take take, Give give) {
    take();
    Total& total = totals_[name];
    const Nanos got = world_.now();
    const auto asked =
        std::find_if(log_.events.rbegin(), log_.events.rend(), [&](const auto& event) {
          return event.actor == world_.current().name() && event.what == "lock";
        });
    total.waits += world_.turns() > asked->turn ? 1 : 0;
    total.waited += got - asked->at;
    for (uint64_t turns = random_.UniformBelow(4); turns > 0; --turns) {
      world_.Step(pause_, Access::kWrite);
    }
    total.held += world_.now() - got;
    ++total.holds;
    give();
  }

  void Work() {
    for (int round = 0; round < 20; ++round) {
      switch (random_.UniformBelow(3)) {
        case 0:
          Hold(
              "mutex", [&] { mutex_.mutex_lock(); }, [&] { mutex_.mutex_unlock(); });
          break;
        case 1:
          Hold(
              "reader", [&] { rwsem_.down_read(); }, [&] { rwsem_.up_read(); });
          break;
        default:
          Hold(
              "writer", [&] { rwsem_.down_write(); }, [&] { rwsem_.up_write(); });
      }
    }
  }

  static void ExpectSame(const Total& total, const LockStat::ClassStat& stat, size_t mode) {
    EXPECT_EQ(stat.waits[mode].count, total.waits);
    EXPECT_EQ(stat.waits[mode].total, total.waited);
    EXPECT_EQ(stat.holds[mode].count, total.holds);
    EXPECT_EQ(stat.holds[mode].total, total.held);
  }

  AnyOne strategy_{GetParam()};
  RandomStream random_{GetParam(), "work"};
  StackPool pool_;
  StackTable stacks_;
  Validator validator_;
  EventLog log_;
  World world_{{.max_turns = 100'000}, strategy_, pool_, stacks_};
  LockTracker tracker_{world_, validator_};
  LockStat stat_;
  Mutex mutex_{world_, tracker_.Class("mutex"), {}};
  RwSem rwsem_{world_, tracker_.Class("rwsem"), {}};
  ObjectId pause_ = world_.NewObject();
  std::map<std::string, Total> totals_;
};

TEST_P(LockStatTotalsTest, AreThoseThatTheTasksMeasure) {
  world_.set_event_log(&log_);
  tracker_.set_stat(stat_);
  for (const char* name : {"one", "two", "three", "four"}) {
    world_.Spawn(name, TaskKind::kUser, [this] { Work(); });
  }
  ASSERT_EQ(world_.Run(), ExecutionEnd::kFinished);
  EXPECT_GT(totals_["mutex"].waits + totals_["reader"].waits + totals_["writer"].waits, 5u);
  ExpectSame(totals_["mutex"], stat_.classes().at("mutex"), 0);
  ExpectSame(totals_["writer"], stat_.classes().at("rwsem"), 0);
  ExpectSame(totals_["reader"], stat_.classes().at("rwsem"), 1);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LockStatTotalsTest, testing::Range<uint64_t>(1, 9));

}  // namespace
}  // namespace sim
