#include "sim/lockdep/validator.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/lockdep/lock_story.h"

namespace sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ValidatorTest : public ::testing::Test, protected LockStory {};

TEST_F(ValidatorTest, OneOrderIsFine) {
  Nest("writer", {"i_rwsem", "jbd2_handle", "i_data_sem"});
  Nest("truncate", {"i_rwsem", "i_data_sem"});
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(ValidatorTest, TwoTasksInOppositeOrderCanDeadlock) {
  Nest("commit", {"jbd2_handle", "folio lock"});
  Nest("writer", {"folio lock", "jbd2_handle"});
  EXPECT_THAT(Found(), ElementsAre("folio lock --> jbd2_handle --> folio lock"));
}

// The report must name all three, and each with the place of both of its locks.
TEST_F(ValidatorTest, ThreeTasksCanDeadlockInACircle) {
  Nest("one", {"A", "B"});
  Nest("two", {"B", "C"});
  Nest("three", {"C", "A"});
  ASSERT_THAT(Found(), ElementsAre("A --> B --> C --> A"));
  const std::vector<LockEdge>& edges = validator.reports()[0].cycle.edges;
  ASSERT_THAT(edges, SizeIs(3));
  EXPECT_EQ(edges[0].actor.name, "three");
  EXPECT_EQ(edges[1].actor.name, "one");
  EXPECT_EQ(edges[1].held.site.line, 1);
  EXPECT_EQ(edges[1].acquired.site.line, 2);
  EXPECT_EQ(edges[2].actor.name, "two");
}

TEST_F(ValidatorTest, ReportsAgainOnlyWhatIsNew) {
  Nest("one", {"A", "B"});
  for (int i = 0; i < 3; ++i) Nest("two", {"B", "A"});
  Nest("three", {"D", "B", "A"});
  Nest("four", {"B", "C"});
  Nest("five", {"C", "B"});
  EXPECT_THAT(Found(), ElementsAre("A --> B --> A", "B --> C --> B"));
}

TEST_F(ValidatorTest, TrylockGetsNoDependencyButGivesSome) {
  Nest("one", {"A", "B"});
  Take("two", "B");
  Try("two", "A");
  EXPECT_THAT(Found(), IsEmpty());
  Take("two", "C");
  Drop("two", "C");
  Nest("three", {"C", "A"});
  EXPECT_THAT(Found(), ElementsAre("A --> C --> A"));
}

// Behind a trylock, the lock before it still leads to what comes after.
TEST_F(ValidatorTest, OrderReachesAcrossATrylock) {
  Take("one", "A");
  Try("one", "B");
  Take("one", "C");
  Nest("two", {"C", "A"});
  EXPECT_THAT(Found(), ElementsAre("A --> C --> A"));
}

// The kernel's checker stops at the reader in between and stays silent here.
TEST_F(ValidatorTest, OrderReachesAcrossARecursiveReader) {
  Take("one", "A");
  Take("one", "tasklist", ReadMode::kSharedRecursive);
  Take("one", "C");
  Nest("two", {"C", "A"});
  EXPECT_THAT(Found(), ElementsAre("A --> C --> A"));
}

TEST_F(ValidatorTest, ReadersOfAFairLockCanDeadlock) {
  Nest("one", {"A", "B"}, ReadMode::kShared);
  Nest("two", {"B", "A"}, ReadMode::kShared);
  EXPECT_THAT(Found(), ElementsAre("A --> B --> A"));
}

TEST_F(ValidatorTest, RecursiveReadersAloneCannotDeadlock) {
  Nest("one", {"A", "B"}, ReadMode::kSharedRecursive);
  Nest("two", {"B", "A"}, ReadMode::kSharedRecursive);
  EXPECT_THAT(Found(), IsEmpty());
  Nest("three", {"B", "A"});
  EXPECT_THAT(Found(), ElementsAre("A --> B --> A")) << "reading A, it waits for a writer of B";
}

// The reader of B would wait for no other reader of B, and nobody takes it exclusively under A.
TEST_F(ValidatorTest, PathThroughTwoReadersIsNotStrong) {
  Take("one", "A");
  Take("one", "B", ReadMode::kSharedRecursive);
  Take("two", "B", ReadMode::kShared);
  Take("two", "A");
  EXPECT_THAT(Found(), IsEmpty());
  Take("three", "A");
  Take("three", "B", ReadMode::kShared);
  EXPECT_THAT(Found(), ElementsAre("A --> B --> A")) << "it queues behind a writer of B";
}

TEST_F(ValidatorTest, TwoInodesOfOneClassRecurse) {
  Take("rename", "i_rwsem:1");
  Take("rename", "i_rwsem:2");
  EXPECT_THAT(Found(), ElementsAre("i_rwsem"));
}

TEST_F(ValidatorTest, SubclassTellsParentFromChild) {
  Nest("rename", {"i_rwsem/1:1", "i_rwsem:2"});
  EXPECT_THAT(Found(), IsEmpty());
  Nest("wrong", {"i_rwsem:2", "i_rwsem/1:1"});
  EXPECT_THAT(Found(), ElementsAre("i_rwsem --> i_rwsem/1 --> i_rwsem"));
}

// Stacked file systems need more than the kernel's eight.
TEST_F(ValidatorTest, ThereAreAsManySubclassesAsOneLikes) {
  std::vector<std::string> levels = {"i_rwsem"};
  for (int level = 1; level <= 40; ++level) {
    levels.push_back("i_rwsem/" + std::to_string(level) + ":" + std::to_string(level));
  }
  levels.push_back("i_rwsem/67108863:99");
  Nest("stacked", levels);
  EXPECT_THAT(Found(), IsEmpty());
  EXPECT_EQ(validator.class_count(), 42u);
  Nest("wrong", {"i_rwsem/67108863:99", "i_rwsem/40:40"});
  EXPECT_THAT(Found(), ElementsAre("i_rwsem/40 --> i_rwsem/67108863 --> i_rwsem/40"));
  Nest("wrong", {"i_rwsem/9:9", "i_rwsem/8:8"});
  EXPECT_EQ(Found().size(), 2u);
}

TEST_F(ValidatorTest, NestLockAllowsManyOfOneClass) {
  Take("task", "mmap_lock");
  for (const char* lock : {"i_mmap:1", "i_mmap:2", "i_mmap:3"}) {
    Acquisition acquisition = Lock(lock);
    acquisition.nest_instance = Instance("mmap_lock");
    validator.Acquire(Task("task"), acquisition);
  }
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(ValidatorTest, NestLockMustBeHeldEachTime) {
  Acquisition acquisition = Lock("inner");
  acquisition.nest_instance = Instance("outer");
  Take("careful", "outer");
  validator.Acquire(Task("careful"), acquisition);
  EXPECT_THAT(Found(), IsEmpty());
  Take("careless", "other");
  validator.Acquire(Task("careless"), acquisition);
  EXPECT_THAT(Found(), ElementsAre("inner"));
}

// jbd2 waits for handles to drain; whoever holds one is who must end the wait.
TEST_F(ValidatorTest, WaitForAnEventIsADependency) {
  Nest("writer", {"handles", "i_data_sem"});
  Take("commit", "i_data_sem");
  validator.Sync(Task("commit"), Lock("handles"));
  EXPECT_THAT(Found(), ElementsAre("handles --> i_data_sem --> handles"));
}

TEST_F(ValidatorTest, WaitLeavesNothingHeld) {
  validator.Sync(Task("commit"), Lock("handles"));
  Take("commit", "i_data_sem");
  Nest("writer", {"i_data_sem", "handles"});
  EXPECT_THAT(Found(), IsEmpty());
}

// The folio is unlocked by the I/O completion.
TEST_F(ValidatorTest, AnotherContextMayRelease) {
  Take("reader", "folio lock");
  validator.Transfer(Task("reader"), Task("completion"), Instance("folio lock"));
  Take("reader", "A");
  Take("completion", "B");
  Drop("completion", "folio lock");
  EXPECT_TRUE(Task("reader").Find(Instance("folio lock")) == nullptr);
  Nest("later", {"A", "folio lock"});
  EXPECT_THAT(Found(), IsEmpty()) << "the reader took A without it";
  Nest("later", {"B", "folio lock"});
  EXPECT_THAT(Found(), ElementsAre("B --> folio lock --> B"));
}

// As reacquire_held_locks(): after the middle one is gone, A leads to C directly.
TEST_F(ValidatorTest, ReleaseOutOfOrderKeepsTheRest) {
  Take("task", "A");
  Take("task", "B");
  Take("task", "C");
  Drop("task", "B");
  EXPECT_THAT(Task("task").locks(), SizeIs(2));
  Take("task", "D");
  EXPECT_EQ(validator.dependency_count(), 4u) << "A-B, B-C, A-C, C-D";
}

TEST_F(ValidatorTest, MisuseIsReported) {
  Drop("task", "A");
  Take("task", "B");
  validator.CheckNoneHeld(Task("task"), {});
  validator.CheckNotHeld(Task("task"), Instance("B"), {});
  validator.CheckHeld(Task("task"), validator.Class("C"), Instance("C"), {});
  std::vector<ReportKind> kinds;
  for (const LockReport& report : validator.reports()) kinds.push_back(report.kind);
  EXPECT_THAT(kinds, ElementsAre(ReportKind::kUnlockBalance, ReportKind::kHeldAtExit,
                                 ReportKind::kHeldFreed, ReportKind::kNotHeld));
}

TEST_F(ValidatorTest, SleepingUnderASpinlockIsReported) {
  traits = kSpinLock;
  Take("task", "j_state_lock");
  traits = kSleepingLock;
  Take("task", "i_data_sem");
  EXPECT_THAT(Found(), ElementsAre("i_data_sem under j_state_lock"));
}

class ValidatorIrqTest : public ValidatorTest {
 protected:
  ValidatorIrqTest() { traits = kSpinLock; }
  void Interrupt(const std::string& task) {
    validator.SetIrqState(Task(task), {.in_hardirq = true, .hardirqs_on = false}, {});
  }
  void IrqsOff(const std::string& task) {
    validator.SetIrqState(Task(task), {.hardirqs_on = false}, {});
  }
  void IrqsOn(const std::string& task) { validator.SetIrqState(Task(task), {}, {}); }
};

TEST_F(ValidatorIrqTest, ClassTakenInAndOpenToInterruptsIsInconsistent) {
  Interrupt("cpu0");
  Nest("cpu0", {"pool lock"});
  EXPECT_THAT(Found(), IsEmpty());
  Nest("task", {"pool lock"});
  EXPECT_THAT(Found(), ElementsAre("pool lock, {IN-HARDIRQ-W} and {HARDIRQ-ON-W}"));
}

TEST_F(ValidatorIrqTest, EnablingInterruptsMarksWhatIsHeld) {
  Interrupt("cpu0");
  Nest("cpu0", {"pool lock"});
  IrqsOff("task");
  Take("task", "pool lock");
  EXPECT_THAT(Found(), IsEmpty());
  IrqsOn("task");
  EXPECT_THAT(Found(), ElementsAre("pool lock, {IN-HARDIRQ-W} and {HARDIRQ-ON-W}"));
}

TEST_F(ValidatorIrqTest, SafeLockMustNotLeadToUnsafeOne) {
  Interrupt("cpu0");
  Nest("cpu0", {"safe"});
  Nest("task", {"unsafe"});
  IrqsOff("task");
  Nest("task", {"safe", "between"});
  EXPECT_THAT(Found(), IsEmpty());
  Nest("task", {"between", "unsafe"});
  EXPECT_THAT(Found(), ElementsAre("safe --> between --> unsafe, "
                                   "{IN-HARDIRQ-W} and {HARDIRQ-ON-W}"));
}

TEST_F(ValidatorIrqTest, InterruptedTaskDoesNotOrderTheInterrupt) {
  Take("task", "A");
  Interrupt("task");
  Take("task", "B");
  Drop("task", "B");
  EXPECT_EQ(validator.dependency_count(), 0u);
}

}  // namespace
}  // namespace sim
