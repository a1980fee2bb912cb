// fs/jbd2/commit.c
#include <algorithm>
#include <optional>

#include "model/jbd2/transaction.h"
#include "sim/check.h"

namespace model {
namespace {

// Log blocks submitted and not yet waited for.
struct LogIo {
  explicit LogIo(Journal& journal)
      : written(journal.world, journal.bh_lock_class, {"log block", 0}, 0) {}

  sim::Completion written;
  bool failed = false;
};

void EndLogIo(LogIo& io, sim::BioStatus status) {
  io.failed |= status != sim::BioStatus::kOk;
  io.written.complete();
}

// Descriptors and revoke blocks.
void SubmitLogBlock(Journal& journal, LogIo& log_bufs, Pblk pblk, BlockContent content,
                    const char* what) {
  log_bufs.written.expect();
  journal.buffers.SubmitBlock(pblk, std::move(content), what, false, false,
                              [&](sim::BioStatus status) { EndLogIo(log_bufs, status); });
}

void SetState(Journal& journal, Transaction& transaction, TransactionState state) {
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  EnterState(transaction, state);
}

// Write access was asked for and not used.
void DropReservedBuffers(Journal& journal, Transaction& transaction) {
  PlainSpinGuard b_state_lock(journal.b_state_lock);
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  while (!transaction.t_reserved_list->empty()) {
    JournalHead& jh = *transaction.t_reserved_list->front();
    __jbd2_journal_refile_buffer(jh);
    jbd2_journal_put_journal_head(journal, jh);
  }
}

// Phase 1, from T_RUNNING to T_FLUSH: nobody joins the transaction any more, and a new one may run.
Transaction& SwitchTransaction(Journal& journal) {
  Transaction& transaction = *journal.j_running_transaction;
  const sim::Site site = sim::Site::Here();
  journal.world.Step(journal.j_state_lock.object(), sim::Access::kWrite);
  SetState(journal, transaction, TransactionState::kLocked);
  journal.j_trans_commit_map.acquire(site);
  jbd2_journal_wait_updates(journal, site);

  SetState(journal, transaction, TransactionState::kSwitch);
  SIM_CHECK(transaction.t_outstanding_credits <= journal.j_max_transaction_buffers);
  DropReservedBuffers(journal, transaction);
  __jbd2_journal_clean_checkpoint_list(journal);
  jbd2_journal_switch_revoke_table(journal);

  PlainSpinGuard j_state_lock(journal.j_state_lock);
  // From now on reservations are the next transaction's.
  transaction.t_outstanding_credits -= journal.j_reserved_credits;
  EnterState(transaction, TransactionState::kFlush);
  transaction.t_log_start = journal.j_head;
  journal.j_committing_transaction = &transaction;
  journal.j_running_transaction = nullptr;
  journal.j_wait_transaction_locked.WakeAll();
  journal.j_trans_commit_map.release(site);
  return transaction;
}

void SetRunning(Journal& journal, JournalInode& jinode, bool running) {
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  jinode.commit_running = running;
  if (!running) journal.ji_commit_running.WakeAll();
}

// Calls `work` for each inode of the transaction that has the flag; who releases that inode waits
// meanwhile, others may be released.
template <class Work>
void ForEachInode(Journal& journal, const Transaction& transaction, bool JournalInode::*flag,
                  const Work& work) {
  if (!work) return;
  const std::vector<JournalInode*>& list = transaction.t_inode_list.load();
  for (auto it = list.begin(); it != list.end(); ++it) {
    JournalInode& jinode = **it;
    if (!(jinode.*flag)) continue;
    SetRunning(journal, jinode, true);
    {
      sim::EventScope running(journal.ji_commit_running);
      work(jinode);
    }
    SetRunning(journal, jinode, false);
    it = std::find(list.begin(), list.end(), &jinode);
  }
}

void journal_submit_data_buffers(Journal& journal, Transaction& transaction) {
  SIM_FRAME("journal_submit_data_buffers");
  ForEachInode(journal, transaction, &JournalInode::write_data,
               journal.options.j_submit_inode_data_buffers);
}

void journal_finish_inode_data_buffers(Journal& journal, Transaction& transaction) {
  SIM_FRAME("journal_finish_inode_data_buffers");
  ForEachInode(journal, transaction, &JournalInode::wait_data,
               journal.options.j_finish_inode_data_buffers);
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  for (JournalInode* const jinode : transaction.t_inode_list.load()) {
    jinode->i_transaction = jinode->i_next_transaction;
    jinode->i_next_transaction = nullptr;
    if (jinode->i_transaction != nullptr) {
      jinode->i_transaction->t_inode_list.update().push_back(jinode);
    } else {
      jinode->i_dirty_start = 0;
      jinode->i_dirty_end = 0;
    }
  }
  transaction.t_inode_list.update().clear();
}

void jbd2_journal_write_revoke_records(Journal& journal, Transaction& transaction,
                                       LogIo& log_bufs) {
  SIM_FRAME("jbd2_journal_write_revoke_records");
  for (JournalRevoke& record : TakeRevokeRecords(journal, transaction.t_tid)) {
    if (is_journal_aborted(journal)) return;
    SubmitLogBlock(journal, log_bufs, jbd2_journal_next_log_block(journal), std::move(record),
                   "journal revoke");
  }
}

// A block's way into the log.
struct LogCopy {
  JournalHead* jh = nullptr;
  Pblk pblk = 0;
  ImageId image = 0;
};

// jbd2_journal_write_metadata_buffer(): from now on nobody may change the content, unless what
// goes to the log is a frozen copy of it.
LogCopy TakeLogCopy(Journal& journal, Transaction& transaction, JournalHead& jh) {
  const Pblk pblk = jbd2_journal_next_log_block(journal);
  PlainSpinGuard b_state_lock(journal.b_state_lock);
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  const ImageId image = jh.b_frozen_data != 0
                            ? jh.b_frozen_data
                            : journal.buffers.images().Add(jh.bh->content, jh.bh->b_blocknr);
  jh.b_committed_image = image;
  __jbd2_journal_file_buffer(jh, transaction, BufferList::kShadow);
  jh.shadow = true;
  return {&jh, pblk, image};
}

void SubmitLogCopy(Journal& journal, LogIo& io_bufs, const LogCopy& copy) {
  io_bufs.written.expect();
  journal.buffers.SubmitImage(copy.pblk, copy.image, "journal copy", false, false,
                              [&io_bufs, jh = copy.jh](sim::BioStatus status) {
                                jh->shadow = false;
                                jh->bh->shadow_wait.WakeAll();
                                EndLogIo(io_bufs, status);
                              });
}

// Phase 2b: descriptors, each with the copies of the blocks that it names.
void WriteMetadata(Journal& journal, Transaction& transaction, LogIo& log_bufs, LogIo& io_bufs) {
  const size_t max_tags = JournalTagsPerBlock(journal.buffers.geometry());
  std::vector<LogCopy> copies;
  while (!transaction.t_buffers->empty() && !is_journal_aborted(journal)) {
    JournalDescriptor descriptor{transaction.t_tid, {}};
    const Pblk pblk = jbd2_journal_next_log_block(journal);
    copies.clear();
    while (!transaction.t_buffers->empty() && copies.size() < max_tags) {
      JournalHead& jh = *transaction.t_buffers->front();
      copies.push_back(TakeLogCopy(journal, transaction, jh));
      descriptor.tags.push_back({jh.bh->b_blocknr, copies.back().image});
    }
    SubmitLogBlock(journal, log_bufs, pblk, std::move(descriptor), "journal descriptor");
    for (const LogCopy& copy : copies) SubmitLogCopy(journal, io_bufs, copy);
  }
}

// Of an aborted journal: nothing of it gets anywhere.
void DropMetadata(Journal& journal, Transaction& transaction) {
  PlainSpinGuard b_state_lock(journal.b_state_lock);
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  while (!transaction.t_buffers->empty()) {
    JournalHead& jh = *transaction.t_buffers->front();
    jh.jbddirty = false;
    jh.b_frozen_data = 0;
    __jbd2_journal_refile_buffer(jh);
    jbd2_journal_put_journal_head(journal, jh);
  }
}

// The tail that the log may get once this commit has flushed the device: what was written home by
// now will be durable. None if it would free too little.
std::optional<LogTail> NewTail(Journal& journal) {
  const LogTail tail = jbd2_journal_get_log_tail(journal);
  if (tail.tid <= journal.j_tail_sequence) return std::nullopt;
  if (LogBlocksBefore(journal, tail.block) < journal.j_max_transaction_buffers) {
    return std::nullopt;
  }
  return tail;
}

// The flush before the commit record is of the log's device only.
void FlushDataDevice(Journal& journal, const Transaction& transaction, bool update_tail) {
  if (!IsExternal(journal) || !journal.options.barrier) return;
  // ORDER: data that the transaction gives away is durable before it commits, and what was written
  // home before the log forgets it.
  const bool need_data_flush =
      transaction.t_need_data_flush || journal.policy.flush_data_device_always;
  const bool need_home_flush = update_tail && !journal.policy.tail_advance_without_flush;
  if (need_data_flush || need_home_flush) journal.buffers.blkdev_issue_flush();
}

// Phases 3 and 4.
void WaitForLog(Journal& journal, Transaction& transaction, LogIo& log_bufs, LogIo& io_bufs) {
  io_bufs.written.wait_for_completion();
  {
    PlainSpinGuard b_state_lock(journal.b_state_lock);
    PlainSpinGuard j_list_lock(journal.j_list_lock);
    while (!transaction.t_shadow_list->empty()) {
      __jbd2_journal_file_buffer(*transaction.t_shadow_list->front(), transaction,
                                 BufferList::kForget);
    }
  }
  log_bufs.written.wait_for_completion();
  if (io_bufs.failed || log_bufs.failed) jbd2_journal_abort(journal, Errno::kIo);
}

// Phase 5.
void journal_submit_commit_record(Journal& journal, Transaction& transaction) {
  SIM_FRAME("journal_submit_commit_record");
  if (is_journal_aborted(journal)) return;
  // ORDER: all that the record vouches for is durable before it may be.
  const bool preflush = !journal.policy.commit_without_flush;
  (void)WriteBlock(journal, jbd2_journal_next_log_block(journal), JournalCommit{transaction.t_tid},
                   "journal commit", preflush, true);
}

// Phase 6: what is in the log now goes on this transaction's checkpoint list, for the last time if
// no newer one has it.
void ProcessForgetList(Journal& journal, Transaction& transaction) {
  PlainSpinGuard b_state_lock(journal.b_state_lock);
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  while (!transaction.t_forget->empty()) {
    JournalHead& jh = *transaction.t_forget->front();
    SIM_CHECK(jh.b_transaction == &transaction);
    jh.b_frozen_data = 0;
    // The newer copy in the log makes the older one void.
    if (jh.b_cp_transaction != nullptr) __jbd2_journal_remove_checkpoint(jh);
    if (jh.freed && jh.b_next_transaction == nullptr) {
      jh.freed = false;
      jh.jbddirty = false;
    }
    if (jh.jbddirty) {
      __jbd2_journal_insert_checkpoint(jh, transaction);
      if (is_journal_aborted(journal)) jh.jbddirty = false;
    }
    __jbd2_journal_refile_buffer(jh);
    jbd2_journal_put_journal_head(journal, jh);
  }
}

// Phase 7.
void FinishTransaction(Journal& journal, Transaction& transaction) {
  {
    PlainSpinGuard j_state_lock(journal.j_state_lock);
    PlainSpinGuard j_list_lock(journal.j_list_lock);
    journal.j_checkpoint_transactions.update().push_back(&transaction);
    EnterState(transaction, TransactionState::kCommitCallback);
    journal.j_commit_sequence = transaction.t_tid;
    journal.j_committing_transaction = nullptr;
  }
  if (journal.options.j_commit_callback) journal.options.j_commit_callback(transaction.t_tid);
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  EnterState(transaction, TransactionState::kFinished);
  if (transaction.t_checkpoint_list->empty()) {
    __jbd2_journal_drop_transaction(journal, transaction);
  }
  transaction.t_done.clear_and_wake_up_bit();
}

}  // namespace

void jbd2_journal_commit_transaction(Journal& journal) {
  SIM_FRAME("jbd2_journal_commit_transaction");
  sim::EventScope jbd2_commit(journal.jbd2_commit);
  if (journal.j_flushed) {
    // The log gets a beginning. The flush before the commit record makes it durable in time.
    sim::MutexGuard j_checkpoint_mutex(journal.j_checkpoint_mutex);
    (void)jbd2_journal_update_sb_log_tail(journal, {journal.j_tail_sequence, journal.j_tail},
                                          false);
  }
  Transaction& transaction = SwitchTransaction(journal);
  sim::EventScope done_commit(journal.j_wait_done_commit);

  LogIo log_bufs(journal), io_bufs(journal);
  journal_submit_data_buffers(journal, transaction);
  jbd2_journal_write_revoke_records(journal, transaction, log_bufs);
  SetState(journal, transaction, TransactionState::kCommit);
  WriteMetadata(journal, transaction, log_bufs, io_bufs);
  DropMetadata(journal, transaction);
  // ORDER: the data that the transaction gives away is on the device before it commits.
  journal_finish_inode_data_buffers(journal, transaction);

  // ORDER: looked up before the flush that it relies on.
  const std::optional<LogTail> tail = NewTail(journal);
  SetState(journal, transaction, TransactionState::kCommitDflush);
  FlushDataDevice(journal, transaction, tail.has_value());
  WaitForLog(journal, transaction, log_bufs, io_bufs);
  SetState(journal, transaction, TransactionState::kCommitJflush);
  journal_submit_commit_record(journal, transaction);
  if (tail.has_value()) jbd2_update_log_tail(journal, *tail);
  ProcessForgetList(journal, transaction);
  FinishTransaction(journal, transaction);
}

}  // namespace model
