#include "tests/jbd2/journal_rig.h"

namespace model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(CommitTest, WritesBeginningRevokesDescriptorCopiesAndRecordInThisOrder) {
  JournalRig rig;
  rig.Story([&] {
    Handle& handle = rig.Start(2, 0, 1);
    rig.Set(handle, rig.first(), 1);
    rig.Set(handle, rig.first() + 1, 2);
    rig.Free(handle, rig.first() + 2);
    jbd2_journal_stop(handle);
    EXPECT_EQ(rig.Commit(), Errno::kOk);
  });
  EXPECT_THAT(rig.log().writes(),
              ElementsAre("journal superblock", "journal revoke", "journal descriptor",
                          "journal copy", "journal copy", "journal commit FLUSH FUA"));
  EXPECT_EQ(ValueOf(rig.log().Recovered(rig.first() + 1)), 2u);
  EXPECT_THAT(rig.log().breaches(), IsEmpty());
}

TEST(CommitTest, WithoutBarriersNothingIsFlushed) {
  JournalRig rig({.journal = {.barrier = false}});
  rig.Story([&] {
    rig.SetAlone(rig.first(), 1);
    EXPECT_EQ(rig.Commit(), Errno::kOk);
    EXPECT_EQ(jbd2_journal_flush(rig.journal()), Errno::kOk);
  });
  EXPECT_THAT(rig.log().writes(), ElementsAre("journal superblock", "journal descriptor",
                                              "journal copy", "journal commit", "metadata home",
                                              "journal superblock", "journal superblock"));
}

TEST(CommitTest, RecordWithoutFlushVouchesForWhatIsNotThere) {
  JournalRig rig({.policy = {.commit_without_flush = true}});
  rig.Story([&] {
    rig.SetAlone(rig.first(), 1);
    EXPECT_EQ(rig.Commit(), Errno::kOk);
  });
  EXPECT_EQ(rig.log().writes().back(), "journal commit FUA");
  EXPECT_THAT(rig.log().breaches(), ElementsAre("commit of 1 before its log is durable"));
}

TEST(CommitTest, FrozenDataKeepsTheImageOfTheCommittingTransaction) {
  JournalRig rig;
  JournalInode jinode;
  rig.on_submit_data = [&](JournalInode&) { rig.Sleep(5 * kMs); };
  rig.Story([&] {
    Handle& handle = rig.Start(1);
    rig.Set(handle, rig.first(), 1);
    EXPECT_EQ(jbd2_journal_inode_ranged_write(handle, jinode, 0, 4096), Errno::kOk);
    jbd2_journal_stop(handle);
    jbd2_log_start_commit(rig.journal(), 1);
    rig.Sleep(2 * kMs);  // into phase 2a
    EXPECT_EQ(rig.SetAlone(rig.first(), 2), 2u);
    jbd2_log_wait_commit(rig.journal(), 1);
    EXPECT_EQ(ValueOf(rig.log().Recovered(rig.first())), 1u);
    EXPECT_FALSE(rig.buffers().sb_getblk(rig.first()).dirty);
    EXPECT_EQ(rig.Commit(), Errno::kOk);
    EXPECT_EQ(ValueOf(rig.log().Recovered(rig.first())), 2u);
  });
}

