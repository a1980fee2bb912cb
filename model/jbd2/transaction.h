// What the files of jbd2 share: transactions, the journal's state of a buffer, and the functions
// that they call of each other [include/linux/jbd2.h, include/linux/journal-head.h].
#pragma once

#include <string_view>
#include <vector>

#include "model/jbd2/jbd2.h"

namespace model {

// BJ_*: the list of its transaction that a buffer is on.
enum class BufferList : uint8_t {
  kNone,
  kReserved,  // may be changed, but was not yet
  kMetadata,  // to be written to the log
  kShadow,    // being written to the log
  kForget,    // dealt with at the end of the commit: freed, or in the log
};

// journal_head: all that jbd2 knows of a buffer. Exists while a transaction or a checkpoint list
// has the buffer. A buffer that a transaction has is never `dirty`: `jbddirty` it is instead.
struct JournalHead {
  BufferHead* bh = nullptr;
  BufferList b_jlist = BufferList::kNone;
  bool b_modified = false;  // by the transaction that handles are in
  bool jbddirty = false;    // BH_JBDDirty: to be written home after the commit
  bool freed = false;       // BH_Freed: the next transaction freed it
  bool shadow = false;      // BH_Shadow: `content` itself is on its way to the log
  // What the committing transaction has to write, if a newer one changes the buffer; 0: none.
  ImageId b_frozen_data = 0;
  ImageId b_committed_image = 0;              // what the log has, and what goes home
  Transaction* b_transaction = nullptr;       // if two have it, the committing one
  Transaction* b_next_transaction = nullptr;  // then the running one
  Transaction* b_cp_transaction = nullptr;    // on whose checkpoint list it is
};

struct Transaction {
  Transaction(sim::World& w, sim::LockClassId done_class) : world(w), t_done(w, done_class, {}) {}

  using BufferHeads = sim::Shared<std::vector<JournalHead*>>;

