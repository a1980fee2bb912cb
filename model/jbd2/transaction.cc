// fs/jbd2/transaction.c: handles and barriers
#include "model/jbd2/transaction.h"

#include "absl/strings/str_cat.h"
#include "sim/check.h"

namespace model {
namespace {

using sim::Site;

// jbd2_get_transaction(): with j_state_lock held.
void jbd2_get_transaction(Journal& journal) {
  Transaction& transaction = *journal.NewTransaction();
  transaction.t_journal = &journal;
  transaction.t_tid = journal.j_transaction_sequence++;
  EnterState(transaction, TransactionState::kRunning);
  transaction.t_expires = journal.world.now() + journal.options.commit_interval;
  transaction.t_outstanding_credits =
      journal.j_transaction_overhead_buffers + journal.j_reserved_credits;
  transaction.t_outstanding_revokes = 0;
  transaction.t_need_data_flush = false;
  transaction.t_done.set_bit();
  journal.j_running_transaction = &transaction;
  journal.j_wait_commit.WakeAll();  // the commit timer
}

void sub_reserved_credits(Journal& journal, int blocks) {
  journal.j_reserved_credits -= blocks;
  journal.j_wait_reserved.WakeAll();
}

// --- Waits of a start: with j_state_lock held, which they drop and retake ------------------------

// The running transaction takes no more handles, or has no room for this one.
void wait_transaction_locked(Journal& journal, PlainSpinGuard& j_state_lock, Site site) {
  const Tid tid = journal.running_tid();
  const bool need_to_start = journal.j_commit_request < tid;
  j_state_lock.Unlock();
  if (need_to_start) jbd2_log_start_commit(journal, tid);
  journal.j_wait_transaction_locked.wait_event([&] { return journal.running_tid() != tid; }, site);
  j_state_lock.Relock(journal.j_state_lock);
}

void wait_transaction_switching(Journal& journal, PlainSpinGuard& j_state_lock, Site site) {
  const Tid tid = journal.running_tid();
  j_state_lock.Unlock();
  journal.j_wait_transaction_locked.wait_event([&] { return journal.running_tid() != tid; }, site);
  j_state_lock.Relock(journal.j_state_lock);
}

void WaitForReserved(Journal& journal, PlainSpinGuard& j_state_lock, int at_most, Site site) {
  j_state_lock.Unlock();
  journal.j_wait_reserved.wait_event([&] { return journal.j_reserved_credits <= at_most; }, site);
  j_state_lock.Relock(journal.j_state_lock);
}

// True once the running transaction has the credits; false after a wait: look again.
bool add_transaction_credits(Journal& journal, PlainSpinGuard& j_state_lock, int blocks,
                             int rsv_blocks, Site site) {
  Transaction& t = *journal.j_running_transaction;
  const int total = blocks + rsv_blocks;
  const int max = journal.jbd2_max_user_trans_buffers();
  if (t.t_state != TransactionState::kRunning) {
    wait_transaction_locked(journal, j_state_lock, site);
    return false;
  }
  if (t.t_outstanding_credits + total > journal.j_max_transaction_buffers) {
    // If it is reservations that leave no room, they will in the next transaction, too.
    if (journal.j_reserved_credits + total > max) {
      WaitForReserved(journal, j_state_lock, max - total, site);
    } else {
      wait_transaction_locked(journal, j_state_lock, site);
    }
    return false;
  }
  // The commit never has to wait for log space: it is there before the first handle is.
  if (jbd2_log_space_left(journal) < journal.j_max_transaction_buffers) {
    j_state_lock.Unlock();
    __jbd2_log_wait_for_space(journal);
    j_state_lock.Relock(journal.j_state_lock);
    return false;
  }
  if (journal.j_reserved_credits + rsv_blocks > max / 2 && rsv_blocks > 0) {
    WaitForReserved(journal, j_state_lock, max / 2 - rsv_blocks, site);
    return false;
  }
  t.t_outstanding_credits += total;
  journal.j_reserved_credits += rsv_blocks;
  return true;
}

// For the lock checker: an ordinary start may have to wait for all this, whether or not it does.
void MightWaitToStart(Journal& journal, Site site) {
  journal.jbd2_commit.might_wait(site);  // log space
  journal.world.lock_tracker().Sync(journal.j_barrier, site);
  journal.j_trans_commit_map.might_wait_read(site);  // T_LOCKED
}

Errno start_this_handle(Journal& journal, Handle& handle, Site site) {
  SIM_FRAME("start_this_handle");
  const int blocks = handle.h_total_credits;
  const int rsv_blocks = handle.h_rsv_handle != nullptr ? handle.h_rsv_handle->h_total_credits : 0;
  const int max = journal.jbd2_max_user_trans_buffers();
  if (rsv_blocks > max / 2 || rsv_blocks + blocks > max) {
    Violated(journal, absl::StrCat("start_this_handle: wants ", blocks, " credits and ", rsv_blocks,
                                   " reserved, a transaction has ", max,
                                   ": the file system needs more journal_blocks"));
    return Errno::kNoSpc;
  }
  if (!handle.h_reserved) MightWaitToStart(journal, site);

  journal.world.Step(journal.j_state_lock.object(), sim::Access::kRead);
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  for (;;) {
    if (is_journal_aborted(journal)) return Errno::kRoFs;
    // Reserved handles pass: the one who bars may be waiting for the writeback that they end.
    if (!handle.h_reserved && journal.j_barrier_count > 0) {
      j_state_lock.Unlock();
      journal.j_wait_transaction_locked.wait_event([&] { return journal.j_barrier_count == 0; },
                                                   site);
      j_state_lock.Relock(journal.j_state_lock);
      continue;
    }
    if (journal.j_running_transaction == nullptr) jbd2_get_transaction(journal);
    if (!handle.h_reserved) {
      if (add_transaction_credits(journal, j_state_lock, blocks, rsv_blocks, site)) break;
      continue;
    }
    // It may join T_LOCKED, and its credits and log space are accounted for. But from T_SWITCH on
    // the commit does not wait for handles any more.
    if (journal.j_running_transaction->t_state == TransactionState::kSwitch) {
      wait_transaction_switching(journal, j_state_lock, site);
      continue;
    }
    sub_reserved_credits(journal, blocks);
    handle.h_reserved = false;
    break;
  }
  handle.h_transaction = journal.j_running_transaction;
  handle.h_revoke_credits_requested = handle.h_revoke_credits;
  ++handle.h_transaction->t_updates;
  j_state_lock.Unlock();
  journal.current_handles[journal.world.current().id().value] = &handle;
  journal.j_trans_commit_map.acquire_read(site);
  LogTransaction(*handle.h_transaction, "start_handle");
  return Errno::kOk;
}

// Takes the handle out of its transaction, and its unused credits with it.
void stop_this_handle(Handle& handle, Site site) {
  Journal& journal = *handle.h_journal;
  Transaction& transaction = *handle.h_transaction;
  SIM_CHECK(transaction.t_updates > 0 && journal_current_handle(journal) == &handle);
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  journal.current_handles[journal.world.current().id().value] = nullptr;
  const int revokes = handle.h_revoke_credits_requested - handle.h_revoke_credits;
  if (revokes > 0) {
    // What it revoked stays accounted for, as far as that begins new descriptor blocks.
    const int per_block = journal.j_revoke_records_per_block;
    const int before = DivRoundUp(transaction.t_outstanding_revokes, per_block);
    transaction.t_outstanding_revokes += revokes;
    handle.h_total_credits -= DivRoundUp(transaction.t_outstanding_revokes, per_block) - before;
  }
  transaction.t_outstanding_credits -= handle.h_total_credits;
  if (handle.h_rsv_handle != nullptr) {
    __jbd2_journal_unreserve_handle(*handle.h_rsv_handle, &transaction);
  }
  if (--transaction.t_updates == 0) journal.j_wait_updates.WakeAll();
  journal.j_trans_commit_map.release(site);
  LogTransaction(transaction, "stop_handle");
}

Handle& new_handle(Journal& journal, int nblocks) {
  Handle& handle = *journal.NewHandle();
  handle.h_journal = &journal;
  handle.h_total_credits = nblocks;
  handle.h_ref = 1;
  return handle;
}

}  // namespace

// --- In an event log -----------------------------------------------------------------------------

void LogTransaction(const Transaction& transaction, const char* what, const char* note) {
  if (!transaction.world.logging()) return;
  transaction.world.Log({.what = what,
                         .subject = absl::StrCat("transaction ", transaction.t_tid),
                         .id = transaction.t_tid,
                         .note = note});
}

void EnterState(Transaction& transaction, TransactionState state) {
  static constexpr const char* kNames[] = {
      "T_RUNNING",       "T_LOCKED",        "T_SWITCH",          "T_FLUSH",   "T_COMMIT",
      "T_COMMIT_DFLUSH", "T_COMMIT_JFLUSH", "T_COMMIT_CALLBACK", "T_FINISHED"};
  transaction.t_state = state;
  LogTransaction(transaction, "transaction", kNames[static_cast<size_t>(state)]);
}

// --- Handles -------------------------------------------------------------------------------------

Handle* journal_current_handle(Journal& journal) {
  const uint32_t task = journal.world.current().id().value;
  if (journal.current_handles.size() <= task) journal.current_handles.resize(task + 1);
  return journal.current_handles[task];
}

bool is_handle_aborted(const Handle& handle) {
  return handle.h_transaction == nullptr || is_journal_aborted(*handle.h_journal);
}

Tid HandleTid(const Handle& handle) { return handle.h_transaction->t_tid; }

int jbd2_handle_buffer_credits(const Handle& handle) {
  return handle.h_total_credits - DivRoundUp(handle.h_revoke_credits_requested,
                                             handle.h_journal->j_revoke_records_per_block);
}

HandleOrError jbd2_journal_start(Journal& journal, int nblocks, int rsv_blocks, int revoke_records,
                                 Site site) {
  SIM_FRAME("jbd2_journal_start");
  if (Handle* const current = journal_current_handle(journal); current != nullptr) {
    ++current->h_ref;
    return {current, Errno::kOk};
  }
  nblocks += DivRoundUp(revoke_records, journal.j_revoke_records_per_block);
  Handle& handle = new_handle(journal, nblocks);
  handle.h_revoke_credits = revoke_records;
  if (rsv_blocks > 0) {
    handle.h_rsv_handle = &new_handle(journal, rsv_blocks);
    handle.h_rsv_handle->h_reserved = true;
  }
  const Errno error = start_this_handle(journal, handle, site);
  if (error == Errno::kOk) return {&handle, error};
  if (handle.h_rsv_handle != nullptr) journal.FreeHandle(handle.h_rsv_handle);
  journal.FreeHandle(&handle);
  return {nullptr, error};
}

Errno jbd2_journal_start_reserved(Handle& handle, Site site) {
  SIM_FRAME("jbd2_journal_start_reserved");
  SIM_CHECK(handle.h_reserved && journal_current_handle(*handle.h_journal) == nullptr);
  return start_this_handle(*handle.h_journal, handle, site);
}

void __jbd2_journal_unreserve_handle(Handle& handle, Transaction* transaction) {
  SIM_CHECK(handle.h_reserved);
  sub_reserved_credits(*handle.h_journal, handle.h_total_credits);
  if (transaction != nullptr) transaction->t_outstanding_credits -= handle.h_total_credits;
}

void jbd2_journal_free_reserved(Handle& handle) {
  Journal& journal = *handle.h_journal;
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  __jbd2_journal_unreserve_handle(handle, nullptr);
  journal.FreeHandle(&handle);
}

Errno jbd2_journal_stop(Handle& handle, Site site) {
  Journal& journal = *handle.h_journal;
  if (journal.world.tearing_down()) return Errno::kOk;
  SIM_FRAME("jbd2_journal_stop");
  SIM_CHECK(handle.h_ref > 0);
  if (--handle.h_ref > 0) return is_handle_aborted(handle) ? Errno::kIo : Errno::kOk;

  Errno error = is_handle_aborted(handle) ? Errno::kIo : Errno::kOk;
  if (handle.h_transaction != nullptr) {
    const Tid tid = HandleTid(handle);
    const bool sync = handle.h_sync;
    if (sync || journal.world.ReadClock() >= handle.h_transaction->t_expires) {
      jbd2_log_start_commit(journal, tid);
    }
    stop_this_handle(handle, site);
    if (sync) error = FirstError(error, jbd2_log_wait_commit(journal, tid, site));
  } else {
    // Its restart failed; the task has it still.
    journal.current_handles[journal.world.current().id().value] = nullptr;
  }
  if (handle.h_rsv_handle != nullptr) journal.FreeHandle(handle.h_rsv_handle);
  journal.FreeHandle(&handle);
  return error;
}

bool jbd2_journal_extend(Handle& handle, int nblocks, int revoke_records) {
  if (is_handle_aborted(handle)) return false;
  Journal& journal = *handle.h_journal;
  Transaction& transaction = *handle.h_transaction;
  const int per_block = journal.j_revoke_records_per_block;
  nblocks += DivRoundUp(handle.h_revoke_credits_requested + revoke_records, per_block) -
             DivRoundUp(handle.h_revoke_credits_requested, per_block);
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  if (transaction.t_state != TransactionState::kRunning ||
      transaction.t_outstanding_credits + nblocks > journal.j_max_transaction_buffers) {
    return false;
  }
  transaction.t_outstanding_credits += nblocks;
  handle.h_total_credits += nblocks;
  handle.h_revoke_credits_requested += revoke_records;
  handle.h_revoke_credits += revoke_records;
  return true;
}

Errno jbd2_journal_restart(Handle& handle, int nblocks, int revoke_records, Site site) {
  SIM_FRAME("jbd2_journal_restart");
  if (is_handle_aborted(handle)) return Errno::kRoFs;
  Journal& journal = *handle.h_journal;
  const Tid tid = HandleTid(handle);
  stop_this_handle(handle, site);
  handle.h_transaction = nullptr;
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  const bool need_to_start = journal.j_commit_request < tid;
  j_state_lock.Unlock();
  if (need_to_start) jbd2_log_start_commit(journal, tid);
  handle.h_total_credits = nblocks + DivRoundUp(revoke_records, journal.j_revoke_records_per_block);
  handle.h_revoke_credits = revoke_records;
  const Errno error = start_this_handle(journal, handle, site);
  if (error != Errno::kOk) {
    journal.current_handles[journal.world.current().id().value] = &handle;
  }
  return error;
}

// --- Barriers ------------------------------------------------------------------------------------

void jbd2_journal_wait_updates(Journal& journal, Site site) {
  journal.j_wait_updates.wait_event(
      [&] {
        return journal.j_running_transaction == nullptr ||
               journal.j_running_transaction->t_updates == 0;
      },
      site);
}

void jbd2_journal_lock_updates(Journal& journal, Site site) {
  SIM_FRAME("jbd2_journal_lock_updates");
  journal.jbd2_commit.might_wait(site);
  journal.world.Step(journal.j_state_lock.object(), sim::Access::kWrite);
  ++journal.j_barrier_count;
  journal.j_wait_reserved.wait_event([&] { return journal.j_reserved_credits == 0; }, site);
  journal.j_trans_commit_map.might_wait(site);
  jbd2_journal_wait_updates(journal, site);
  journal.j_barrier.mutex_lock(sim::Subclass::kNormal, site);
}

void jbd2_journal_unlock_updates(Journal& journal, Site site) {
  SIM_CHECK(journal.j_barrier_count > 0);
  journal.j_barrier.mutex_unlock(site);
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  --journal.j_barrier_count;
  journal.j_wait_transaction_locked.WakeAll();
}

}  // namespace model
