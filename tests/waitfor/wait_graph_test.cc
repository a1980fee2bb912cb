#include "sim/waitfor/wait_graph.h"

#include <gmock/gmock.h>

#include <functional>
#include <string>
#include <vector>

#include "sim/explore/timed.h"
#include "sim/locking/mutex.h"
#include "sim/locking/rwsem.h"
#include "sim/locking/wait_event.h"

namespace sim {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WaitGraphTest : public testing::Test {
 protected:
  void Spawn(std::string name, std::function<void()> body) {
    world_.Spawn(std::move(name), TaskKind::kUser, std::move(body));
  }
  // Takes `first`, then `second` when everybody has their first.
  void SpawnTaker(std::string name, Mutex& first, Mutex& second) {
    Spawn(std::move(name), [&] {
      SIM_FRAME("ext4_writepages");
      first.mutex_lock();
      world_.SleepFor(1'000'000);
      second.mutex_lock();
    });
  }
  Finding Explain() {
    EXPECT_EQ(world_.Run(), ExecutionEnd::kDeadlock);
    return ExplainDeadlock(world_);
  }

  TimedStrategy timed_;
  StackPool pool_;
  StackTable stacks_;
  Validator validator_;
  World world_{{.max_turns = 100'000}, timed_, pool_, stacks_};
  LockTracker tracker_{world_, validator_};
  Mutex a_{world_, tracker_.Class("class_a"), {"inode", 1}};
  Mutex b_{world_, tracker_.Class("class_b"), {"inode", 2}};
  Mutex c_{world_, tracker_.Class("class_c"), {"inode", 3}};
};

TEST_F(WaitGraphTest, CycleIsNamedFromItsFirstTask) {
  SpawnTaker("bystander", c_, a_);
  SpawnTaker("writer", a_, b_);
  SpawnTaker("flusher", b_, a_);
  const Finding finding = Explain();
  EXPECT_EQ(finding.kind, "deadlock");
  EXPECT_EQ(finding.message, "writer -> flusher -> writer");
  EXPECT_THAT(FindWaits(world_).cycle, ElementsAre(TaskId{1}, TaskId{2}));
}

TEST_F(WaitGraphTest, LongerCycleIsFound) {
  SpawnTaker("writer", a_, b_);
  SpawnTaker("truncate", c_, a_);
  SpawnTaker("flusher", b_, c_);
  EXPECT_EQ(Explain().message, "writer -> flusher -> truncate -> writer");
}

TEST_F(WaitGraphTest, TaskThatWaitsForItselfIsACycle) {
  Spawn("writer", [this] {
    a_.mutex_lock();
    a_.mutex_lock();
  });
  EXPECT_EQ(Explain().message, "writer -> writer");
}

TEST_F(WaitGraphTest, DetailTellsWhatEachTaskWaitsForWhereAndWhatItHolds) {
  SpawnTaker("writer", a_, b_);
  SpawnTaker("flusher", b_, a_);
  EXPECT_THAT(Explain().detail,
              AllOf(HasSubstr("writer/0 waits for class_b of inode 2, owned by flusher/1:\n"
                              "       ext4_writepages+"),
                    HasSubstr("wait_graph_test.cc:"), HasSubstr("  #0: class_a, taken at: "),
                    testing::Not(HasSubstr("#1"))));
}

TEST_F(WaitGraphTest, WriterWaitsForEveryReader) {
  RwSem rwsem(world_, tracker_.Class("i_data_sem"), {});
  Spawn("idle reader", [&] {
    rwsem.down_read();
    rwsem.up_read();
  });
  Spawn("reader", [&] {
    rwsem.down_read();
    world_.SleepFor(1'000'000);
    a_.mutex_lock();
  });
  Spawn("writer", [&] {
    a_.mutex_lock();
    rwsem.down_write();
  });
  EXPECT_EQ(Explain().message, "reader -> writer -> reader");
}

TEST_F(WaitGraphTest, WithoutACycleEveryWaitIsNamed) {
  WaitQueue queue(world_, tracker_.Class("j_wait_commit", {}), {"journal", 1});
  Spawn("writer", [&] {
    a_.mutex_lock();
    queue.wait_event([] { return false; });
  });
  Spawn("flusher", [&] {
    world_.SleepFor(1'000'000);
    a_.mutex_lock();
  });
  EXPECT_EQ(Explain().message, "writer waits for j_wait_commit, flusher waits for class_a");
  EXPECT_THAT(FindWaits(world_).cycle, IsEmpty());
}

TEST_F(WaitGraphTest, OwnerThatHasEndedIsTold) {
  Spawn("writer", [&] { a_.mutex_lock(); });
  Spawn("flusher", [&] {
    world_.SleepFor(1'000'000);
    a_.mutex_lock();
  });
  const Finding finding = Explain();
  EXPECT_EQ(finding.message, "flusher waits for class_a");
  EXPECT_THAT(finding.detail, HasSubstr("owned by writer/0 (which has ended)"));
}

TEST_F(WaitGraphTest, IdleDaemonsAreNotStuck) {
  WaitQueue work(world_, tracker_.Class("work", {}), {});
  world_.Spawn("daemon", TaskKind::kDaemon, [&] {
    while (work.wait_idle([] { return false; })) {
    }
  });
  SpawnTaker("writer", a_, a_);
  EXPECT_EQ(Explain().message, "writer -> writer");
  EXPECT_EQ(FindWaits(world_).stuck.size(), 1u);
}

}  // namespace
}  // namespace sim