TEST(CommitTest, WriteAccessWaitsWhileTheContentItselfGoesToTheLog) {
  JournalRig rig;
  BufferHead& bh = rig.buffers().sb_getblk(rig.first());
  rig.Task("first", [&] {
    rig.SetAlone(rig.first(), 1);
    rig.Commit();
  });
  rig.Task("second", [&] {
    while (bh.b_jh == nullptr || !bh.b_jh->shadow) rig.Sleep(1'000);
    Handle& handle = rig.Start(1);
    EXPECT_TRUE(bh.b_jh->shadow);
    rig.Set(handle, rig.first(), 2);
    EXPECT_FALSE(bh.b_jh->shadow);
    EXPECT_EQ(bh.b_jh->b_frozen_data, 0u);
    jbd2_journal_stop(handle);
    rig.Commit();
  });
  rig.RunToTheEnd();
  EXPECT_EQ(ValueOf(rig.log().Recovered(rig.first())), 2u);
}

TEST(CommitTest, BufferOnlyReservedIsNotWritten) {
  JournalRig rig;
  rig.Story([&] {
    Handle& handle = rig.Start(1);
    BufferHead& bh = *rig.buffers().sb_bread(rig.first());
    EXPECT_EQ(jbd2_journal_get_write_access(handle, bh), Errno::kOk);
    jbd2_journal_stop(handle);
    EXPECT_EQ(rig.Commit(), Errno::kOk);
    EXPECT_EQ(bh.b_jh, nullptr);
  });
  EXPECT_THAT(rig.log().writes(), ElementsAre("journal superblock", "journal commit FLUSH FUA"));
}

TEST(CommitTest, OrderedDataIsSubmittedFirstAndWaitedForBeforeTheRecord) {
  JournalRig rig;
  JournalInode jinode;
  bool data_done = false;
  rig.on_submit_data = [&](JournalInode& inode) {
    EXPECT_EQ(inode.i_dirty_start, 1024u);
    EXPECT_EQ(inode.i_dirty_end, 5119u);
    rig.buffers().SubmitBlock(rig.first() + 9, ValueBlock(9), "file data", false, false,
                              [&](sim::BioStatus) { data_done = true; });
  };
  rig.on_finish_data = [&](JournalInode&) {
    while (!data_done) rig.Sleep(10'000);
    rig.Note("data done");
  };
  rig.Story([&] {
    Handle& handle = rig.Start(1);
    rig.Set(handle, rig.first(), 1);
    EXPECT_EQ(jbd2_journal_inode_ranged_write(handle, jinode, 2048, 3072), Errno::kOk);
    EXPECT_EQ(jbd2_journal_inode_ranged_wait(handle, jinode, 1024, 512), Errno::kOk);
    jbd2_journal_stop(handle);
    rig.Commit();
    EXPECT_EQ(ValueOf(rig.log().Recovered(rig.first() + 9)), 9u);
    EXPECT_EQ(jinode.i_transaction, nullptr);
    EXPECT_EQ(jinode.i_dirty_end, 0u);
  });
  EXPECT_THAT(rig.log().writes(),
              ElementsAre("journal superblock", "file data", "journal descriptor", "journal copy",
                          "journal commit FLUSH FUA"));
  EXPECT_THAT(rig.done(), ElementsAre("data done"));
}

TEST(CommitTest, InodeOrderedAgainMeanwhileBelongsToTheNextTransaction) {
  JournalRig rig;
  JournalInode jinode;
  rig.on_submit_data = [&](JournalInode&) { rig.Sleep(5 * kMs); };
  rig.Story([&] {
    Handle& first = rig.Start(1);
    EXPECT_EQ(jbd2_journal_inode_ranged_write(first, jinode, 0, 1024), Errno::kOk);
    jbd2_journal_stop(first);
    jbd2_log_start_commit(rig.journal(), 1);
    rig.Sleep(2 * kMs);
    EXPECT_TRUE(jbd2_journal_begin_ordered_truncate(rig.journal(), jinode));
    Handle& second = rig.Start(1);
    EXPECT_EQ(jbd2_journal_inode_ranged_write(second, jinode, 1024, 1024), Errno::kOk);
    jbd2_journal_stop(second);
    jbd2_log_wait_commit(rig.journal(), 1);
    EXPECT_EQ(jinode.i_transaction, rig.journal().j_running_transaction);
    EXPECT_FALSE(jbd2_journal_begin_ordered_truncate(rig.journal(), jinode));
    jbd2_journal_release_jbd_inode(rig.journal(), jinode);
    EXPECT_EQ(jinode.i_transaction, nullptr);
  });
}

TEST(CommitTest, ReleaseOfAnInodeWaitsForTheCommitThatWorksOnIt) {
  JournalRig rig;
  JournalInode busy, other;
  rig.on_finish_data = [&](JournalInode& jinode) {
    rig.Sleep(5 * kMs);
    rig.Note(&jinode == &busy ? "busy" : "other");
  };
  rig.Task("writer", [&] {
    Handle& handle = rig.Start(1);
    EXPECT_EQ(jbd2_journal_inode_ranged_wait(handle, other, 0, 1024), Errno::kOk);
    EXPECT_EQ(jbd2_journal_inode_ranged_wait(handle, busy, 0, 1024), Errno::kOk);
    jbd2_journal_stop(handle);
    rig.Commit();
  });
  rig.Task("evict", [&] {
    rig.Sleep(7 * kMs);  // the commit is at `busy`
    jbd2_journal_release_jbd_inode(rig.journal(), other);
    rig.Note("other released");
    jbd2_journal_release_jbd_inode(rig.journal(), busy);
    rig.Note("busy released");
  });
  rig.RunToTheEnd();
  EXPECT_THAT(rig.done(), ElementsAre("other", "other released", "busy", "busy released"));
}

TEST(CommitTest, CallbackComesWhenTheTransactionIsDurable) {
  JournalRig rig;
  rig.on_commit = [&](Tid tid) {
    EXPECT_EQ(tid, 1u);
    EXPECT_EQ(ValueOf(rig.log().Recovered(rig.first())), 4u);
    rig.Note("callback");
  };
  rig.Story([&] {
    rig.SetAlone(rig.first(), 4);
    rig.Commit();
    rig.Note("committed");
  });
  EXPECT_THAT(rig.done(), ElementsAre("callback", "committed"));
}

TEST(CommitTest, FlushIsYetToComeUntilTheRecordIsUnderWay) {
  JournalRig rig;
  JournalInode jinode;
  rig.on_finish_data = [&](JournalInode&) {
    EXPECT_TRUE(jbd2_trans_will_send_data_barrier(rig.journal(), 1));
  };
  rig.on_commit = [&](Tid) { EXPECT_FALSE(jbd2_trans_will_send_data_barrier(rig.journal(), 1)); };
  rig.Story([&] {
    Handle& handle = rig.Start(1);
    EXPECT_EQ(jbd2_journal_inode_ranged_wait(handle, jinode, 0, 1024), Errno::kOk);
    jbd2_journal_stop(handle);
    EXPECT_TRUE(jbd2_trans_will_send_data_barrier(rig.journal(), 1));
    EXPECT_EQ(jbd2_complete_transaction(rig.journal(), 1), Errno::kOk);
  });
}

// The record's preflush is of the journal's device.
TEST(CommitTest, ToAnotherDeviceFlushesTheFileSystemsBeforeTheRecordIfThereIsOrderedData) {
  for (const bool ordered : {false, true}) {
    JournalRig rig({.external_journal = true});
    JournalInode jinode;
    rig.Story([&] {
      Handle& handle = rig.Start(1);
      rig.Set(handle, rig.first(), 1);
      if (ordered) {
        EXPECT_EQ(jbd2_journal_inode_ranged_wait(handle, jinode, 0, 1024), Errno::kOk);
      }
      jbd2_journal_stop(handle);
      EXPECT_EQ(rig.Commit(), Errno::kOk);
    });
    std::vector<std::string> writes = {"journal superblock", "journal descriptor", "journal copy",
                                       "journal commit FLUSH FUA"};
    if (ordered) writes.insert(writes.end() - 1, "flush");
    EXPECT_EQ(rig.log().writes(), writes);
    EXPECT_THAT(rig.log().breaches(), IsEmpty());
  }
}

TEST(CommitTest, RunningTransactionIsToldThatASyncReliesOnItsFlush) {
  for (const bool tells : {true, false}) {
    JournalRig rig({.external_journal = true, .policy = {.no_t_need_data_flush = !tells}});
    rig.Story([&] {
      rig.SetAlone(rig.first(), 1);
      EXPECT_TRUE(jbd2_trans_will_send_data_barrier(rig.journal(), 1));
      EXPECT_EQ(jbd2_complete_transaction(rig.journal(), 1), Errno::kOk);
    });
    EXPECT_THAT(rig.log().writes(), testing::Conditional(tells, testing::Contains("flush"),
                                                         testing::Not(testing::Contains("flush"))));
  }
}

// On one device the flush is the record's own, on another it comes first; if there is one.
TEST(CommitTest, FlushOfAnotherDeviceIsOverBeforeTheRecordIsUnderWay) {
  JournalRig rig({.external_journal = true});
  rig.on_commit = [&](Tid tid) {
    EXPECT_FALSE(jbd2_trans_will_send_data_barrier(rig.journal(), tid));
  };
  JournalInode jinode;
  rig.on_finish_data = [&](JournalInode&) {
    EXPECT_TRUE(jbd2_trans_will_send_data_barrier(rig.journal(), 1));
  };
  const auto committing_in = [&](TransactionState state) {
    return rig.journal().committing_tid() != 0 &&
           rig.journal().j_committing_transaction->t_state == state;
  };
  rig.Task("commits", [&] {
    Handle& handle = rig.Start(1);
    EXPECT_EQ(jbd2_journal_inode_ranged_wait(handle, jinode, 0, 1024), Errno::kOk);
    jbd2_journal_stop(handle);
    EXPECT_EQ(rig.Commit(), Errno::kOk);
    rig.SetAlone(rig.first(), 2);  // nothing to flush for
    EXPECT_EQ(rig.Commit(), Errno::kOk);
  });
  rig.Task("asks", [&] {
    while (!committing_in(TransactionState::kCommitDflush)) rig.Sleep(1'000);
    EXPECT_EQ(rig.journal().committing_tid(), 1u);
    EXPECT_FALSE(jbd2_trans_will_send_data_barrier(rig.journal(), 1));
    while (rig.journal().committing_tid() != 2 || !committing_in(TransactionState::kCommit)) {
      rig.Sleep(1'000);
    }
    EXPECT_FALSE(jbd2_trans_will_send_data_barrier(rig.journal(), 2));
  });
  rig.RunToTheEnd();
}

TEST(CommitTest, NestedForceWaitsForTheCommittingTransactionOnly) {
  JournalRig rig;
  JournalInode jinode;
  rig.on_submit_data = [&](JournalInode&) { rig.Sleep(5 * kMs); };
  rig.Story([&] {
    EXPECT_FALSE(jbd2_journal_force_commit_nested(rig.journal()));
    Handle& first = rig.Start(1);
    EXPECT_EQ(jbd2_journal_inode_ranged_write(first, jinode, 0, 1024), Errno::kOk);
    jbd2_journal_stop(first);
    jbd2_log_start_commit(rig.journal(), 1);
    rig.Sleep(2 * kMs);
    Handle& second = rig.Start(1);
    EXPECT_TRUE(jbd2_journal_force_commit_nested(rig.journal()));
    EXPECT_EQ(rig.journal().j_commit_sequence, 1u);
    EXPECT_FALSE(jbd2_journal_force_commit_nested(rig.journal()));
    jbd2_journal_stop(second);
  });
}

TEST(CommitTest, FailedLogWriteAbortsTheJournal) {
  const Geometry geometry = JournalRig().geometry();
  JournalRig rig({.faults = {{.sector = geometry.first_sector(geometry.journal() + 3)}}});
  rig.Story([&] {
    Handle& handle = rig.Start(8);
    for (Pblk i = 0; i < 8; ++i) rig.Set(handle, rig.first() + i, 1);
    jbd2_journal_stop(handle);
    EXPECT_EQ(rig.Commit(), Errno::kIo);
    EXPECT_TRUE(is_journal_aborted(rig.journal()));
  });
  EXPECT_THAT(rig.log().Replay(), IsEmpty());
}

}  // namespace
}  // namespace model
