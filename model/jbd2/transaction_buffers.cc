// fs/jbd2/transaction.c: buffers and ordered data
#include <algorithm>

#include "model/jbd2/transaction.h"
#include "sim/check.h"

namespace model {
namespace {

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
    journal.world.Touch(bh.shadow_wait.object(), sim::Access::kRead);
    if (jh.shadow) {
      b_state_lock.Unlock();
      buffer_lock.Unlock();
      bh.shadow_wait.wait_event([&] { return bh.b_jh == nullptr || !bh.b_jh->shadow; });
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
  transaction->t_need_data_flush = true;
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
