// Dirty memory: who is throttled, who writes it back [mm/page-writeback.c, fs/fs-writeback.c].
//
// balance_dirty_pages() makes a writer wait while dirty and under-writeback memory is above the
// limit; the flusher starts at the background threshold. The lock checker sees an event that the
// flusher holds while it writes back, and a worker until it has ended writeback: so throttling
// under a lock that these need is a cycle, whether or not the limit is reached this time.
//
// Not modelled: rate estimates and pauses; there is one limit, for the whole file system.
#pragma once

#include <vector>

#include "model/mm/address_space.h"
#include "sim/locking/rwsem.h"
#include "sim/locking/wait_event.h"

namespace model {

class BackingDevInfo {
 public:
  // `s_umount` of the one file system on the device.
  BackingDevInfo(sim::World& world, sim::RwSem& s_umount, int64_t background_bytes,
                 int64_t limit_bytes, sim::Nanos writeback_interval);

  // The flusher's task, "kworker/flush". Inodes with dirty data or metadata are on b_dirty.
  void StartFlusher();

  // Called by writers between folios. Requires: neither a folio lock nor a handle is held.
  void balance_dirty_pages_ratelimited();

  // Wakes the flusher to write everything once; does not wait [wakeup_flusher_threads()].
  void wakeup_flusher();
  // Has the flusher write all that is dirty now, and waits until it has been through
  // [bdi_split_work_to_wbs(), wb_wait_for_completion()].
  void writeback_and_wait();
  void __mark_inode_dirty(Inode& inode);  // puts it on b_dirty

  // What throttled writers wait for: an event of whoever brings dirty memory, or memory under
  // writeback, down.
  sim::WaitQueue& progress() { return progress_; }

  void Forget(Inode& inode);  // it is about to go

  void AccountDirty(int64_t bytes);
  void AccountWriteback(int64_t bytes);

 private:
  void wb_workfn();
  void __writeback_inodes_wb();
  void writeback_sb_inodes(SyncMode mode);
  void writeback_single_inode(Inode& inode, SyncMode mode);
  bool over_background() const { return dirty_bytes_ > background_bytes_; }
  bool over_limit() const { return dirty_bytes_ + writeback_bytes_ > limit_bytes_; }
  void Account(int64_t& counter, int64_t bytes);

  sim::World& world_;
  sim::RwSem& s_umount_;
  int64_t background_bytes_ = 0, limit_bytes_ = 0;
  sim::Nanos writeback_interval_ = 0;
  int64_t dirty_bytes_ = 0, writeback_bytes_ = 0;
  bool flush_wanted_ = false;
  // Counts what may give the flusher more to write; and as it was when the flusher last began.
  uint64_t changes_ = 0, changes_seen_ = 0;
  uint64_t syncs_wanted_ = 0, syncs_done_ = 0;  // rounds for those who wait
  sim::WaitQueue work_;                         // the flusher waits here
  sim::WaitQueue sync_done_;
  sim::WaitQueue progress_;      // throttled writers wait here
  std::vector<Inode*> b_dirty_;  // in order of becoming dirty
  sim::ObjectId b_dirty_object_;
};

}  // namespace model
