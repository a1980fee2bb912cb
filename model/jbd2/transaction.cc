// fs/jbd2/transaction.c
#include "model/jbd2/transaction.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sim/check.h"

namespace model {
namespace {

using sim::Site;

std::vector<JournalHead*>& ListOf(Transaction& transaction, BufferList jlist) {
  switch (jlist) {
    case BufferList::kReserved:
      return transaction.t_reserved_list.update();
    case BufferList::kMetadata:
      return transaction.t_buffers.update();
    case BufferList::kShadow:
      return transaction.t_shadow_list.update();
    default:
      return transaction.t_forget.update();
  }
}

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
  if (rsv_blocks > max / 2 || rsv_blocks + blocks > max) return Errno::kNoSpc;
  if (!handle.h_reserved) MightWaitToStart(journal, site);

  journal.world.Step(journal.j_state_lock.object(), sim::Access::kWrite);
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

// --- Buffers -------------------------------------------------------------------------------------

// Takes the buffer off its list; what was changed under the journal's protection may be written
// home from now on.
void __jbd2_journal_temp_unlink_buffer(JournalHead& jh) {
  if (jh.b_jlist == BufferList::kNone) return;
  std::vector<JournalHead*>& list = ListOf(*jh.b_transaction, jh.b_jlist);
  list.erase(std::find(list.begin(), list.end(), &jh));
  jh.b_jlist = BufferList::kNone;
  if (jh.jbddirty && !is_journal_aborted(*jh.b_transaction->t_journal)) jh.bh->dirty = true;
  jh.jbddirty = false;
}

bool InTransaction(const JournalHead& jh, const Transaction* transaction) {
  return jh.b_transaction == transaction || jh.b_next_transaction == transaction;
}

// True if the buffer is the handle's transaction's now; false after a wait for BH_Shadow.
bool TryGetWriteAccess(Handle& handle, BufferHead& bh) {
  Journal& journal = *handle.h_journal;
  Transaction* const transaction = handle.h_transaction;
  // The lock shuts out a write of the buffer to its home.
  sim::BitGuard buffer_lock(bh.b_lock);
  PlainSpinGuard b_state_lock(journal.b_state_lock);
  JournalHead& jh = jbd2_journal_add_journal_head(journal, bh);
  if (InTransaction(jh, transaction)) return true;
  jh.b_modified = false;
  if (jh.b_transaction == nullptr) {
    // ORDER: `dirty` becomes `jbddirty` in one with the filing, so that a checkpoint never sees a
    // clean buffer that no transaction has.
    PlainSpinGuard j_list_lock(journal.j_list_lock);
    __jbd2_journal_file_buffer(jh, *transaction, BufferList::kReserved);
    return true;
  }
  SIM_CHECK(jh.b_transaction == journal.j_committing_transaction);
  if (jh.b_frozen_data == 0) {
    if (jh.shadow) {
      b_state_lock.Unlock();
      buffer_lock.Unlock();
      journal.bh_shadow.wait_event([&] { return bh.b_jh == nullptr || !bh.b_jh->shadow; });
      return false;
    }
    // Past BJ_Metadata the committing transaction does not need the content any more.
    if (jh.b_jlist == BufferList::kMetadata) {
      jh.b_frozen_data = journal.buffers.images().Add(bh.content, bh.b_blocknr);
    }
  }
  jh.b_next_transaction = transaction;
  return true;
}

Errno jbd2_journal_file_inode(Handle& handle, JournalInode& jinode, bool write, uint64_t start_byte,
                              uint64_t length) {
  if (is_handle_aborted(handle)) return Errno::kRoFs;
  Journal& journal = *handle.h_journal;
  Transaction* const transaction = handle.h_transaction;
  const uint64_t end_byte = start_byte + length - 1;
  journal.world.Step(journal.j_list_lock.object(), sim::Access::kWrite);
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  jinode.write_data |= write;
  jinode.wait_data = true;
  if (jinode.i_dirty_end != 0) {
    jinode.i_dirty_start = std::min(jinode.i_dirty_start, start_byte);
    jinode.i_dirty_end = std::max(jinode.i_dirty_end, end_byte);
  } else {
    jinode.i_dirty_start = start_byte;
    jinode.i_dirty_end = end_byte;
  }
  if (jinode.i_transaction == transaction || jinode.i_next_transaction == transaction) {
    return Errno::kOk;
  }
  if (jinode.i_transaction != nullptr) {
    SIM_CHECK(jinode.i_transaction == journal.j_committing_transaction);
    jinode.i_next_transaction = transaction;
    return Errno::kOk;
  }
  jinode.i_transaction = transaction;
  transaction->t_inode_list.update().push_back(&jinode);
  return Errno::kOk;
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
  if (journal.j_commit_request < tid) jbd2_log_start_commit(journal, tid);
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

// --- Buffers -------------------------------------------------------------------------------------

// Moves the buffer to that list of that transaction. What it is dirty with is from then on the
// journal's business: jbddirty.
void __jbd2_journal_file_buffer(JournalHead& jh, Transaction& transaction, BufferList jlist) {
  SIM_CHECK(jh.b_transaction == nullptr || jh.b_transaction == &transaction);
  if (jh.b_transaction != nullptr && jh.b_jlist == jlist) return;
  const bool was_dirty = jh.bh->dirty || jh.jbddirty;
  jh.bh->dirty = false;
  jh.jbddirty = false;
  if (jh.b_transaction != nullptr) __jbd2_journal_temp_unlink_buffer(jh);
  jh.b_transaction = &transaction;
  ListOf(transaction, jlist).push_back(&jh);
  jh.b_jlist = jlist;
  jh.jbddirty = was_dirty;
}

void __jbd2_journal_unfile_buffer(JournalHead& jh) {
  __jbd2_journal_temp_unlink_buffer(jh);
  jh.b_transaction = nullptr;
}

// The committing transaction is done with the buffer: it goes to the next one, if that has it.
void __jbd2_journal_refile_buffer(JournalHead& jh) {
  if (jh.b_next_transaction == nullptr) {
    __jbd2_journal_unfile_buffer(jh);
    return;
  }
  // ORDER: never `dirty` in between; a checkpoint would take it for its own.
  const bool was_dirty = jh.jbddirty;
  jh.jbddirty = false;
  __jbd2_journal_temp_unlink_buffer(jh);
  jh.b_transaction = nullptr;
  Transaction& next = *jh.b_next_transaction;
  jh.b_next_transaction = nullptr;
  SIM_CHECK(next.t_state == TransactionState::kRunning);
  const BufferList jlist = jh.freed        ? BufferList::kForget
                           : jh.b_modified ? BufferList::kMetadata
                                           : BufferList::kReserved;
  __jbd2_journal_file_buffer(jh, next, jlist);
  jh.jbddirty = was_dirty;
}

Errno jbd2_journal_get_write_access(Handle& handle, BufferHead& bh) {
  SIM_FRAME("jbd2_journal_get_write_access");
  if (is_handle_aborted(handle)) return Errno::kRoFs;
  Journal& journal = *handle.h_journal;
  SIM_CHECK(bh.uptodate);
  // jbd2_write_access_granted(): nothing to do, and nobody to wait for.
  if (bh.b_jh != nullptr && InTransaction(*bh.b_jh, handle.h_transaction)) return Errno::kOk;
  while (!TryGetWriteAccess(handle, bh)) {
    if (is_handle_aborted(handle)) return Errno::kRoFs;
  }
  jbd2_journal_cancel_revoke(journal, bh.b_blocknr);
  return Errno::kOk;
}

Errno jbd2_journal_get_create_access(Handle& handle, BufferHead& bh) {
  SIM_FRAME("jbd2_journal_get_create_access");
  if (is_handle_aborted(handle)) return Errno::kRoFs;
  Journal& journal = *handle.h_journal;
  PlainSpinGuard b_state_lock(journal.b_state_lock);
  JournalHead& jh = jbd2_journal_add_journal_head(journal, bh);
  jh.freed = false;  // freed and allocated by one transaction, where the allocator lets that happen
  if (jh.b_transaction == nullptr) {
    // What its former owner left dirty is of no use: the transaction that freed it has committed.
    bh.dirty = false;
    jh.b_modified = false;
    PlainSpinGuard j_list_lock(journal.j_list_lock);
    __jbd2_journal_file_buffer(jh, *handle.h_transaction, BufferList::kReserved);
  } else if (jh.b_transaction == journal.j_committing_transaction) {
    jh.b_modified = false;
    PlainSpinGuard j_list_lock(journal.j_list_lock);
    jh.b_next_transaction = handle.h_transaction;
  }
  b_state_lock.Unlock();
  jbd2_journal_cancel_revoke(journal, bh.b_blocknr);
  return Errno::kOk;
}

Errno jbd2_journal_dirty_metadata(Handle& handle, BufferHead& bh) {
  SIM_FRAME("jbd2_journal_dirty_metadata");
  if (is_handle_aborted(handle)) return Errno::kRoFs;
  Journal& journal = *handle.h_journal;
  SIM_CHECK(bh.b_jh != nullptr && InTransaction(*bh.b_jh, handle.h_transaction));
  JournalHead& jh = *bh.b_jh;
  PlainSpinGuard b_state_lock(journal.b_state_lock);
  if (!jh.b_modified) {
    if (jbd2_handle_buffer_credits(handle) <= 0) {
      Violated(journal, "jbd2_journal_dirty_metadata: the handle has no credits left");
      return Errno::kNoSpc;
    }
    jh.b_modified = true;
    --handle.h_total_credits;
  }
  jh.jbddirty = true;
  // What the committing transaction has is refiled when that is done.
  if (jh.b_transaction != handle.h_transaction) return Errno::kOk;
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  __jbd2_journal_file_buffer(jh, *handle.h_transaction, BufferList::kMetadata);
  return Errno::kOk;
}

Errno jbd2_journal_forget(Handle& handle, BufferHead& bh) {
  SIM_FRAME("jbd2_journal_forget");
  if (is_handle_aborted(handle)) return Errno::kRoFs;
  Journal& journal = *handle.h_journal;
  journal.world.Step(journal.b_state_lock.object(), sim::Access::kWrite);
  if (bh.b_jh == nullptr) {
    bh.dirty = false;
    return Errno::kOk;
  }
  JournalHead& jh = *bh.b_jh;
  Transaction& transaction = *handle.h_transaction;
  PlainSpinGuard b_state_lock(journal.b_state_lock);
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  const bool was_modified = jh.b_modified;
  bool drop_reserve = false;
  bool wait_for_writeback = false;
  jh.b_modified = false;
  if (jh.b_transaction == &transaction) {
    bh.dirty = false;
    jh.jbddirty = false;
    drop_reserve = was_modified;
    if (jh.b_cp_transaction != nullptr) {
      // Its checkpoint is needed until the commit makes the older copy in the log void.
      __jbd2_journal_file_buffer(jh, transaction, BufferList::kForget);
    } else {
      __jbd2_journal_unfile_buffer(jh);
    }
  } else if (jh.b_transaction != nullptr) {
    // The committing transaction has it. It is for the commit to drop it, and it is checkpointed
    // only when ours has committed, too.
    SIM_CHECK(jh.b_transaction == journal.j_committing_transaction);
    jh.freed = true;
    drop_reserve = jh.b_next_transaction != nullptr && was_modified;
    jh.b_next_transaction = &transaction;
  } else if (jh.b_cp_transaction != nullptr && !jbd2_journal_try_remove_checkpoint(jh)) {
    // Not at home yet: its checkpoint is needed until ours has committed.
    bh.dirty = false;
    wait_for_writeback = true;
    __jbd2_journal_file_buffer(jh, transaction, BufferList::kForget);
  } else {
    bh.dirty = false;
  }
  if (bh.b_jh != nullptr) jbd2_journal_put_journal_head(journal, *bh.b_jh);
  j_list_lock.Unlock();
  b_state_lock.Unlock();
  if (wait_for_writeback) journal.buffers.wait_on_buffer(bh);
  if (drop_reserve) ++handle.h_total_credits;
  return Errno::kOk;
}

// --- Ordered data --------------------------------------------------------------------------------

Errno jbd2_journal_inode_ranged_write(Handle& handle, JournalInode& jinode, uint64_t start_byte,
                                      uint64_t length) {
  return jbd2_journal_file_inode(handle, jinode, true, start_byte, length);
}

Errno jbd2_journal_inode_ranged_wait(Handle& handle, JournalInode& jinode, uint64_t start_byte,
                                     uint64_t length) {
  return jbd2_journal_file_inode(handle, jinode, false, start_byte, length);
}

bool jbd2_journal_begin_ordered_truncate(Journal& journal, const JournalInode& jinode) {
  journal.world.Step(journal.j_list_lock.object(), sim::Access::kRead);
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  return jinode.i_transaction != nullptr &&
         jinode.i_transaction == journal.j_committing_transaction;
}

}  // namespace model
