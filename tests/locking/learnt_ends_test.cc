// What whoever brings an event about had waited for before, as the lock checker is told.

#include "sim/locking/mutex.h"
#include "sim/locking/wait_event.h"
#include "tests/locking/locking_fixture.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LearntEndsTest : public LockingTest {
 protected:
  LearntEndsTest() { tracker_.LearnEnds(); }

  void Take() {
    mutex_.mutex_lock();
    mutex_.mutex_unlock();
  }
  static void Wait(WaitQueue& queue) {
    queue.wait_event([] { return true; });
  }
  void WaitUnderTheMutex() {
    mutex_.mutex_lock();
    Wait(event_);
    mutex_.mutex_unlock();
  }
  void End() { tracker_.Ends(event_, Site::Here()); }

  // By the dependencies that all of it leaves.
  std::vector<std::string> Cycles() {
    EXPECT_EQ(Play(), ExecutionEnd::kFinished);
    std::vector<std::string> cycles;
    for (const LockReport& report : validator_.Conclude().found) {
      const std::string message = Message(report);
      cycles.push_back(message.substr(message.rfind(": ") + 2));
    }
    return cycles;
  }

  Mutex mutex_{world_, tracker_.Class("mutex"), {}};
  WaitQueue event_{world_, tracker_.Class("event", {}), {}};
  WaitQueue other_{world_, tracker_.Class("other", {}), {}};
};

TEST_F(LearntEndsTest, ALockTakenBeforeIsWaitedFor) {
  Do("ender", [this] { Take(), End(); });
  Do("waiter", [this] { WaitUnderTheMutex(); });
  EXPECT_THAT(Cycles(), ElementsAre("event --> mutex --> event"));
}

TEST_F(LearntEndsTest, SoIsAnEventWaitedForBefore) {
  Do("ender", [this] { Wait(other_), End(); });
  Do("waiter", [this] {
    const EventScope owes(other_);
    Wait(event_);
  });
  EXPECT_THAT(Cycles(), ElementsAre("event --> other --> event"));
}

TEST_F(LearntEndsTest, NotWhatIsTakenLater) {
  Do("ender", [this] { End(), Take(); });
  Do("waiter", [this] { WaitUnderTheMutex(); });
  EXPECT_THAT(Cycles(), IsEmpty());
}

TEST_F(LearntEndsTest, NotWhatOnlyWasTried) {
  Do("ender", [this] {
    EXPECT_TRUE(mutex_.mutex_trylock());
    mutex_.mutex_unlock();
    End();
  });
  Do("waiter", [this] { WaitUnderTheMutex(); });
  EXPECT_THAT(Cycles(), IsEmpty());
}

TEST_F(LearntEndsTest, WhoBeginsAnewHasWaitedForNothing) {
  Do("ender", [this] {
    Take();
    tracker_.BeginsAnew();
    End();
  });
  Do("waiter", [this] { WaitUnderTheMutex(); });
  EXPECT_THAT(Cycles(), IsEmpty());
}

}  // namespace
}  // namespace sim
