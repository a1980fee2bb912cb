// The journal: handles, transactions, commit, checkpoint [include/linux/jbd2.h, fs/jbd2/].
//
// What the file system calls. Functions and fields have the kernel's names, and the kernel's files
// have theirs: transaction.cc (and transaction_buffers.cc), commit.cc, checkpoint.cc, revoke.cc,
// journal.cc; transaction.h has what only those share. Recovery is part of crash checking, not of
// the running journal.
//
// Modelled: handles with credits, revoke credits and reserved handles; every wait of a handle's
// start; all states of a transaction and every wait of its commit; frozen and shadowed buffers;
// forget lists and freed buffers; ordered data; revoke records; checkpointing, log space, the
// log's tail and its superblock; a device of its own for the log, and what is flushed on which of
// the two; abort; barriers against all handles. Credits, log blocks and tags are counted as in the
// kernel, with 64-bit tags, and checksum v3 or none.
//
// Not modelled, and why that is harmless:
// - async commit, fast commit, data=journal, undo access, errno in the journal superblock: other
//   configurations of the same paths.
// - Escaping of blocks that begin with the magic number: contents here are structures, not bytes.
// - Batching of synchronous handles, the early start of commits by log usage, shrinkers: when
//   somebody else asks for a commit or a checkpoint is explored anyway.
// - BH_Revoked and BH_RevokeValid: they only spare a search.
// - The flusher's writes of metadata: a checkpoint is the only one to write blocks home.
// - Of the log, 32 blocks are kept free for rounding errors; of one that is shorter than 256
//   blocks, which the kernel would not take, an eighth.
//
// Lock checking. A handle is a lock, class "jbd2_handle": an ordinary start takes it shared, and
// the commit takes it exclusively from T_LOCKED to T_FLUSH. A reserved handle joins any transaction
// that still has handles, so that its start depends on nothing. Two events are held by the commit:
// "jbd2_commit" from its beginning, and "j_wait_done_commit" from T_FLUSH on, when no handle can
// hold the commit up any more. Who waits for a transaction that might not be that far yet, which
// every ordinary start might have to do for log space, waits for the former. Holders of reserved
// handles are not known as such: what they hold up (j_wait_reserved) has no dependencies, and only
// a deadlock that happens shows it.
//
// Lock order: j_checkpoint_mutex > BH_Lock; j_state_lock, b_state_lock > j_list_lock. The spinlocks
// have no choice points inside or before them, hence never any contention; they are there for the
// order, and so that what they guard is seen to be guarded.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "model/ext4/policy.h"
#include "model/jbd2/journal_locks.h"
#include "model/vfs/buffer_head.h"
#include "sim/engine/shared.h"
#include "sim/locking/mutex.h"
#include "sim/locking/wait_event.h"

