#include "tests/jbd2/journal_rig.h"

namespace model {
namespace {

// Sets a block, commits, frees it and commits again: then the block is data of its next owner.
void FreeAfterCommit(JournalRig& rig) {
  rig.Story([&] {
    rig.SetAlone(rig.first(), 1);
    rig.Commit();
    Handle& handle = rig.Start(1, 0, 1);
    rig.Free(handle, rig.first());
    jbd2_journal_stop(handle);
    rig.Commit();
  });
}

TEST(RevokeTest, CopiesOfAFreedBlockAreNotReplayed) {
  JournalRig rig;
  FreeAfterCommit(rig);
  EXPECT_FALSE(rig.log().Replay().contains(rig.first()));
  EXPECT_FALSE(rig.buffers().sb_getblk(rig.first()).dirty);
}

TEST(RevokeTest, WithoutTheRecordTheyAre) {
  JournalRig rig({.policy = {.skip_revoke_record = true}});
  FreeAfterCommit(rig);
  EXPECT_TRUE(rig.log().Replay().contains(rig.first()));
}

TEST(RevokeTest, BlockJournalledAgainIsNotRevoked) {
  JournalRig rig;
  rig.Story([&] {
    rig.SetAlone(rig.first(), 1);
    rig.Commit();
    Handle& handle = rig.Start(1, 0, 1);
    rig.Free(handle, rig.first());
    rig.Create(handle, rig.first(), 2);
    jbd2_journal_stop(handle);
    rig.Commit();
  });
  EXPECT_EQ(ValueOf(rig.log().Recovered(rig.first())), 2u);
}

TEST(RevokeTest, BlockChangedAndFreedByOneTransactionIsNotWritten) {
  JournalRig rig;
  rig.Story([&] {
    Handle& handle = rig.Start(1, 0, 1);
    rig.Set(handle, rig.first(), 1);
    const int credits = jbd2_handle_buffer_credits(handle);
    rig.Free(handle, rig.first());
    EXPECT_EQ(jbd2_handle_buffer_credits(handle), credits + 1);
    jbd2_journal_stop(handle);
    rig.Commit();
    EXPECT_EQ(rig.buffers().sb_getblk(rig.first()).b_jh, nullptr);
  });
  EXPECT_FALSE(rig.log().Replay().contains(rig.first()));
}

// The block may be somebody's data by the time the commit is through with it.
TEST(RevokeTest, BlockFreedWhileItCommitsIsNotWrittenHome) {
  JournalRig rig;
  JournalInode jinode;
  rig.on_submit_data = [&](JournalInode&) { rig.Sleep(5 * kMs); };
  rig.Story([&] {
    Handle& first = rig.Start(1);
    rig.Set(first, rig.first(), 1);
    EXPECT_EQ(jbd2_journal_inode_ranged_write(first, jinode, 0, 1024), Errno::kOk);
    jbd2_journal_stop(first);
    jbd2_log_start_commit(rig.journal(), 1);
    rig.Sleep(2 * kMs);
    Handle& second = rig.Start(1, 0, 1);
    rig.Free(second, rig.first());
    jbd2_journal_stop(second);
    jbd2_log_wait_commit(rig.journal(), 1);
    BufferHead& bh = rig.buffers().sb_getblk(rig.first());
    EXPECT_EQ(bh.b_jh->b_jlist, BufferList::kForget);
    EXPECT_FALSE(bh.dirty);
    rig.Commit();
    EXPECT_FALSE(bh.dirty);
    EXPECT_EQ(bh.b_jh, nullptr);
  });
}

TEST(RevokeTest, SecondRevocationAndMissingCreditsAreFindings) {
  JournalRig rig;
  rig.Story([&] {
    Handle& handle = rig.Start(1, 0, 1);
    rig.Free(handle, rig.first());
    EXPECT_EQ(jbd2_journal_revoke(handle, rig.first() + 1, nullptr), Errno::kIo);
    EXPECT_TRUE(jbd2_journal_extend(handle, 0, 1));
    EXPECT_EQ(jbd2_journal_revoke(handle, rig.first(), nullptr), Errno::kIo);
    jbd2_journal_stop(handle);
  });
  EXPECT_EQ(rig.world().findings().size(), 2u);
}

TEST(RevokeTest, RevokedBlocksKeepTheirDescriptorCredits) {
  JournalRig rig;
  rig.Story([&] {
    Handle& handle = rig.Start(1, 0, 3);
    EXPECT_EQ(jbd2_handle_buffer_credits(handle), 1);
    for (Pblk i = 0; i < 3; ++i) rig.Free(handle, rig.first() + i);
    jbd2_journal_stop(handle);
    const Journal& journal = rig.journal();
    EXPECT_EQ(journal.j_running_transaction->t_outstanding_credits,
              journal.j_transaction_overhead_buffers + 1);
  });
}

}  // namespace
}  // namespace model
