#include "sim/race/guard_table.h"

#include <gmock/gmock.h>

#include "nlohmann/json.hpp"
#include "sim/lockdep/validator.h"
#include "sim/race/guard_report.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr FrameSite kGrow{"grow", {"inode.c", 1}};
constexpr FrameSite kLook{"look", {"file.c", 2}};
constexpr InstanceName kInode12{"inode", 12};
constexpr InstanceName kInode13{"inode", 13};

// Accesses with locks held, counted as they come.
class Story {
 public:
  explicit Story(uint64_t execution = 0) { table.set_execution("story", execution); }

  Story& Take(const char* name, InstanceName instance, ReadMode mode = ReadMode::kExclusive) {
    Acquisition lock;
    lock.lock_class = classes_.Class(name);
    lock.instance = ++locks_;
    lock.name = instance;
    lock.read = mode;
    classes_.Acquire(held_, lock);
    return *this;
  }
  Story& Drop() {
    const Acquisition& last = held_.locks().back().acquisition;
    classes_.Release(held_, last.lock_class, last.instance, {});
    return *this;
  }
  Story& Access(sim::Access access, const FrameSite& frame, int times = 1) {
    const StackId stack = stacks_.Push(StackTable::kEmpty, &frame);
    for (int i = 0; i < times; ++i) {
      (void)table.Count(table.FieldNamed({"i_size"}), kInode12, access,
                        {held_, classes_, stacks_, stack, ++step_, "writer"});
    }
    return *this;
  }

  GuardTable table;

 private:
  Validator classes_;
  StackTable stacks_;
  HeldLocks held_;
  uint64_t locks_ = 0;
  uint64_t step_ = 0;
};

std::vector<std::string> Always(const GuardSummary& summary) {
  std::vector<std::string> locks;
  for (size_t i = 0; i < summary.always(); ++i) locks.push_back(summary.locks[i].lock.Text());
  return locks;
}

TEST(GuardTableTest, SaysWhichLocksWereAlwaysHeld) {
  Story story;
  story.Take("i_rwsem", kInode12).Take("j_state_lock", {}).Access(Access::kWrite, kGrow, 2);
  story.Drop().Access(Access::kWrite, kGrow);
  const auto summaries = Summarize(story.table);
  ASSERT_THAT(summaries, SizeIs(1));
  EXPECT_EQ(summaries[0].accesses, 3u);
  EXPECT_THAT(Always(summaries[0]), ElementsAre("i_rwsem"));
  EXPECT_THAT(summaries[0].exceptions, IsEmpty());
}

TEST(GuardTableTest, LockOfAnotherObjectIsAnotherGuard) {
  Story story;
  story.Take("i_rwsem", kInode12).Access(Access::kWrite, kGrow).Drop();
  story.Take("i_rwsem", kInode13).Access(Access::kWrite, kGrow);
  EXPECT_THAT(Always(Summarize(story.table)[0]), IsEmpty());
  EXPECT_EQ(story.table.rows()[1].locks[0].Text(), "i_rwsem of another inode");
}

// A shared hold keeps writers out, but not other readers.
TEST(GuardTableTest, SharedHoldGuardsReadsOnly) {
  Story story;
  story.Take("i_rwsem", kInode12, ReadMode::kShared);
  story.Access(Access::kRead, kLook).Access(Access::kWrite, kGrow).Drop();
  story.Take("i_rwsem", kInode12);
  story.Access(Access::kRead, kLook).Access(Access::kWrite, kGrow);
  const auto summaries = Summarize(story.table);
  ASSERT_THAT(summaries, SizeIs(2));
  EXPECT_EQ(summaries[0].access, Access::kWrite);
  EXPECT_THAT(Always(summaries[0]), IsEmpty());
  EXPECT_THAT(Always(summaries[1]), ElementsAre("i_rwsem (shared)"));
}

TEST(GuardTableTest, ExceptionsAreTheAccessesWithoutTheUsualLock) {
  Story story(7);
  story.Take("i_rwsem", kInode12).Access(Access::kRead, kGrow, 9).Drop();
  story.Access(Access::kRead, kLook);
  const auto summaries = Summarize(story.table);
  ASSERT_THAT(summaries[0].exceptions, SizeIs(1));
  const GuardRow& row = story.table.rows()[summaries[0].exceptions[0]];
  EXPECT_STREQ(row.frames[0]->function, "look");
  EXPECT_EQ(row.execution, 7u);
  EXPECT_EQ(row.step, 10u);
  EXPECT_EQ(
      RenderText(story.table),
      "i_size\n"
      "  reads             10  no lock every time\n"
      "                        90 % i_rwsem, but not in\n"
      "                          look: 1 times, the first in execution 7 of story, step 10, by "
      "writer\n");
}

TEST(GuardTableTest, EventThatItsHolderHasToBringAboutIsNoGuard) {
  Validator classes;
  StackTable stacks;
  HeldLocks held;
  Acquisition event;
  event.lock_class = classes.Class("jbd2_commit");
  event.event = true;
  classes.Acquire(held, event);
  GuardTable table;
  (void)table.Count(table.FieldNamed({"t_state"}), {}, Access::kWrite,
                    {held, classes, stacks, StackTable::kEmpty, 1, "jbd2"});
  EXPECT_THAT(table.rows()[0].locks, IsEmpty());
}

TEST(GuardTableTest, KeepsStacksAndKindsOfAccessApart) {
  static constexpr FrameSite kFrames[] = {
      {"a", {"a.c", 1}}, {"b", {"b.c", 1}}, {"c", {"c.c", 1}}, {"d", {"d.c", 1}}};
  Story story;
  for (const FrameSite& frame : kFrames) {
    story.Access(Access::kRead, frame).Access(Access::kWrite, frame);
  }
  EXPECT_THAT(story.table.rows(), SizeIs(8));
}

// Chunks of a search are counted apart and joined in order: the result is that of counting in
// sequence.
TEST(GuardTableTest, MergedTablesSayWhatOneTableWould) {
  const auto first = [](Story& story) {
    story.Take("i_rwsem", kInode12).Access(Access::kWrite, kGrow, 3).Drop();
    story.Access(Access::kRead, kLook);
  };
  const auto second = [](Story& story) {
    story.Take("j_state_lock", {}).Access(Access::kRead, kLook).Drop();
    story.Take("i_rwsem", kInode12).Access(Access::kWrite, kGrow, 2).Drop();
  };
  Story one, other, both;
  first(one);
  second(other);
  first(both);
  second(both);
  one.table.Merge(other.table);
  ASSERT_EQ(ToJson(one.table).size(), ToJson(both.table).size());
  ASSERT_EQ(one.table.rows().size(), both.table.rows().size());
  for (size_t i = 0; i < one.table.rows().size(); ++i) {
    EXPECT_EQ(one.table.rows()[i].count, both.table.rows()[i].count);
    EXPECT_EQ(one.table.rows()[i].locks, both.table.rows()[i].locks);
  }
}

}  // namespace
}  // namespace sim
