#include "tests/jbd2/journal_rig.h"

namespace model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Three tasks that change, free and allocate blocks until the log has wrapped several times; each
// has some of its work done under handles that it reserved before.
void Load(JournalRig& rig) {
  for (Pblk task = 0; task < 3; ++task) {
    rig.Task("writer" + std::to_string(task), [&rig, task] {
      const Pblk own = rig.first() + 3 + task;
      for (Ino round = 1; round <= 12; ++round) {
        Handle& handle = rig.Start(4, 1, 1);
        Handle& reserved = *std::exchange(handle.h_rsv_handle, nullptr);
        rig.Set(handle, rig.first(), 100 * task + round);
        rig.Set(handle, rig.first() + 1 + round % 2, 100 * task + round);
        if (round % 3 == 0) {
          rig.Free(handle, own);
        } else if (round % 3 == 1) {
          rig.Create(handle, own, round);
        } else {
          rig.Set(handle, own, round);
        }
        jbd2_journal_stop(handle);
        if (round % 4 == task) rig.Commit();
        EXPECT_EQ(jbd2_journal_start_reserved(reserved), Errno::kOk);
        rig.Set(reserved, rig.first() + 7, 100 * task + round);
        jbd2_journal_stop(reserved);
      }
    });
  }
}

std::vector<std::string> BreachesUnderLoad(Policy policy, bool external_journal = false) {
  std::vector<std::string> breaches;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    JournalRig rig({.journal_blocks = 32,
                    .external_journal = external_journal,
                    .random = seed % 2 == 1,
                    .seed = seed,
                    .policy = policy});
    Load(rig);
    rig.RunToTheEnd();
    EXPECT_THAT(rig.world().findings(), IsEmpty());
    EXPECT_GT(rig.journal().j_tail_sequence, 4u);  // it did wrap
    breaches.insert(breaches.end(), rig.log().breaches().begin(), rig.log().breaches().end());
  }
  return breaches;
}

TEST(CheckpointTest, HomeWriteFlushTailReuseComeInThisOrder) {
  EXPECT_THAT(BreachesUnderLoad({}), IsEmpty());
}

TEST(CheckpointTest, TailWithoutFlushForgetsWhatIsNotHome) {
  EXPECT_THAT(BreachesUnderLoad({.tail_advance_without_flush = true}),
              testing::Contains(testing::HasSubstr("tail")));
}

TEST(CheckpointTest, TailOnAnotherDeviceMovesOnlyAfterAFlushOfTheFileSystems) {
  EXPECT_THAT(BreachesUnderLoad({}, /*external_journal=*/true), IsEmpty());
  EXPECT_THAT(BreachesUnderLoad({.tail_advance_without_flush = true}, /*external_journal=*/true),
              testing::Contains(testing::HasSubstr("tail")));
}

// What the kernel's flusher does with a dirty buffer.
void WriteHome(JournalRig& rig, Pblk pblk) {
  BufferHead& bh = rig.buffers().sb_getblk(pblk);
  bh.b_lock.lock();
  bh.b_lock.hand_over();
  bh.dirty = false;
  rig.buffers().SubmitImage(pblk, bh.b_jh->b_committed_image, "metadata home", false, false,
                            [&bh](sim::BioStatus) { bh.b_lock.unlock(); });
  rig.buffers().wait_on_buffer(bh);
}

// Commits move the tail as well. On one device their preflush is enough for what somebody else has
// written home by then.
TEST(CheckpointTest, CommitThatMovesTheTailFlushesWhatIsHome) {
  for (const bool external : {false, true}) {
    for (const bool breaks_rule : {false, true}) {
      JournalRig rig(
          {.external_journal = external, .policy = {.tail_advance_without_flush = breaks_rule}});
      rig.Story([&] {
        rig.SetAlone(rig.first(), 1);
        rig.Commit();
        WriteHome(rig, rig.first());
        for (Ino value = 1; value <= 8; ++value) {
          rig.SetAlone(rig.first() + 1, value);
          rig.Commit();
        }
      });
      EXPECT_GT(rig.journal().j_tail_sequence, 1u);
      EXPECT_EQ(rig.log().breaches().empty(), !external || !breaks_rule);
    }
  }
}

TEST(CheckpointTest, BlocksGoHomeOnlyByCheckpoint) {
  JournalRig rig;
  rig.Story([&] {
    rig.SetAlone(rig.first(), 5);
    rig.Commit();
    EXPECT_TRUE(rig.buffers().sb_getblk(rig.first()).dirty);
    EXPECT_EQ(jbd2_journal_flush(rig.journal()), Errno::kOk);
    EXPECT_FALSE(rig.buffers().sb_getblk(rig.first()).dirty);
    EXPECT_EQ(rig.buffers().sb_getblk(rig.first()).b_jh, nullptr);
  });
  EXPECT_EQ(rig.log().DurableSuperblock(), (JournalSuperblock{0, 2}));
  EXPECT_THAT(rig.log().Replay(), IsEmpty());
  EXPECT_EQ(ValueOf(rig.log().Recovered(rig.first())), 5u);
  EXPECT_THAT(rig.log().writes(),
              ElementsAre("journal superblock", "journal descriptor", "journal copy",
                          "journal commit FLUSH FUA", "metadata home", "flush",
                          "journal superblock FUA", "journal superblock FUA"));
}

// What goes home is what the log has, not a later change that has not committed.
TEST(CheckpointTest, BufferOfANewerTransactionWaitsForItsCommit) {
  JournalRig rig;
  rig.Story([&] {
    rig.SetAlone(rig.first(), 1);
    rig.Commit();
    rig.SetAlone(rig.first(), 2);
    sim::MutexGuard j_checkpoint_mutex(rig.journal().j_checkpoint_mutex);
    EXPECT_EQ(jbd2_log_do_checkpoint(rig.journal()), Errno::kOk);
    EXPECT_EQ(rig.journal().j_commit_sequence, 2u);
    EXPECT_EQ(rig.journal().j_tail_sequence, 2u);
  });
  EXPECT_EQ(ValueOf(rig.log().Recovered(rig.first())), 2u);
  EXPECT_THAT(rig.log().breaches(), IsEmpty());
}

TEST(CheckpointTest, ForgottenBufferWaitsForItsHomeWrite) {
  JournalRig rig;
  BufferHead& bh = rig.buffers().sb_getblk(rig.first());
  rig.Task("checkpoint", [&] {
    rig.SetAlone(rig.first(), 1);
    rig.Commit();
    jbd2_journal_flush(rig.journal());
  });
  rig.Task("free", [&] {
    while (!bh.b_lock.is_locked() || bh.dirty || !bh.uptodate) rig.Sleep(1'000);
    Handle& handle = rig.Start(1, 0, 1);
    EXPECT_TRUE(bh.b_lock.is_locked());
    rig.Free(handle, rig.first());
    EXPECT_FALSE(bh.b_lock.is_locked());
    jbd2_journal_stop(handle);
  });
  rig.RunToTheEnd();
}

TEST(CheckpointTest, FailedHomeWriteAbortsBeforeTheTailMoves) {
  JournalRig probe;
  JournalRig rig({.faults = {{.sector = probe.geometry().first_sector(probe.first())}}});
  rig.Story([&] {
    rig.SetAlone(rig.first(), 1);
    rig.Commit();
    EXPECT_EQ(jbd2_journal_flush(rig.journal()), Errno::kIo);
    EXPECT_TRUE(is_journal_aborted(rig.journal()));
  });
  EXPECT_EQ(ValueOf(rig.log().Recovered(rig.first())), 1u);
}

}  // namespace
}  // namespace model
