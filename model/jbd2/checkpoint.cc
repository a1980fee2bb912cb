// fs/jbd2/checkpoint.c
//
// ORDER, throughout: blocks are written home < the device is flushed < the tail in the journal
// superblock moves < the log blocks behind it are used again.
#include <algorithm>

#include "model/jbd2/transaction.h"
#include "sim/check.h"

namespace model {
namespace {

// write_dirty_buffer() [fs/buffer.c]: parks for BH_Lock, not for the write.
void write_dirty_buffer(Journal& journal, BufferHead& bh) {
  SIM_FRAME("write_dirty_buffer");
  bh.b_lock.lock();
  if (!bh.dirty) {
    bh.b_lock.unlock();
    return;
  }
  bh.dirty = false;
  const ImageId image = bh.b_jh->b_committed_image;
  bh.b_lock.hand_over();  // to the write's completion
  journal.buffers.SubmitImage(bh.b_blocknr, image, "metadata home", false, false,
                              [&journal, &bh](sim::BioStatus status) {
                                if (status != sim::BioStatus::kOk) {
                                  bh.write_error = true;
                                  journal.j_fs_dev_error = true;
                                }
                                bh.b_lock.unlock();
                              });
}

void __flush_batch(Journal& journal, std::vector<BufferHead*>& batch) {
  for (BufferHead* const bh : batch) write_dirty_buffer(journal, *bh);
  batch.clear();
}

// The caller holds j_checkpoint_mutex, which a commit may take: to begin a log that was marked
// empty, and to move the tail.
void WaitCommitWithoutMutex(Journal& journal, Tid tid) {
  const bool hold = journal.policy.hold_cp_mutex_in_wait_commit;
  if (!hold) journal.j_checkpoint_mutex.mutex_unlock();
  (void)jbd2_log_wait_commit(journal, tid);
  if (!hold) journal.j_checkpoint_mutex.mutex_lock();
}

// What a checkpoint has to wait for before it can go on with a transaction's list.
struct CheckpointWait {
  bool done = false;             // all that the transaction has is at home, whoever has written it
  Tid commit = 0;                // of this one, which has one of the buffers; 0: none
  BufferHead* locked = nullptr;  // or for the I/O on this one
};

// Drops what transaction `tid` (0: the oldest, which it becomes) has at home by now, collects what
// has to be written, and stops where it has to wait.
CheckpointWait ScanCheckpointList(Journal& journal, Tid& tid, std::vector<BufferHead*>& batch) {
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  if (journal.j_checkpoint_transactions->empty()) return {.done = true};
  Transaction& transaction = *journal.j_checkpoint_transactions->front();
  if (tid == 0) tid = transaction.t_tid;
  if (transaction.t_tid != tid || transaction.t_checkpoint_list->empty()) return {.done = true};
  for (size_t i = 0; i < transaction.t_checkpoint_list->size();) {
    JournalHead& jh = *transaction.t_checkpoint_list.load()[i];
    if (jh.b_transaction != nullptr) return {.commit = jh.b_transaction->t_tid};
    journal.world.Touch(jh.bh->b_lock.object(), sim::Access::kRead);
    if (jh.bh->b_lock.is_locked()) return {.locked = jh.bh};
    if (jh.bh->dirty) {
      batch.push_back(jh.bh);
      ++i;
      continue;
    }
    const bool last = transaction.t_checkpoint_list->size() == 1;
    __jbd2_journal_remove_checkpoint(jh);
    if (last) break;  // and with it the transaction
  }
  return {};
}

bool NeedsSpace(Journal& journal) {
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  return !is_journal_aborted(journal) &&
         jbd2_log_space_left(journal) < journal.j_max_transaction_buffers;
}

}  // namespace

void __jbd2_log_wait_for_space(Journal& journal) {
  SIM_FRAME("__jbd2_log_wait_for_space");
  while (NeedsSpace(journal)) {
    sim::MutexGuard j_checkpoint_mutex(journal.j_checkpoint_mutex);
    // Somebody may have made room while this one waited for the mutex.
    if (!NeedsSpace(journal)) return;
    const Tid committing = journal.committing_tid();
    if (!journal.j_checkpoint_transactions->empty()) {
      (void)jbd2_log_do_checkpoint(journal);
    } else if (jbd2_cleanup_journal_tail(journal) != CleanupResult::kNothing) {
      continue;
    } else if (committing != 0) {
      WaitCommitWithoutMutex(journal, committing);
    } else {
      Violated(journal, "__jbd2_log_wait_for_space: no way to get more journal space");
      jbd2_journal_abort(journal, Errno::kNoSpc);
    }
  }
}

Errno jbd2_log_do_checkpoint(Journal& journal) {
  SIM_FRAME("jbd2_log_do_checkpoint");
  // There may be space that only takes a new tail.
  const CleanupResult result = jbd2_cleanup_journal_tail(journal);
  if (result != CleanupResult::kNothing) {
    return result == CleanupResult::kFailed ? Errno::kIo : Errno::kOk;
  }
  Tid tid = 0;
  std::vector<BufferHead*> batch;
  for (;;) {
    const CheckpointWait wait = ScanCheckpointList(journal, tid, batch);
    if (wait.done) break;
    __flush_batch(journal, batch);
    if (wait.commit != 0) {
      jbd2_log_start_commit(journal, wait.commit);
      WaitCommitWithoutMutex(journal, wait.commit);
      if (is_journal_aborted(journal)) return Errno::kIo;
    } else if (wait.locked != nullptr) {
      journal.buffers.wait_on_buffer(*wait.locked);
    }
  }
  return jbd2_cleanup_journal_tail(journal) == CleanupResult::kFailed ? Errno::kIo : Errno::kOk;
}

CleanupResult jbd2_cleanup_journal_tail(Journal& journal) {
  SIM_FRAME("jbd2_cleanup_journal_tail");
  if (journal.j_fs_dev_error) jbd2_journal_abort(journal, Errno::kIo);
  if (is_journal_aborted(journal)) return CleanupResult::kFailed;
  const LogTail tail = jbd2_journal_get_log_tail(journal);
  if (tail.tid <= journal.j_tail_sequence) return CleanupResult::kNothing;
  // ORDER: what was written home is durable before the log forgets it.
  if (journal.options.barrier && !journal.policy.tail_advance_without_flush) {
    journal.buffers.blkdev_issue_flush();
  }
  return __jbd2_update_log_tail(journal, tail) == Errno::kOk ? CleanupResult::kFreed
                                                             : CleanupResult::kFailed;
}

// --- Checkpoint lists ----------------------------------------------------------------------------

void __jbd2_journal_insert_checkpoint(JournalHead& jh, Transaction& transaction) {
  SIM_CHECK(jh.b_cp_transaction == nullptr);
  jh.b_cp_transaction = &transaction;
  transaction.t_checkpoint_list.update().push_back(&jh);
}

void __jbd2_journal_remove_checkpoint(JournalHead& jh) {
  Transaction& transaction = *jh.b_cp_transaction;
  Journal& journal = *transaction.t_journal;
  std::vector<JournalHead*>& list = transaction.t_checkpoint_list.update();
  list.erase(std::find(list.begin(), list.end(), &jh));
  jh.b_cp_transaction = nullptr;
  jbd2_journal_put_journal_head(journal, jh);
  // One that is still committing gets more.
  if (list.empty() && transaction.t_state == TransactionState::kFinished) {
    __jbd2_journal_drop_transaction(journal, transaction);
  }
}

bool jbd2_journal_try_remove_checkpoint(JournalHead& jh) {
  // ORDER: not dirty alone would do while the write is under way, or before it failed.
  const sim::BitLock& b_lock = jh.bh->b_lock;
  jh.b_cp_transaction->world.Touch(b_lock.object(), sim::Access::kRead);
  if (jh.b_transaction != nullptr || b_lock.is_locked() || jh.bh->dirty) return false;
  __jbd2_journal_remove_checkpoint(jh);
  return true;
}

void __jbd2_journal_clean_checkpoint_list(Journal& journal) {
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  // From the oldest on, up to the first that has to stay.
  while (!journal.j_checkpoint_transactions->empty()) {
    const std::vector<JournalHead*>& list =
        journal.j_checkpoint_transactions->front()->t_checkpoint_list;
    if (list.empty() || !jbd2_journal_try_remove_checkpoint(*list.front())) return;
  }
}

void __jbd2_journal_drop_transaction(Journal& journal, Transaction& transaction) {
  std::erase(journal.j_checkpoint_transactions.update(), &transaction);
}

}  // namespace model