namespace model {

class Journal;
struct Transaction;

// handle_t: one operation's stake in a transaction.
struct Handle {
  Journal* h_journal = nullptr;
  Transaction* h_transaction = nullptr;  // null: not started, or its restart failed
  int h_ref = 0;
  int h_total_credits = 0;  // blocks, those for revoke records included
  int h_revoke_credits_requested = 0;
  int h_revoke_credits = 0;
  bool h_sync = false;      // jbd2_journal_stop() waits for the commit
  bool h_reserved = false;  // reserved, not started
  // Reserved along with this handle; freed by its stop. Null it to keep it: whoever has it then
  // owes jbd2_journal_start_reserved() or jbd2_journal_free_reserved().
  Handle* h_rsv_handle = nullptr;
};

struct HandleOrError {
  Handle* handle = nullptr;  // null iff `error`
  Errno error = Errno::kOk;
};

// jbd2_inode: an inode whose data must reach the disk before a commit does. Bytes; both ends of
// the range are inclusive.
struct JournalInode {
  Transaction* i_transaction = nullptr;
  Transaction* i_next_transaction = nullptr;
  void* i_vfs_inode = nullptr;  // whose it is, for the callbacks
  bool write_data = false;      // JI_WRITE_DATA: the commit submits the range
  bool wait_data = false;       // JI_WAIT_DATA: the commit waits for it
  bool commit_running = false;  // JI_COMMIT_RUNNING
  uint64_t i_dirty_start = 0;
  uint64_t i_dirty_end = 0;  // 0: no range yet
};

struct JournalOptions {
  bool barrier = true;
  sim::Nanos commit_interval = 5'000'000'000;
  // Called by kjournald; each may park, and may be empty.
  // Transaction `tid` is durable, unless the journal was aborted: what it freed may be used again.
  std::function<void(Tid tid)> j_commit_callback;
  std::function<void(JournalInode& jinode)> j_submit_inode_data_buffers;
  std::function<void(JournalInode& jinode)> j_finish_inode_data_buffers;
};

// A transaction's states, in order.
enum class TransactionState : uint8_t {
  kRunning,         // T_RUNNING: handles join
  kLocked,          // T_LOCKED: reserved handles join; the commit waits for all to stop
  kSwitch,          // T_SWITCH: nobody joins
  kFlush,           // T_FLUSH: a new one may run; data is written
  kCommit,          // T_COMMIT: blocks are written to the log
  kCommitDflush,    // T_COMMIT_DFLUSH: they are waited for
  kCommitJflush,    // T_COMMIT_JFLUSH: the commit record is written
  kCommitCallback,  // T_COMMIT_CALLBACK
  kFinished,        // T_FINISHED: until all of it is checkpointed
};

// --- Handles [transaction.c] ---------------------------------------------------------------------
//
// Every start waits, unless reserved, until the running transaction takes handles and has room for
// this one, the log has room for that transaction, and nobody bars updates.

// The calling task's handle; null if it has none.
Handle* journal_current_handle(Journal& journal);

// For at most `nblocks` blocks of metadata and `revoke_records` revoked blocks; with `rsv_blocks`,
// h_rsv_handle is a reserved handle of so many more. In a task that has a handle: that one, once
// more, whatever the other arguments. kNoSpc: larger than a transaction may be; kRoFs: aborted.
[[nodiscard]] HandleOrError jbd2_journal_start(Journal& journal, int nblocks, int rsv_blocks = 0,
                                               int revoke_records = 0,
                                               sim::Site site = sim::Site::Here());
// Starts a handle reserved earlier: never waits for space, only over T_SWITCH. kRoFs: aborted; the
// handle is still reserved then.
[[nodiscard]] Errno jbd2_journal_start_reserved(Handle& handle, sim::Site site = sim::Site::Here());
void jbd2_journal_free_reserved(Handle& handle);
// Ends the innermost start of the task's handle; the last one frees `handle`, and waits for the
// commit if h_sync. kIo: aborted meanwhile. While a crash tears tasks down: nothing.
Errno jbd2_journal_stop(Handle& handle, sim::Site site = sim::Site::Here());
// More room in the same transaction, without waiting; false: there is none, restart instead.
[[nodiscard]] bool jbd2_journal_extend(Handle& handle, int nblocks, int revoke_records = 0);
// Stops the handle, asks for the commit of what it did, and starts it again with so many credits:
// may wait as a start does. kRoFs: aborted; the handle can only be stopped.
[[nodiscard]] Errno jbd2_journal_restart(Handle& handle, int nblocks, int revoke_records = 0,
                                         sim::Site site = sim::Site::Here());
// Blocks that it may still dirty.
int jbd2_handle_buffer_credits(const Handle& handle);
bool is_handle_aborted(const Handle& handle);
// Of the transaction that a started handle is in.
Tid HandleTid(const Handle& handle);

// --- Metadata buffers [transaction.c, revoke.c] --------------------------------------------------

// Before a change of `bh.content`, which must be uptodate. May park: for BH_Lock, and while the
// committing transaction writes this very content to the log (BH_Shadow). kRoFs: aborted.
[[nodiscard]] Errno jbd2_journal_get_write_access(Handle& handle, BufferHead& bh);
// The same for a block newly allocated, whose content the caller then sets; never parks.
[[nodiscard]] Errno jbd2_journal_get_create_access(Handle& handle, BufferHead& bh);
// After the change, with write access. Takes a credit the first time; kNoSpc and a finding
// ("invariant") if there is none. kRoFs: aborted.
[[nodiscard]] Errno jbd2_journal_dirty_metadata(Handle& handle, BufferHead& bh);
// The block was freed, and was never journalled or gets a revoke record elsewhere: not to be
// written any more. Waits for a home write under way.
Errno jbd2_journal_forget(Handle& handle, BufferHead& bh);
// Block `blocknr` of metadata was freed: no older copy of it in the log may be replayed. Forgets
// `bh`, its buffer, too, if given. Takes a revoke credit; kIo and a finding if there is none.
Errno jbd2_journal_revoke(Handle& handle, Pblk blocknr, BufferHead* bh);

// --- Ordered data [transaction.c] ----------------------------------------------------------------

void jbd2_journal_init_jbd_inode(JournalInode& jinode, void* vfs_inode);
// Before the inode goes away; waits while a commit works on it (JI_COMMIT_RUNNING).
void jbd2_journal_release_jbd_inode(Journal& journal, JournalInode& jinode);
// The commit of the handle's transaction submits and waits for bytes [start_byte, start_byte +
// length) of the inode; or only waits, for those who submit them themselves.
Errno jbd2_journal_inode_ranged_write(Handle& handle, JournalInode& jinode, uint64_t start_byte,
                                      uint64_t length);
Errno jbd2_journal_inode_ranged_wait(Handle& handle, JournalInode& jinode, uint64_t start_byte,
                                     uint64_t length);
// True if a transaction that frees data of the inode from now on could commit after one, already
// committing, that still has to see this data on disk: the caller then writes it out first.
[[nodiscard]] bool jbd2_journal_begin_ordered_truncate(Journal& journal,
                                                       const JournalInode& jinode);

// --- Commits [journal.c] -------------------------------------------------------------------------

// Asks for the commit of `tid` if that is the running transaction; true if this made a difference.
bool jbd2_log_start_commit(Journal& journal, Tid tid);
// Waits until `tid` has committed; somebody must have asked for it. kIo: aborted.
Errno jbd2_log_wait_commit(Journal& journal, Tid tid, sim::Site site = sim::Site::Here());
// Both; nothing if it has committed.
Errno jbd2_complete_transaction(Journal& journal, Tid tid, sim::Site site = sim::Site::Here());
// Commits what is there and waits. Requires: no handle.
Errno jbd2_journal_force_commit(Journal& journal, sim::Site site = sim::Site::Here());
// The same, where a handle may be open: it then waits for the committing transaction only. True if
// there was something to wait for, so that it makes sense to try again.
bool jbd2_journal_force_commit_nested(Journal& journal, sim::Site site = sim::Site::Here());
// Will the commit of `tid` flush the file system's device after now? If not, fsync has to. One
// that is running will: it is told to.
bool jbd2_trans_will_send_data_barrier(Journal& journal, Tid tid);

bool jbd2_transaction_committed(Journal& journal, Tid tid);

bool is_journal_aborted(const Journal& journal);
// Nothing more reaches the log; handles fail with kRoFs, waits for commits with kIo.
void jbd2_journal_abort(Journal& journal, Errno error);

// Bars all but reserved handles, and waits for those there are. Until unlock_updates().
void jbd2_journal_lock_updates(Journal& journal, sim::Site site = sim::Site::Here());
void jbd2_journal_unlock_updates(Journal& journal, sim::Site site = sim::Site::Here());
// Commits and checkpoints everything and marks the log empty. Requires: nobody starts handles
// meanwhile, as under lock_updates().
Errno jbd2_journal_flush(Journal& journal, sim::Site site = sim::Site::Here());

// --- The journal [journal_t] ---------------------------------------------------------------------

class Journal {
 public:
  // Of a log that is empty on disk, as mkfs or recovery leave it: {s_start 0, s_sequence 1}.
  // Starts kjournald. `buffers` and `policy` must outlive the journal, and the journal the tasks of
  // `world`: the world is destroyed first.
  Journal(sim::World& world, BufferCache& buffers, const Policy& policy, JournalOptions options);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // The transaction that handles join, and the one being committed; 0: none.
  Tid running_tid() const;
  Tid committing_tid() const;

