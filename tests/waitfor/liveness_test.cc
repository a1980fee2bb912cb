// Who never gets anywhere under a fair scheduler, and who only was not chosen.

#include "sim/waitfor/liveness.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "sim/locking/mutex.h"
#include "sim/locking/rwsem.h"
#include "sim/locking/wait_event.h"

namespace sim {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Always the first candidate: as unfair as can be.
class FirstStrategy final : public Strategy {
 public:
  size_t Choose(const ChoicePoint&) override { return 0; }
};

class LivenessTest : public testing::Test {
 protected:
  void Spawn(std::string name, absl::AnyInvocable<void()> body) {
    world_.Spawn(std::move(name), TaskKind::kUser, std::move(body));
  }
  Finding Explain() {
    const ExecutionEnd end = world_.Run();
    EXPECT_TRUE(end == ExecutionEnd::kTurnLimit || end == ExecutionEnd::kTimeLimit);
    return ExplainEnd(world_, end, watch_);
  }
  void Pause() { world_.Step(pause_, Access::kRead); }
  // Goes round for ever without a choice of its own being done.
  void Spin() {
    for (;;) Pause();
  }

  LivenessWatch watch_;
  FairStrategy fair_{watch_};
  FirstStrategy first_;
  StackPool pool_;
  StackTable stacks_;
  Validator validator_;
  World world_{{.max_turns = 600, .beyond_limit = &fair_}, first_, pool_, stacks_};
  LockTracker tracker_{world_, validator_};
  Mutex a_{world_, tracker_.Class("class_a"), {"inode", 1}};
  Mutex b_{world_, tracker_.Class("class_b"), {"inode", 2}};
  RwSem sem_{world_, tracker_.Class("class_sem"), {}};
  WaitQueue queue_{world_, tracker_.Class("class_queue"), {}};
  ObjectId pause_ = world_.NewObject();
};

TEST_F(LivenessTest, WhoIsNeverChosenIsNotStarved) {
  bool done = false;
  Spawn("spinner", [&] {
    while (!done) Pause();
  });
  Spawn("worker", [&] {
    Pause();
    done = true;
  });
  EXPECT_EQ(world_.Run(), ExecutionEnd::kFinished);
  EXPECT_TRUE(world_.beyond_limit());
  EXPECT_LT(world_.turns(), 620u);
}

TEST_F(LivenessTest, ALimitThatIsNotReachedChangesNothing) {
  Spawn("worker", [&] { Pause(); });
  EXPECT_EQ(world_.Run(), ExecutionEnd::kFinished);
  EXPECT_FALSE(world_.beyond_limit());
}

// Two readers overlap for ever; who only tries is in no queue and holds nobody back.
TEST_F(LivenessTest, ReadersStarveAWriterThatOnlyTries) {
  for (const char* name : {"reader", "other reader"}) {
    Spawn(name, [&] {
      SIM_FRAME("page_cache_ra_unbounded");
      for (;;) {
        sem_.down_read();
        Pause();
        sem_.up_read();
        world_.MadeProgress();
      }
    });
  }
  Spawn("writer", [&] {
    while (!sem_.down_write_trylock()) Pause();
  });
  const Finding finding = Explain();
  EXPECT_EQ(finding.kind, "starvation");
  EXPECT_EQ(finding.message, "writer never gets class_sem, taken by reader, other reader");
  EXPECT_THAT(finding.detail, AllOf(HasSubstr("never got class_sem, which it asked for 50 times; "
                                              "meanwhile it was taken\n    50 times by reader/0, "
                                              "last at:\n       page_cache_ra_unbounded+"),
                                    HasSubstr("\n    50 times by other reader/1, last at:")));
}

TEST_F(LivenessTest, AWriterThatWaitsHoldsLaterReadersBack) {
  bool written = false;
  for (const char* name : {"reader", "other reader"}) {
    Spawn(name, [&] {
      while (!written) {
        sem_.down_read();
        Pause();
        sem_.up_read();
      }
    });
  }
  Spawn("writer", [&] {
    sem_.down_write();
    written = true;
    sem_.up_write();
  });
  EXPECT_EQ(world_.Run(), ExecutionEnd::kFinished);
}

TEST_F(LivenessTest, WhoIsParkedWhileOthersGetOnIsStarved) {
  Spawn("waiter", [&] { queue_.wait_event([] { return false; }); });
  Spawn("worker", [&] {
    for (;;) {
      Pause();
      world_.MadeProgress();
    }
  });
  const Finding finding = Explain();
  EXPECT_EQ(finding.kind, "starvation");
  EXPECT_EQ(finding.message, "waiter never gets class_queue");
}

TEST_F(LivenessTest, WhoIsWokenForNothingEachTimeIsStarved) {
  Spawn("waiter", [&] { queue_.wait_event([] { return false; }); });
  Spawn("worker", [&] {
    for (;;) {
      Pause();
      queue_.WakeAll();
      world_.MadeProgress();
    }
  });
  EXPECT_EQ(Explain().message, "waiter never gets class_queue");
}

TEST_F(LivenessTest, BackingOffInStepIsALivelock) {
  const auto take = [this](Mutex& first, Mutex& second) {
    for (;;) {
      first.mutex_lock();
      if (second.mutex_trylock()) return;
      Pause();
      first.mutex_unlock();
    }
  };
  // Each begins when the other has: unfairly, one would have both at once.
  bool one = false, other = false;
  Spawn("one", [&, take] {
    one = true;
    while (!other) Pause();
    take(a_, b_);
  });
  Spawn("other", [&, take] {
    other = true;
    while (!one) Pause();
    take(b_, a_);
  });
  const Finding finding = Explain();
  EXPECT_EQ(finding.kind, "livelock");
  EXPECT_EQ(finding.message, "one, other take turns and get nowhere");
  EXPECT_THAT(finding.detail, HasSubstr("never got class_b, which it asked for 50 times"));
}

TEST_F(LivenessTest, RetryingForEverIsALivelock) {
  Spawn("writer", [&] {
    SIM_FRAME("ext4_retry_alloc");
    for (;;) {
      a_.mutex_lock();
      Pause();
      a_.mutex_unlock();
    }
  });
  Spawn("waiter", [&] {
    b_.mutex_lock();
    b_.mutex_unlock();
  });
  const Finding finding = Explain();
  EXPECT_EQ(finding.kind, "livelock");
  EXPECT_EQ(finding.message, "writer takes turns and gets nowhere");
  EXPECT_THAT(finding.detail, HasSubstr("writer/0 can go on:\n       ext4_retry_alloc+"));
}

// Whoever waits for one that spins is no starvation of its own.
TEST_F(LivenessTest, AnOwnerThatGoesRoundIsTheLivelock) {
  Spawn("owner", [&] {
    a_.mutex_lock();
    Spin();
  });
  Spawn("waiter", [&] { a_.mutex_lock(); });
  const Finding finding = Explain();
  EXPECT_EQ(finding.kind, "livelock");
  EXPECT_EQ(finding.message, "owner takes turns and gets nowhere");
  EXPECT_THAT(finding.detail, HasSubstr("waiter/1 waits for class_a of inode 1, owned by owner/0"));
}

TEST_F(LivenessTest, ADeadlockOfSomeIsFoundThoughOthersRun) {
  Spawn("worker", [&] {
    for (;;) {
      Pause();
      world_.MadeProgress();
    }
  });
  Spawn("one", [&] {
    a_.mutex_lock();
    Pause();
    b_.mutex_lock();
  });
  Spawn("other", [&] {
    b_.mutex_lock();
    Pause();
    a_.mutex_lock();
  });
  const Finding finding = Explain();
  EXPECT_EQ(finding.kind, "deadlock");
  EXPECT_EQ(finding.message, "one -> other -> one");
}

TEST_F(LivenessTest, WhereAllGetOnTheLimitIsTooLow) {
  Spawn("worker", [&] {
    for (;;) {
      Pause();
      world_.MadeProgress();
    }
  });
  const Finding finding = Explain();
  EXPECT_EQ(finding.kind, "unfinished");
  EXPECT_EQ(finding.message, "turn limit reached with work left for worker");
  EXPECT_EQ(world_.turns(), 1'200u);
}

TEST_F(LivenessTest, WhoSleepsThroughTheBoundIsNotStuck) {
  // Each of the few events far off that have their turn comes long before the next.
  for (Nanos duration = 1'000'000'000; duration < 3'000'000'000'000; duration *= 10) {
    Spawn("sleeper", [this, duration] { world_.SleepFor(duration); });
  }
  Spawn("worker", [&] {
    for (;;) {
      Pause();
      world_.MadeProgress();
    }
  });
  EXPECT_EQ(Explain().kind, "unfinished");
}

TEST_F(LivenessTest, BeyondTheTimeLimitAsMuchTimeIsLeft) {
  for (const bool ends : {true, false}) {
    LivenessWatch watch;
    FairStrategy fair(watch);
    World world({.max_time = 1'000'000, .beyond_limit = &fair}, first_, pool_, stacks_);
    LockTracker tracker(world, validator_);
    world.Spawn("sleeper", TaskKind::kUser, [&] {
      for (int i = 0; i < (ends ? 15 : 25); ++i) world.SleepFor(100'000);
    });
    EXPECT_EQ(world.Run(), ends ? ExecutionEnd::kFinished : ExecutionEnd::kTimeLimit);
  }
}

// What is done before the fair scheduler has settled, because it was never begun, is no getting on.
TEST_F(LivenessTest, AFirstStepThatCameLateIsNotGettingOn) {
  Spawn("spinner", [&] { Spin(); });
  Spawn("late", [&] {
    world_.MadeProgress();
    Spin();
  });
  EXPECT_EQ(Explain().message, "spinner, late take turns and get nowhere");
}

TEST_F(LivenessTest, SleepersGetOn) {
  bool done = false;
  Spawn("sleeper", [&] {
    world_.SleepFor(3'000'000'000);  // far off: longer than the spinner's turns take
    done = true;
  });
  Spawn("spinner", [&] {
    while (!done) Pause();
  });
  EXPECT_EQ(world_.Run(), ExecutionEnd::kFinished);
}

TEST_F(LivenessTest, DaemonsThatDoNotComeToAnEndAreTold) {
  Spawn("user", [] {});
  world_.Spawn("daemon", TaskKind::kDaemon, [&] { Spin(); });
  const Finding finding = Explain();
  EXPECT_EQ(finding.kind, "livelock");
  EXPECT_EQ(finding.message, "daemon takes turns and gets nowhere");
}

}  // namespace
}  // namespace sim
