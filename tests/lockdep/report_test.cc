#include "sim/lockdep/report.h"

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/lockdep/lock_story.h"

namespace sim {
namespace {

constexpr FrameSite kWrite{"ext4_da_write_begin", {"inode.cc", 100}};
constexpr FrameSite kLock{"filemap_get_folio", {"filemap.cc", 200}};
constexpr FrameSite kCommit{"jbd2_journal_commit_transaction", {"commit.cc", 300}};

class ReportTest : public ::testing::Test {
 protected:
  Acquisition Lock(const char* name, StackId stack, Site site, InstanceName instance = {}) {
    return {.lock_class = validator_.Class(name, kSleepingLock),
            .instance = name[0] == 'j' ? 1u : 2u,
            .at = {stack, site, 7},
            .name = instance};
  }

  StackTable stacks_;
  Validator validator_;
};

// Compare with the kernel's own: same parts, same order, same words.
TEST_F(ReportTest, CycleReadsLikeLockdep) {
  const StackId commit = stacks_.Push(StackTable::kEmpty, &kCommit);
  const StackId write = stacks_.Push(StackTable::kEmpty, &kWrite);
  const StackId lock = stacks_.Push(write, &kLock);
  HeldLocks kjournald(TaskId{1}, "jbd2", &stacks_);
  validator_.Acquire(kjournald, Lock("jbd2_handle", commit, {"commit.cc", 310}));
  validator_.Acquire(kjournald, Lock("folio lock", commit, {"commit.cc", 320}));
  HeldLocks writer(TaskId{2}, "writer", &stacks_);
  validator_.Acquire(writer,
                     Lock("folio lock", lock, {"filemap.cc", 210}, {"folio of inode", 12, 3}));
  validator_.Acquire(writer, Lock("jbd2_handle", write, {"inode.cc", 110}));
  ASSERT_EQ(validator_.reports().size(), 1u);
  EXPECT_EQ(RenderText(validator_.reports()[0]),
            R"(======================================================
WARNING: possible circular locking dependency detected
------------------------------------------------------
writer/2 is trying to acquire lock:
(jbd2_handle){+.+.}-{3:3}, at: ext4_da_write_begin+inode.cc:110

but task is already holding lock:
folio of inode 12:3 (folio lock){+.+.}-{3:3}, at: filemap_get_folio+filemap.cc:210

which lock already depends on the new lock.


the existing dependency chain (in reverse order) is:

-> #1 (folio lock){+.+.}-{3:3}:
       jbd2_journal_commit_transaction+commit.cc:320
     a known order, first seen by jbd2/1, holding (jbd2_handle){+.+.}-{3:3} taken at:
       jbd2_journal_commit_transaction+commit.cc:310

-> #0 (jbd2_handle){+.+.}-{3:3}:
       ext4_da_write_begin+inode.cc:110
     the new order, by writer/2, holding (folio lock){+.+.}-{3:3} taken at:
       filemap_get_folio+filemap.cc:210
       ext4_da_write_begin+inode.cc:100

other info that might help us debug this:

By the orders seen: possible

 Possible unsafe locking scenario:

       CPU0                    CPU1
       ----                    ----
  lock(folio lock);
                               lock(jbd2_handle);
                               lock(folio lock);
  lock(jbd2_handle);

 *** DEADLOCK ***

1 lock held by writer/2:
 #0: folio of inode 12:3 (folio lock){+.+.}-{3:3}, at: filemap_get_folio+filemap.cc:210

stack backtrace:
 ext4_da_write_begin+inode.cc:110
)");
}

TEST_F(ReportTest, JsonHasBothSidesOfEachEdge) {
  HeldLocks one(TaskId{1}, "one");
  validator_.Acquire(one, Lock("jbd2_handle", {}, {"a.cc", 1}));
  validator_.Acquire(one, Lock("folio lock", {}, {"a.cc", 2}));
  HeldLocks two(TaskId{2}, "two");
  validator_.Acquire(two, Lock("folio lock", {}, {"b.cc", 3}));
  validator_.Acquire(two, Lock("jbd2_handle", {}, {"b.cc", 4}));
  ASSERT_EQ(validator_.reports().size(), 1u);
  const auto json = ToJson(validator_.reports()[0]);
  EXPECT_EQ(json["kind"], "lock_cycle");
  EXPECT_EQ(json["message"],
            "WARNING: possible circular locking dependency detected: "
            "folio lock --> jbd2_handle --> folio lock");
  ASSERT_EQ(json["cycle"].size(), 2u);
  EXPECT_EQ(json["cycle"][0]["held"]["line"], 3);
  EXPECT_EQ(json["cycle"][0]["acquired"]["line"], 4);
  EXPECT_EQ(json["cycle"][1]["task"], "one");
}

// Each kind of report can be rendered, whatever is missing from it.
TEST_F(ReportTest, EveryKindHasAHeadlineAndAText) {
  for (int kind = 0; kind <= static_cast<int>(ReportKind::kNotHeld); ++kind) {
    LockReport report;
    report.kind = static_cast<ReportKind>(kind);
    report.lock.lock.name = "A";
    report.cycle.edges.resize(2);
    report.irq.path.resize(1);
    EXPECT_NE(RenderText(report).find(Headline(report)), std::string::npos);
    EXPECT_EQ(ToJson(report)["kind"], FindingKind(report.kind));
  }
}

}  // namespace
}  // namespace sim