  sim::World& world;
  BufferCache& buffers;
  const Policy& policy;
  const JournalOptions options;

  // Blocks that one handle may ask for, rsv_blocks included: larger starts fail with kNoSpc.
  int jbd2_max_user_trans_buffers() const {
    return j_max_transaction_buffers - j_transaction_overhead_buffers;
  }

  // What follows is for the functions of this folder; others may look at it.
  PlainSpinLock j_state_lock;
  PlainSpinLock j_list_lock;
  PlainSpinLock b_state_lock;  // the kernel has one a buffer
  sim::Mutex j_checkpoint_mutex;
  sim::Mutex j_barrier;
  LockdepMap j_trans_commit_map;  // jbd2_handle
  sim::WaitQueue jbd2_commit;     // an event for the lock checker only
  sim::WaitQueue j_wait_transaction_locked;
  sim::WaitQueue j_wait_done_commit;  // for the lock checker; see Transaction::t_done
  sim::WaitQueue j_wait_commit;
  UpdatesQueue j_wait_updates;
  sim::WaitQueue j_wait_reserved;
  sim::WaitQueue ji_commit_running;  // one for all inodes
  sim::LockClassId bh_lock_class;    // of log blocks

  // JBD2_ABORT
  sim::Shared<bool> j_aborted{world,
                              {"j_flags JBD2_ABORT", sim::Sharing::kLocklessReads,
                               "set once, and looked at on the way everywhere"},
                              {},
                              false};
  // JBD2_FLUSHED: the log is marked empty on disk.
  sim::Shared<bool> j_flushed{world,
                              {"j_flags JBD2_FLUSHED", sim::Sharing::kLocklessReads,
                               "the commit looks at it before it takes j_checkpoint_mutex"},
                              {},
                              true};
  bool j_fs_dev_error = false;  // a block could not be written home
  sim::Shared<int> j_barrier_count{world, {"j_barrier_count"}, {}, 0};
  sim::Shared<Transaction*> j_running_transaction{world, {"j_running_transaction"}, {}, nullptr};
  sim::Shared<Transaction*> j_committing_transaction{
      world, {"j_committing_transaction"}, {}, nullptr};
  // Those with blocks to be written home, oldest first.
  sim::Shared<std::vector<Transaction*>> j_checkpoint_transactions{
      world, {"j_checkpoint_transactions"}, {}, {}};
  Tid j_transaction_sequence = 1;  // of the next transaction
  // The last committed, the last that is to be committed, and the oldest in the log.
  sim::Shared<Tid> j_commit_sequence{world, {"j_commit_sequence"}, {}, 0};
  sim::Shared<Tid> j_commit_request{world, {"j_commit_request"}, {}, 0};
  sim::Shared<Tid> j_tail_sequence{world, {"j_tail_sequence"}, {}, 1};

