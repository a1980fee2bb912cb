#include "model/mm/page_writeback.h"

#include <algorithm>

#include "model/vfs/inode.h"

namespace model {

BackingDevInfo::BackingDevInfo(sim::World& world, sim::RwSem& s_umount, int64_t background_bytes,
                               int64_t limit_bytes, sim::Nanos writeback_interval)
    : world_(world),
      s_umount_(s_umount),
      background_bytes_(background_bytes),
      limit_bytes_(limit_bytes),
      writeback_interval_(writeback_interval),
      work_(world, world.lock_tracker().Class("wb work"), {}),
      sync_done_(world, world.lock_tracker().Class("wb_completion"), {}),
      progress_(world, world.lock_tracker().Class("balance_dirty_pages"), {}),
      b_dirty_object_(world.NewObject()) {}

void BackingDevInfo::StartFlusher() {
  world_.Spawn("kworker/flush", sim::TaskKind::kDaemon, [this] { wb_workfn(); });
}

void BackingDevInfo::balance_dirty_pages_ratelimited() {
  SIM_FRAME("balance_dirty_pages");
  world_.Touch(work_.object(), sim::Access::kRead);
  if (over_background()) wakeup_flusher();
  progress_.might_wait();
  world_.Touch(progress_.object(), sim::Access::kRead);
  if (!over_limit()) return;
  progress_.wait_event([this] {
    if (!over_limit()) return true;
    if (changes_ != changes_seen_) wakeup_flusher();  // there may be more to write now
    return false;
  });
}

void BackingDevInfo::wakeup_flusher() {
  flush_wanted_ = true;
  work_.WakeAll();
}

void BackingDevInfo::writeback_and_wait() {
  SIM_FRAME("wb_wait_for_completion");
  const uint64_t round = ++syncs_wanted_;
  work_.WakeAll();
  sync_done_.wait_event([&] { return syncs_done_ >= round; });
}

void BackingDevInfo::__writeback_inodes_wb() {
  SIM_FRAME("__writeback_inodes_wb");
  if (!s_umount_.down_read_trylock()) return;  // super_trylock_shared(): it is going
  writeback_sb_inodes(SyncMode::kNone);
  s_umount_.up_read();
}

void BackingDevInfo::writeback_sb_inodes(SyncMode mode) {
  SIM_FRAME("writeback_sb_inodes");
  world_.Touch(b_dirty_object_, sim::Access::kWrite);
  const std::vector<Inode*> inodes = std::exchange(b_dirty_, {});
  for (Inode* inode : inodes) {
    inode->on_dirty_list = false;
    world_.Touch(inode->i_sync_wait.object(), sim::Access::kWrite);
    inode->i_sync = true;  // I_SYNC: eviction waits
  }
  for (Inode* inode : inodes) {
    writeback_single_inode(*inode, mode);
    inode->i_sync = false;
    inode->i_sync_wait.WakeAll();
  }
}

void BackingDevInfo::writeback_single_inode(Inode& inode, SyncMode mode) {
  SIM_FRAME("__writeback_single_inode");
  WritebackControl wbc;
  wbc.sync_mode = mode;
  wbc.for_sync = mode == SyncMode::kAll;
  (void)inode.writepages(wbc);  // errors are kept in the mapping
  // With for_sync the wait comes later, for all inodes at once.
  (void)inode.write_inode(wbc);
  if (inode.i_mapping.tagged_dirty()) __mark_inode_dirty(inode);
}

void BackingDevInfo::__mark_inode_dirty(Inode& inode) {
  world_.Touch(b_dirty_object_, sim::Access::kRead);
  if (inode.on_dirty_list) return;
  world_.Touch(b_dirty_object_, sim::Access::kWrite);
  inode.on_dirty_list = true;
  b_dirty_.push_back(&inode);
}

void BackingDevInfo::Forget(Inode& inode) {
  world_.Touch(b_dirty_object_, sim::Access::kRead);
  if (!inode.on_dirty_list) return;
  world_.Touch(b_dirty_object_, sim::Access::kWrite);
  inode.on_dirty_list = false;
  b_dirty_.erase(std::find(b_dirty_.begin(), b_dirty_.end(), &inode));
}

// Sums far from a limit may be added to in any order: nobody can tell. Who comes across one, or
// adds to what is above, is seen.
void BackingDevInfo::Account(int64_t& counter, int64_t bytes) {
  const bool was_over_background = over_background(), was_over_limit = over_limit();
  counter += bytes;
  if (over_background() != was_over_background) {
    world_.Touch(work_.object(), sim::Access::kWrite);
  }
  if (was_over_limit || over_limit()) world_.Touch(progress_.object(), sim::Access::kWrite);
  if (bytes < 0 && progress_.active()) progress_.WakeAll();
}

void BackingDevInfo::AccountDirty(int64_t bytes) {
  Account(dirty_bytes_, bytes);
  if (bytes > 0) ++changes_;
}

void BackingDevInfo::AccountWriteback(int64_t bytes) {
  Account(writeback_bytes_, bytes);
  if (bytes < 0) ++changes_;
}

void BackingDevInfo::wb_workfn() {
  SIM_FRAME("wb_workfn");
  bool periodic = false;
  for (;;) {
    const sim::Nanos deadline = periodic ? world_.now() + writeback_interval_ : sim::World::kNever;
    const auto wanted = [this] { return flush_wanted_ || syncs_wanted_ > syncs_done_; };
    if (!work_.wait_idle(wanted, deadline)) return;
    flush_wanted_ = false;
    changes_seen_ = changes_;
    const uint64_t round = syncs_wanted_;
    {
      const sim::EventScope throttled(progress_);
      const sim::EventScope waited_for(sync_done_);
      if (round > syncs_done_) {
        writeback_sb_inodes(SyncMode::kAll);  // s_umount: who waits for it holds it
      } else {
        __writeback_inodes_wb();
      }
    }
    syncs_done_ = round;
    sync_done_.WakeAll();
    progress_.WakeAll();
    world_.Touch(b_dirty_object_, sim::Access::kRead);
    periodic = !b_dirty_.empty();  // wb_has_dirty_io()
  }
}

}  // namespace model