  sim::World& world;
  Journal* t_journal = nullptr;
  Tid t_tid = 0;
  sim::Shared<TransactionState> t_state{world, {"t_state"}, {}, TransactionState::kRunning};
  uint32_t t_log_start = 0;  // its first log block
  // The commit flushes the file system's device, if the log has another. [no locking]: only ever
  // set, while it is running.
  bool t_need_data_flush = false;
  BufferHeads t_reserved_list{world, {"t_reserved_list"}, {}, {}};
  BufferHeads t_buffers{world, {"t_buffers"}, {}, {}};  // kMetadata
  BufferHeads t_shadow_list{world, {"t_shadow_list"}, {}, {}};
  BufferHeads t_forget{world, {"t_forget"}, {}, {}};
  BufferHeads t_checkpoint_list{world, {"t_checkpoint_list"}, {}, {}};
  sim::Shared<std::vector<JournalInode*>> t_inode_list{world, {"t_inode_list"}, {}, {}};
  // Handles open.
  sim::Shared<int> t_updates{world, {"t_updates", sim::Sharing::kOrdered, "atomic_t"}, {}, 0};
  sim::Shared<int> t_outstanding_credits{
      world, {"t_outstanding_credits", sim::Sharing::kOrdered, "atomic_t"}, {}, 0};
  sim::Shared<int> t_outstanding_revokes{
      world, {"t_outstanding_revokes", sim::Sharing::kOrdered, "atomic_t"}, {}, 0};
  sim::Nanos t_expires = 0;
  sim::WaitBit t_done;  // set until it is finished: what j_wait_done_commit tells its waiters
};

// --- In an event log -----------------------------------------------------------------------------
//
//   transaction              `note` is its new state: "T_RUNNING"
//   start_handle, stop_handle
//
// Of all, `id` is the tid.

void LogTransaction(const Transaction& transaction, const char* what, const char* note = "");
// Changes t_state; with j_state_lock held.
void EnterState(Transaction& transaction, TransactionState state);

// --- transaction.cc, transaction_buffers.cc ------------------------------------------------------

// With j_list_lock and the buffer's b_state_lock held.
void __jbd2_journal_file_buffer(JournalHead& jh, Transaction& transaction, BufferList jlist);
void __jbd2_journal_unfile_buffer(JournalHead& jh);
void __jbd2_journal_refile_buffer(JournalHead& jh);
void __jbd2_journal_unreserve_handle(Handle& handle, Transaction* transaction);
// Waits until the running transaction, if any, has no handles.
void jbd2_journal_wait_updates(Journal& journal, sim::Site site = sim::Site::Here());

// --- journal.cc ----------------------------------------------------------------------------------

// j_dev != j_fs_dev: the log is on a device of its own, which has a cache of its own.
bool IsExternal(const Journal& journal);
JournalHead& jbd2_journal_add_journal_head(Journal& journal, BufferHead& bh);
// Frees it if nobody needs it any more.
void jbd2_journal_put_journal_head(Journal& journal, JournalHead& jh);
// The next block of the log, for the committing transaction.
Pblk jbd2_journal_next_log_block(Journal& journal);
int jbd2_log_space_left(const Journal& journal);
// The oldest transaction that the log has to keep, and where it starts.
struct LogTail {
  Tid tid = 0;
  uint32_t block = 0;
};
LogTail jbd2_journal_get_log_tail(Journal& journal);
// Log blocks from j_tail up to `block`.
int LogBlocksBefore(const Journal& journal, uint32_t block);
// Writes the tail into the journal superblock and gives the space before it free. With
// j_checkpoint_mutex held.
Errno __jbd2_update_log_tail(Journal& journal, LogTail tail);
// The same, if that is news. From commits.
void jbd2_update_log_tail(Journal& journal, LogTail tail);
Errno jbd2_journal_update_sb_log_tail(Journal& journal, LogTail tail, bool fua);
// Writes a block and waits for it; flags only with barriers.
Errno WriteBlock(Journal& journal, Pblk pblk, BlockContent content, const char* what, bool preflush,
                 bool fua);
// The paths broke a rule of the journal, where the kernel would warn: a finding, "invariant".
void Violated(Journal& journal, std::string_view rule);

// --- commit.cc -----------------------------------------------------------------------------------

// Commits the running transaction; on kjournald.
void jbd2_journal_commit_transaction(Journal& journal);

// --- checkpoint.cc -------------------------------------------------------------------------------

// Waits until the log has room for a whole transaction, or the journal was aborted.
void __jbd2_log_wait_for_space(Journal& journal);
// Writes home what the oldest transactions have; with j_checkpoint_mutex held, which is dropped
// while it waits for a commit.
Errno jbd2_log_do_checkpoint(Journal& journal);
enum class CleanupResult : uint8_t { kFreed, kNothing, kFailed };
// Moves the log's tail on as far as it goes; with j_checkpoint_mutex held.
CleanupResult jbd2_cleanup_journal_tail(Journal& journal);
// Drops from the checkpoint lists what has been written home.
void __jbd2_journal_clean_checkpoint_list(Journal& journal);
// With j_list_lock held:
void __jbd2_journal_insert_checkpoint(JournalHead& jh, Transaction& transaction);
void __jbd2_journal_remove_checkpoint(JournalHead& jh);
// False: it is not on disk yet, or a transaction has it.
[[nodiscard]] bool jbd2_journal_try_remove_checkpoint(JournalHead& jh);
void __jbd2_journal_drop_transaction(Journal& journal, Transaction& transaction);

// --- revoke.cc -----------------------------------------------------------------------------------

// The block is journalled again: older copies may be replayed, since a newer one will follow.
void jbd2_journal_cancel_revoke(Journal& journal, Pblk blocknr);
void jbd2_journal_switch_revoke_table(Journal& journal);
// Takes the committing transaction's revoked blocks, to be written to the log.
std::vector<JournalRevoke> TakeRevokeRecords(Journal& journal, Tid tid);

constexpr int DivRoundUp(int dividend, int divisor) { return (dividend + divisor - 1) / divisor; }

}  // namespace model