  // The log: blocks [j_first, j_last) of the journal, used from j_tail up to j_head.
  uint32_t j_first = 1;
  uint32_t j_last = 0;
  sim::Shared<uint32_t> j_head{world, {"j_head"}, {}, 1};
  sim::Shared<uint32_t> j_tail{world, {"j_tail"}, {}, 1};
  sim::Shared<int> j_free{world, {"j_free"}, {}, 0};
  int j_max_transaction_buffers = 0;
  int j_transaction_overhead_buffers = 0;
  int j_revoke_records_per_block = 0;
  sim::Shared<int> j_reserved_credits{
      world, {"j_reserved_credits", sim::Sharing::kOrdered, "atomic_t"}, {}, 0};

  // Blocks revoked by the running transaction, and by the committing one until it has written the
  // records; in order of revocation.
  std::vector<Pblk> j_revoke_table[2];
  int j_revoke = 0;  // which of them is the running one's

  std::vector<Handle*> current_handles;  // journal_info, by TaskId; null: none

  // Never freed: whoever waits for it may come late. So two have no field in common, either, as
  // which was freed first would decide.
  Transaction* NewTransaction();
  // Fresh ones, or such as were freed before.
  Handle* NewHandle();
  void FreeHandle(Handle* handle) { free_handles_.push_back(handle); }
  JournalHead* NewJournalHead();
  void FreeJournalHead(JournalHead* jh) { free_journal_heads_.push_back(jh); }

 private:
  void kjournald2();

  std::vector<std::unique_ptr<Handle>> handles_;
  std::vector<std::unique_ptr<Transaction>> transactions_;
  std::vector<std::unique_ptr<JournalHead>> journal_heads_;
  std::vector<Handle*> free_handles_;
  std::vector<JournalHead*> free_journal_heads_;
};

}  // namespace model
