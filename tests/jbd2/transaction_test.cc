#include "tests/jbd2/journal_rig.h"

namespace model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(HandleTest, StartInATaskWithAHandleIsThatHandle) {
  JournalRig rig;
  rig.Story([&] {
    Handle& outer = rig.Start(3);
    Handle& inner = rig.Start(1);
    EXPECT_EQ(&inner, &outer);
    EXPECT_EQ(jbd2_journal_stop(inner), Errno::kOk);
    EXPECT_EQ(journal_current_handle(rig.journal()), &outer);
    EXPECT_EQ(jbd2_journal_stop(outer), Errno::kOk);
    EXPECT_EQ(journal_current_handle(rig.journal()), nullptr);
  });
}

TEST(HandleTest, TooManyCreditsForAnyTransactionFailAndAreAFinding) {
  JournalRig rig;
  rig.Story([&] {
    const int max = rig.journal().jbd2_max_user_trans_buffers();
    EXPECT_EQ(jbd2_journal_start(rig.journal(), max + 1).error, Errno::kNoSpc);
    EXPECT_EQ(jbd2_journal_start(rig.journal(), 1, max / 2 + 1).error, Errno::kNoSpc);
    EXPECT_EQ(jbd2_journal_stop(rig.Start(max)), Errno::kOk);
  });
  ASSERT_EQ(rig.world().findings().size(), 2u);
  EXPECT_EQ(rig.world().findings()[0].kind, "invariant");
}

TEST(HandleTest, ChangeWithoutCreditsIsAFinding) {
  JournalRig rig;
  rig.Story([&] {
    Handle& handle = rig.Start(1);
    rig.Set(handle, rig.first(), 1);
    rig.Set(handle, rig.first(), 2);  // the same block takes no more
    BufferHead& other = *rig.buffers().sb_bread(rig.first() + 1);
    EXPECT_EQ(jbd2_journal_get_write_access(handle, other), Errno::kOk);
    EXPECT_EQ(jbd2_journal_dirty_metadata(handle, other), Errno::kNoSpc);
    EXPECT_EQ(jbd2_journal_stop(handle), Errno::kOk);
  });
  ASSERT_EQ(rig.world().findings().size(), 1u);
  EXPECT_EQ(rig.world().findings()[0].kind, "invariant");
}

TEST(HandleTest, LockedTransactionHoldsBackNewHandlesUntilTheOldStop) {
  JournalRig rig;
  rig.Task("old", [&] {
    Handle& handle = rig.Start(1);
    const Tid tid = HandleTid(handle);
    rig.Sleep(kMs);
    jbd2_log_start_commit(rig.journal(), tid);
    rig.Sleep(5 * kMs);
    rig.Note("old stops");
    jbd2_journal_stop(handle);
  });
  rig.Task("new", [&] {
    rig.Sleep(3 * kMs);
    Handle& handle = rig.Start(1);
    rig.Note("new starts");
    EXPECT_EQ(HandleTid(handle), 2u);
    jbd2_journal_stop(handle);
  });
  rig.RunToTheEnd();
  EXPECT_THAT(rig.done(), ElementsAre("old stops", "new starts"));
}

TEST(HandleTest, ReservedHandleJoinsALockedTransaction) {
  JournalRig rig;
  Handle* reserved = nullptr;
  rig.Task("old", [&] {
    Handle& first = rig.Start(1, 2);
    reserved = std::exchange(first.h_rsv_handle, nullptr);
    jbd2_journal_stop(first);
    Handle& handle = rig.Start(1);
    rig.Sleep(kMs);
    jbd2_log_start_commit(rig.journal(), HandleTid(handle));
    rig.Sleep(5 * kMs);
    rig.Note("old stops");
    jbd2_journal_stop(handle);
  });
  rig.Task("worker", [&] {
    rig.Sleep(3 * kMs);
    EXPECT_EQ(jbd2_journal_start_reserved(*reserved), Errno::kOk);
    EXPECT_EQ(HandleTid(*reserved), 1u);
    rig.Note("reserved starts");
    jbd2_journal_stop(*reserved);
  });
  rig.RunToTheEnd();
  EXPECT_THAT(rig.done(), ElementsAre("reserved starts", "old stops"));
  EXPECT_EQ(rig.journal().j_reserved_credits, 0);
}

TEST(HandleTest, ReservationsOfMoreThanHalfATransactionWait) {
  JournalRig rig;
  const int half = rig.journal().jbd2_max_user_trans_buffers() / 2;
  rig.Task("first", [&] {
    Handle& handle = rig.Start(1, half);
    Handle& reserved = *std::exchange(handle.h_rsv_handle, nullptr);
    jbd2_journal_stop(handle);
    rig.Sleep(3 * kMs);
    rig.Note("freed");
    jbd2_journal_free_reserved(reserved);
  });
  rig.Task("second", [&] {
    rig.Sleep(kMs);
    Handle& handle = rig.Start(1, 1);
    rig.Note("second starts");
    jbd2_journal_stop(handle);
  });
  rig.RunToTheEnd();
  EXPECT_THAT(rig.done(), ElementsAre("freed", "second starts"));
  EXPECT_EQ(rig.journal().j_reserved_credits, 0);
}

