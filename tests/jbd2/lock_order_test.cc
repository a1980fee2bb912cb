// What the lock checker makes of handles, commits and waits for them.
#include "tests/jbd2/journal_rig.h"

namespace model {
namespace {

class LockOrderTest : public testing::Test {
 protected:
  // A folio lock, or writeback: something that the data callbacks of a commit wait for.
  void Make(JournalRig& rig) {
    folio_ = std::make_unique<sim::Mutex>(rig.world(), rig.tracker().Class("folio"),
                                          sim::InstanceName{"folio", 1});
  }
  void OrderData(JournalRig& rig) {
    rig.on_submit_data = [this](JournalInode&) { sim::MutexGuard folio(*folio_); };
  }

  std::unique_ptr<sim::Mutex> folio_;
  JournalInode jinode_;
};

TEST_F(LockOrderTest, HandleThenFolioIsFineWithACommitThatLocksFolios) {
  JournalRig rig;
  Make(rig);
  OrderData(rig);
  rig.Story([&] {
    Handle& handle = rig.Start(1);
    sim::MutexGuard folio(*folio_);
    EXPECT_EQ(jbd2_journal_inode_ranged_write(handle, jinode_, 0, 1024), Errno::kOk);
    folio.Unlock();
    jbd2_journal_stop(handle);
    rig.Commit();
  });
  EXPECT_EQ(rig.LockReports(), 0u) << rig.LockReportTexts();
}

TEST_F(LockOrderTest, FolioThenHandleIsFineWithACommitThatDoesNot) {
  JournalRig rig;
  Make(rig);
  rig.Story([&] {
    sim::MutexGuard folio(*folio_);
    jbd2_journal_stop(rig.Start(1));
    EXPECT_TRUE(jbd2_journal_force_commit_nested(rig.journal()));
  });
  EXPECT_EQ(rig.LockReports(), 0u) << rig.LockReportTexts();
}

TEST_F(LockOrderTest, FolioThenHandleIsACycleWithACommitThatLocksFolios) {
  JournalRig rig;
  Make(rig);
  OrderData(rig);
  rig.Story([&] {
    sim::MutexGuard folio(*folio_);
    Handle& handle = rig.Start(1);
    EXPECT_EQ(jbd2_journal_inode_ranged_write(handle, jinode_, 0, 1024), Errno::kOk);
    jbd2_journal_stop(handle);
    folio.Unlock();
    rig.Commit();
  });
  EXPECT_GE(rig.LockReports(), 1u);
}

TEST_F(LockOrderTest, FolioOnBothSidesOfAHandleIsACycle) {
  JournalRig rig;
  Make(rig);
  rig.Story([&] {
    {
      sim::MutexGuard folio(*folio_);
      jbd2_journal_stop(rig.Start(1));
    }
    Handle& handle = rig.Start(1);
    sim::MutexGuard folio(*folio_);
    folio.Unlock();
    jbd2_journal_stop(handle);
  });
  EXPECT_GE(rig.LockReports(), 1u);
}

// The conversion of what was written: the commit waits for it.
TEST_F(LockOrderTest, ReservedHandleMayBeStartedWhereAnOrdinaryOneIsACycle) {
  for (const bool use_reserved : {true, false}) {
    JournalRig rig;
    Make(rig);
    OrderData(rig);
    rig.Story([&] {
      Handle& handle = rig.Start(1, 1);
      Handle& reserved = *std::exchange(handle.h_rsv_handle, nullptr);
      EXPECT_EQ(jbd2_journal_inode_ranged_write(handle, jinode_, 0, 1024), Errno::kOk);
      jbd2_journal_stop(handle);
      sim::MutexGuard folio(*folio_);
      if (use_reserved) {
        EXPECT_EQ(jbd2_journal_start_reserved(reserved), Errno::kOk);
        jbd2_journal_stop(reserved);
      } else {
        jbd2_journal_stop(rig.Start(1));
        jbd2_journal_free_reserved(reserved);
      }
      folio.Unlock();
      rig.Commit();
    });
    EXPECT_EQ(rig.LockReports() > 0, !use_reserved) << rig.LockReportTexts();
  }
}

TEST_F(LockOrderTest, WaitForACommitUnderItsOwnHandleIsACycleForAnOlderOneItIsNot) {
  JournalRig rig;
  rig.Task("older", [&] {
    rig.SetAlone(rig.first(), 1);
    jbd2_log_start_commit(rig.journal(), 1);
    while (rig.journal().committing_tid() != 1) rig.Sleep(1'000);
    Handle& handle = rig.Start(1);
    jbd2_log_wait_commit(rig.journal(), 1);
    jbd2_journal_stop(handle);
    EXPECT_EQ(rig.LockReports(), 0u) << rig.LockReportTexts();
  });
  rig.RunToTheEnd();

  JournalRig broken;
  broken.Task("own", [&] {
    Handle& handle = broken.Start(1);
    jbd2_log_start_commit(broken.journal(), 1);
    jbd2_log_wait_commit(broken.journal(), 1);
    jbd2_journal_stop(handle);
  });
  EXPECT_EQ(broken.Run(), sim::ExecutionEnd::kDeadlock);
  EXPECT_GE(broken.LockReports(), 1u);
  EXPECT_THAT(broken.Waiting(), testing::HasSubstr("jbd2/sda-8 waits for t_updates"));
}

// Writers that fill a small log, and a flusher that marks it empty again and again.
void Fill(JournalRig& rig) {
  for (Pblk task = 0; task < 2; ++task) {
    rig.Task("writer" + std::to_string(task), [&rig, task] {
      for (Ino round = 1; round <= 10; ++round) {
        Handle& handle = rig.Start(3);
        for (Pblk i = 0; i < 3; ++i) rig.Set(handle, rig.first() + (task + round + i) % 5, round);
        jbd2_journal_stop(handle);
      }
    });
  }
  rig.Task("flusher", [&rig] {
    for (int i = 0; i < 3; ++i) {
      jbd2_journal_lock_updates(rig.journal());
      jbd2_journal_flush(rig.journal());
      jbd2_journal_unlock_updates(rig.journal());
    }
  });
}

TEST_F(LockOrderTest, JournalAloneHasNoCycleAndNoDeadlock) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    JournalRig rig({.journal_blocks = 24, .random = true, .seed = seed});
    Fill(rig);
    rig.RunToTheEnd();
    ASSERT_EQ(rig.LockReports(), 0u) << rig.LockReportTexts();
    EXPECT_THAT(rig.world().findings(), testing::IsEmpty());
  }
}

TEST_F(LockOrderTest, CheckpointMutexHeldOverTheWaitForACommitDeadlocks) {
  int cycles = 0, deadlocks = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    JournalRig rig({.journal_blocks = 24,
                    .random = true,
                    .seed = seed,
                    .policy = {.hold_cp_mutex_in_wait_commit = true}});
    Fill(rig);
    deadlocks += rig.Run() == sim::ExecutionEnd::kDeadlock;
    cycles += rig.LockReports() > 0;
  }
  EXPECT_GT(cycles, 0);
  EXPECT_GT(deadlocks, 0);
}

TEST_F(LockOrderTest, SameSeedGivesTheSameExecution) {
  std::vector<sim::Digest> digests;
  for (int run = 0; run < 2; ++run) {
    JournalRig rig({.journal_blocks = 24, .random = true, .seed = 5});
    Fill(rig);
    rig.RunToTheEnd();
    digests.push_back(rig.world().digest().Value());
  }
  EXPECT_EQ(digests[0], digests[1]);
}

}  // namespace
}  // namespace model
