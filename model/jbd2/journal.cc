// fs/jbd2/journal.c
#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "model/jbd2/transaction.h"
#include "sim/check.h"

namespace model {
namespace {

using sim::Site;

// An object out of `free`, as new, or a new one.
template <class T>
T* Reuse(std::vector<std::unique_ptr<T>>& all, std::vector<T*>& free) {
  if (free.empty()) {
    all.push_back(std::make_unique<T>());
    return all.back().get();
  }
  T* const object = free.back();
  free.pop_back();
  return object;
}

// With j_state_lock held.
bool __jbd2_log_start_commit(Journal& journal, Tid tid) {
  if (journal.j_commit_request >= tid || journal.running_tid() != tid) return false;
  journal.j_commit_request = tid;
  journal.j_wait_commit.WakeAll();
  return true;
}

// The transaction that __jbd2_journal_force_commit() waits for, its commit asked for; 0: none.
Tid StartForcedCommit(Journal& journal) {
  journal.world.Step(journal.j_state_lock.object(), sim::Access::kRead);
  const bool has_handle = journal_current_handle(journal) != nullptr;
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  if (journal.j_running_transaction == nullptr || has_handle) return journal.committing_tid();
  const Tid tid = journal.running_tid();
  __jbd2_log_start_commit(journal, tid);
  return tid;
}

// jbd2_mark_journal_empty(): with j_checkpoint_mutex held.
void jbd2_mark_journal_empty(Journal& journal) {
  if (journal.j_flushed) return;
  const Errno error =
      WriteBlock(journal, journal.buffers.geometry().journal(),
                 JournalSuperblock{0, journal.j_tail_sequence}, "journal superblock", false, true);
  if (error == Errno::kOk) journal.j_flushed = true;
}

}  // namespace

Journal::Journal(sim::World& w, BufferCache& buffer_cache, const Policy& p, JournalOptions o)
    : world(w),
      buffers(buffer_cache),
      policy(p),
      options(std::move(o)),
      j_state_lock(w, w.lock_tracker().Class("&journal->j_state_lock", Unique(sim::kSpinLock)),
                   /*guards_fields=*/true),
      j_list_lock(w, w.lock_tracker().Class("&journal->j_list_lock", Unique(sim::kSpinLock))),
      b_state_lock(w, w.lock_tracker().Class("&ret->b_state_lock", sim::kSpinLock)),
      j_checkpoint_mutex(
          w, w.lock_tracker().Class("&journal->j_checkpoint_mutex", Unique(sim::kSleepingLock)),
          {}),
      j_barrier(w, w.lock_tracker().Class("&journal->j_barrier", Unique(sim::kSleepingLock)), {}),
      j_trans_commit_map(w, w.lock_tracker().Class("jbd2_handle", {}), {}),
      jbd2_commit(w, w.lock_tracker().Class("jbd2_commit", {}), {}),
      j_wait_transaction_locked(w, w.lock_tracker().Class("j_wait_transaction_locked", {}), {}),
      j_wait_done_commit(w, w.lock_tracker().Class("j_wait_done_commit", {}), {}),
      j_wait_commit(w, w.lock_tracker().Class("j_wait_commit", {}), {}),
      j_wait_updates(*this, w, w.lock_tracker().Class("t_updates", {}), {}),
      j_wait_reserved(w, w.lock_tracker().Class("j_wait_reserved", {}), {}),
      ji_commit_running(w, w.lock_tracker().Class("JI_COMMIT_RUNNING", {}), {}),
      bh_lock_class(w.lock_tracker().Class("BH_Lock")) {
  const Geometry& geometry = buffers.geometry();
  j_last = geometry.journal_blocks;
  j_free.init(static_cast<int>(j_last - j_first));
  j_max_transaction_buffers = static_cast<int>(j_last / 4);
  j_transaction_overhead_buffers =
      1 + DivRoundUp(j_max_transaction_buffers, static_cast<int>(JournalTagsPerBlock(geometry)));
  j_revoke_records_per_block = static_cast<int>(JournalRevokesPerBlock(geometry));
  const char* const name = IsExternal(*this) ? "jbd2/sdb" : "jbd2/sda-8";
  const sim::TaskId kjournald =
      world.Spawn(name, sim::TaskKind::kDaemon, [this] { kjournald2(); }).id();
  for (sim::WaitQueue* const queue :
       {&j_wait_transaction_locked, &j_wait_done_commit, &ji_commit_running}) {
    queue->set_owner(kjournald);
  }
  j_wait_updates.StandsFor(j_trans_commit_map);
  j_wait_transaction_locked.StandsFor(j_trans_commit_map);
  j_wait_transaction_locked.StandsFor(jbd2_commit);
  j_wait_done_commit.StandsFor(jbd2_commit);
}

Journal::~Journal() = default;

Tid Journal::running_tid() const {
  return j_running_transaction != nullptr ? j_running_transaction->t_tid : 0;
}

Tid Journal::committing_tid() const {
  return j_committing_transaction != nullptr ? j_committing_transaction->t_tid : 0;
}

Handle* Journal::NewHandle() {
  Handle* const handle = Reuse(handles_, free_handles_);
  *handle = Handle{};
  return handle;
}

Transaction* Journal::NewTransaction() {
  transactions_.push_back(std::make_unique<Transaction>(world, j_wait_done_commit.lock_class()));
  Transaction* const transaction = transactions_.back().get();
  for (const sim::TaskId kjournald : j_wait_done_commit.Owners()) {
    transaction->t_done.set_owner(kjournald);
  }
  transaction->t_done.StandsFor(jbd2_commit);
  return transaction;
}

JournalHead* Journal::NewJournalHead() {
  JournalHead* const jh = Reuse(journal_heads_, free_journal_heads_);
  *jh = JournalHead{};
  return jh;
}

void Journal::kjournald2() {
  SIM_FRAME("kjournald2");
  const auto commit_timer = [this] {
    const bool armed = j_running_transaction != nullptr && j_commit_request < running_tid();
    return armed ? j_running_transaction->t_expires : sim::World::kNever;
  };
  for (;;) {
    sim::Nanos timer = sim::World::kNever;
    {
      PlainSpinGuard guard(j_state_lock);
      timer = commit_timer();
    }
    const auto has_work = [&] {
      return j_commit_sequence != j_commit_request || commit_timer() != timer ||
             timer <= world.ReadClock();
    };
    if (!j_wait_commit.wait_idle(has_work, timer)) return;
    PlainSpinGuard guard(j_state_lock);
    if (commit_timer() <= world.ReadClock()) __jbd2_log_start_commit(*this, running_tid());
    const bool requested = j_commit_sequence != j_commit_request;
    guard.Unlock();
    if (requested) jbd2_journal_commit_transaction(*this);
  }
}

// --- Commits -------------------------------------------------------------------------------------

bool jbd2_log_start_commit(Journal& journal, Tid tid) {
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  return __jbd2_log_start_commit(journal, tid);
}

Errno jbd2_log_wait_commit(Journal& journal, Tid tid, Site site) {
  SIM_FRAME("jbd2_log_wait_commit");
  // One that is past T_LOCKED does not wait for handles any more, so that their owners may wait
  // for it.
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  const bool may_be_held_up = journal.running_tid() == tid;
  Transaction* transaction = nullptr;  // it has committed
  if (may_be_held_up) transaction = journal.j_running_transaction;
  if (journal.committing_tid() == tid) transaction = journal.j_committing_transaction;
  j_state_lock.Unlock();
  if (may_be_held_up) journal.jbd2_commit.might_wait(site);
  if (transaction != nullptr) {
    transaction->t_done.wait_on_bit(site);
  } else {
    journal.j_wait_done_commit.might_wait(site);
  }
  return is_journal_aborted(journal) ? Errno::kIo : Errno::kOk;
}

Errno jbd2_complete_transaction(Journal& journal, Tid tid, Site site) {
  SIM_FRAME("jbd2_complete_transaction");
  journal.world.Step(journal.j_state_lock.object(), sim::Access::kRead);
  {
    PlainSpinGuard j_state_lock(journal.j_state_lock);
    if (journal.running_tid() != tid && journal.committing_tid() != tid) return Errno::kOk;
    __jbd2_log_start_commit(journal, tid);
  }
  return jbd2_log_wait_commit(journal, tid, site);
}

Errno jbd2_journal_force_commit(Journal& journal, Site site) {
  SIM_FRAME("jbd2_journal_force_commit");
  SIM_CHECK(journal_current_handle(journal) == nullptr);
  const Tid tid = StartForcedCommit(journal);
  return tid != 0 ? jbd2_log_wait_commit(journal, tid, site) : Errno::kOk;
}

bool jbd2_journal_force_commit_nested(Journal& journal, Site site) {
  SIM_FRAME("jbd2_journal_force_commit_nested");
  const Tid tid = StartForcedCommit(journal);
  return tid != 0 && jbd2_log_wait_commit(journal, tid, site) == Errno::kOk;
}

bool jbd2_trans_will_send_data_barrier(Journal& journal, Tid tid) {
  if (!journal.options.barrier) return false;
  journal.world.Step(journal.j_state_lock.object(), sim::Access::kRead);
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  if (tid <= journal.j_commit_sequence) return false;
  if (journal.committing_tid() != tid) {
    SIM_CHECK(journal.running_tid() == tid);
    // ORDER: before the commit begins, which may have nothing else to flush that device for.
    if (!journal.policy.no_t_need_data_flush) {
      journal.j_running_transaction->t_need_data_flush = true;
    }
    return true;
  }
  const Transaction& committing = *journal.j_committing_transaction;
  if (IsExternal(journal)) {
    return committing.t_need_data_flush && committing.t_state < TransactionState::kCommitDflush;
  }
  // The flush comes with the commit record.
  return committing.t_state < TransactionState::kCommitJflush;
}

bool jbd2_transaction_committed(Journal& journal, Tid tid) {
  journal.world.Step(journal.j_state_lock.object(), sim::Access::kRead);
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  return tid <= journal.j_commit_sequence;
}

bool is_journal_aborted(const Journal& journal) { return journal.j_aborted; }

void jbd2_journal_abort(Journal& journal, Errno error) {
  SIM_CHECK(error != Errno::kOk);
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  if (journal.j_aborted) return;
  journal.j_aborted = true;
  if (journal.j_running_transaction != nullptr) {
    __jbd2_log_start_commit(journal, journal.running_tid());
  }
}

Errno jbd2_journal_flush(Journal& journal, Site site) {
  SIM_FRAME("jbd2_journal_flush");
  (void)jbd2_journal_force_commit(journal, site);
  Errno error = Errno::kOk;
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  while (error == Errno::kOk && !journal.j_checkpoint_transactions->empty()) {
    j_list_lock.Unlock();
    {
      sim::MutexGuard j_checkpoint_mutex(journal.j_checkpoint_mutex, sim::Subclass::kNormal, site);
      error = jbd2_log_do_checkpoint(journal);
    }
    j_list_lock.Relock(journal.j_list_lock);
  }
  j_list_lock.Unlock();
  if (is_journal_aborted(journal)) return Errno::kIo;
  sim::MutexGuard j_checkpoint_mutex(journal.j_checkpoint_mutex, sim::Subclass::kNormal, site);
  if (jbd2_cleanup_journal_tail(journal) == CleanupResult::kFailed) return Errno::kIo;
  jbd2_mark_journal_empty(journal);
  return is_journal_aborted(journal) ? Errno::kIo : error;
}

// --- Inodes --------------------------------------------------------------------------------------

void jbd2_journal_init_jbd_inode(JournalInode& jinode, void* vfs_inode) {
  jinode = JournalInode{};
  jinode.i_vfs_inode = vfs_inode;
}

void jbd2_journal_release_jbd_inode(Journal& journal, JournalInode& jinode) {
  SIM_FRAME("jbd2_journal_release_jbd_inode");
  journal.ji_commit_running.wait_event([&] { return !jinode.commit_running; });
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  if (jinode.i_transaction == nullptr) return;
  std::erase(jinode.i_transaction->t_inode_list.update(), &jinode);
  jinode.i_transaction = nullptr;
}

// --- Journal heads -------------------------------------------------------------------------------

JournalHead& jbd2_journal_add_journal_head(Journal& journal, BufferHead& bh) {
  if (bh.b_jh == nullptr) {
    bh.b_jh = journal.NewJournalHead();
    bh.b_jh->bh = &bh;
  }
  return *bh.b_jh;
}

void jbd2_journal_put_journal_head(Journal& journal, JournalHead& jh) {
  if (jh.b_transaction != nullptr || jh.b_cp_transaction != nullptr) return;
  SIM_CHECK(jh.b_next_transaction == nullptr && !jh.bh->dirty);
  jh.bh->b_jh = nullptr;
  journal.FreeJournalHead(&jh);
}

// --- The log -------------------------------------------------------------------------------------

bool IsExternal(const Journal& journal) { return journal.buffers.geometry().external_journal; }

Pblk jbd2_journal_next_log_block(Journal& journal) {
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  SIM_CHECK(journal.j_free > 1);
  const Pblk pblk = journal.buffers.geometry().journal() + journal.j_head;
  --journal.j_free;
  if (++journal.j_head == journal.j_last) journal.j_head = journal.j_first;
  return pblk;
}

int jbd2_log_space_left(const Journal& journal) {
  int free = journal.j_free - std::min(32, static_cast<int>(journal.j_last) / 8);
  if (journal.j_committing_transaction != nullptr) {
    free -= journal.j_committing_transaction->t_outstanding_credits;
  }
  return std::max(free, 0);
}

LogTail jbd2_journal_get_log_tail(Journal& journal) {
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  PlainSpinGuard j_list_lock(journal.j_list_lock);
  if (!journal.j_checkpoint_transactions->empty()) {
    const Transaction& oldest = *journal.j_checkpoint_transactions->front();
    return {oldest.t_tid, oldest.t_log_start};
  }
  if (journal.j_committing_transaction != nullptr) {
    return {journal.committing_tid(), journal.j_committing_transaction->t_log_start};
  }
  if (journal.j_running_transaction != nullptr) return {journal.running_tid(), journal.j_head};
  return {journal.j_transaction_sequence, journal.j_head};
}

int LogBlocksBefore(const Journal& journal, uint32_t block) {
  const uint32_t wrap = block < journal.j_tail ? journal.j_last - journal.j_first : 0;
  return static_cast<int>(block + wrap - journal.j_tail);
}

Errno __jbd2_update_log_tail(Journal& journal, LogTail tail) {
  // ORDER: the new tail is durable before the space behind it is free. If it were lost after that,
  // recovery would start with blocks that are overwritten.
  const Errno error = jbd2_journal_update_sb_log_tail(journal, tail, true);
  if (error != Errno::kOk) return error;
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  journal.j_free += LogBlocksBefore(journal, tail.block);
  journal.j_tail_sequence = tail.tid;
  journal.j_tail = tail.block;
  return Errno::kOk;
}

void jbd2_update_log_tail(Journal& journal, LogTail tail) {
  sim::MutexGuard j_checkpoint_mutex(journal.j_checkpoint_mutex);
  if (tail.tid > journal.j_tail_sequence) (void)__jbd2_update_log_tail(journal, tail);
}

Errno jbd2_journal_update_sb_log_tail(Journal& journal, LogTail tail, bool fua) {
  SIM_FRAME("jbd2_journal_update_sb_log_tail");
  if (is_journal_aborted(journal)) return Errno::kIo;
  const Errno error =
      WriteBlock(journal, journal.buffers.geometry().journal(),
                 JournalSuperblock{tail.block, tail.tid}, "journal superblock", false, fua);
  if (error == Errno::kOk) journal.j_flushed = false;
  return error;
}

Errno WriteBlock(Journal& journal, Pblk pblk, BlockContent content, const char* what, bool preflush,
                 bool fua) {
  sim::Completion written(journal.world, journal.bh_lock_class, {"log block", 0});
  Errno error = Errno::kOk;
  const bool barrier = journal.options.barrier;
  journal.buffers.SubmitBlock(pblk, std::move(content), what, preflush && barrier, fua && barrier,
                              [&](sim::BioStatus status) {
                                if (status != sim::BioStatus::kOk) error = Errno::kIo;
                                written.complete();
                              });
  written.wait_for_completion();
  if (error != Errno::kOk) jbd2_journal_abort(journal, error);
  return error;
}

void Violated(Journal& journal, std::string_view rule) {
  sim::Finding finding;
  finding.kind = "invariant";
  finding.message = std::string(rule);
  journal.world.Report(std::move(finding));
}

}  // namespace model