TEST(HandleTest, FullTransactionCommitsAndTheHandleGoesToTheNext) {
  JournalRig rig;
  const int max = rig.journal().jbd2_max_user_trans_buffers();
  rig.Task("full", [&] {
    Handle& handle = rig.Start(max);
    rig.Sleep(2 * kMs);
    rig.Note("full stops");
    jbd2_journal_stop(handle);
  });
  rig.Task("next", [&] {
    rig.Sleep(kMs);
    Handle& handle = rig.Start(1);
    rig.Note("next starts");
    EXPECT_EQ(HandleTid(handle), 2u);
    jbd2_journal_stop(handle);
  });
  rig.RunToTheEnd();
  EXPECT_THAT(rig.done(), ElementsAre("full stops", "next starts"));
}

TEST(HandleTest, UnusedCreditsAreGivenBack) {
  JournalRig rig;
  rig.Story([&] {
    const int max = rig.journal().jbd2_max_user_trans_buffers();
    for (int i = 0; i < 5; ++i) jbd2_journal_stop(rig.Start(max));
    EXPECT_EQ(rig.journal().running_tid(), 1u);
  });
}

TEST(HandleTest, ExtendNeedsRoomAndRestartMakesIt) {
  JournalRig rig;
  rig.Story([&] {
    const int max = rig.journal().jbd2_max_user_trans_buffers();
    Handle& handle = rig.Start(max - 1);
    EXPECT_TRUE(jbd2_journal_extend(handle, 1));
    EXPECT_EQ(jbd2_handle_buffer_credits(handle), max);
    EXPECT_FALSE(jbd2_journal_extend(handle, 1));
    rig.Set(handle, rig.first(), 1);
    EXPECT_EQ(jbd2_journal_restart(handle, max), Errno::kOk);
    EXPECT_EQ(HandleTid(handle), 2u);
    EXPECT_EQ(jbd2_handle_buffer_credits(handle), max);
    EXPECT_EQ(jbd2_journal_stop(handle), Errno::kOk);
    EXPECT_EQ(jbd2_log_wait_commit(rig.journal(), 1), Errno::kOk);
    EXPECT_EQ(ValueOf(rig.log().Recovered(rig.first())), 1u);
  });
}

TEST(HandleTest, SynchronousHandleStopsWhenItIsDurable) {
  JournalRig rig;
  rig.Story([&] {
    Handle& handle = rig.Start(1);
    handle.h_sync = true;
    rig.Set(handle, rig.first(), 7);
    EXPECT_EQ(jbd2_journal_stop(handle), Errno::kOk);
    EXPECT_EQ(ValueOf(rig.log().Recovered(rig.first())), 7u);
  });
}

TEST(HandleTest, BarrierKeepsOrdinaryHandlesOutAndLetsReservedPass) {
  JournalRig rig;
  Handle* reserved = nullptr;
  rig.Task("freezer", [&] {
    Handle& handle = rig.Start(1, 1);
    reserved = std::exchange(handle.h_rsv_handle, nullptr);
    jbd2_journal_stop(handle);
    jbd2_journal_lock_updates(rig.journal());
    rig.Note("barred");
    rig.Sleep(5 * kMs);
    rig.Note("unbarred");
    jbd2_journal_unlock_updates(rig.journal());
  });
  rig.Task("worker", [&] {
    rig.Sleep(kMs);
    EXPECT_EQ(jbd2_journal_start_reserved(*reserved), Errno::kOk);
    rig.Note("reserved");
    jbd2_journal_stop(*reserved);
  });
  rig.Task("writer", [&] {
    rig.Sleep(2 * kMs);
    jbd2_journal_stop(rig.Start(1));
    rig.Note("ordinary");
  });
  rig.RunToTheEnd();
  EXPECT_THAT(rig.done(), ElementsAre("reserved", "barred", "unbarred", "ordinary"));
}

TEST(HandleTest, TransactionIsCommittedWhenItsTimeIsUp) {
  JournalRig rig;
  rig.Story([&] {
    rig.SetAlone(rig.first(), 3);
    rig.Sleep(4'000 * kMs);
    EXPECT_EQ(rig.journal().j_commit_sequence, 0u);
    rig.Sleep(2'000 * kMs);
    EXPECT_EQ(rig.journal().j_commit_sequence, 1u);
  });
}

TEST(HandleTest, AbortedJournalTakesNothingMore) {
  JournalRig rig;
  rig.Story([&] {
    Handle& handle = rig.Start(1);
    rig.Set(handle, rig.first(), 1);
    jbd2_journal_abort(rig.journal(), Errno::kIo);
    BufferHead& bh = rig.buffers().sb_getblk(rig.first());
    EXPECT_EQ(jbd2_journal_dirty_metadata(handle, bh), Errno::kRoFs);
    EXPECT_FALSE(jbd2_journal_extend(handle, 1));
    EXPECT_EQ(jbd2_journal_restart(handle, 1), Errno::kRoFs);
    EXPECT_EQ(jbd2_journal_stop(handle), Errno::kIo);
    EXPECT_EQ(jbd2_journal_start(rig.journal(), 1).error, Errno::kRoFs);
    EXPECT_EQ(jbd2_log_wait_commit(rig.journal(), 1), Errno::kIo);
    EXPECT_FALSE(bh.dirty);
  });
  EXPECT_THAT(rig.log().Replay(), IsEmpty());
}

}  // namespace
}  // namespace model
