// The end of a file: the last reference to an inode without a name is gone
// [fs/ext4/inode.c, ext4_evict_inode()].
//
// Any task may get here that drops a reference. Inodes with a name stay in memory: eviction under
// memory pressure is not modelled.

#include "model/ext4/credits.h"
#include "model/ext4/ialloc.h"
#include "sim/check.h"

namespace model {
namespace {

// After the truncate: the orphan record, in superblock and predecessor, and the inode itself.
constexpr int kExtraCredits = 3 + kInodeAllocCredits;

// What was delayed and never written gives its reservation back.
void ext4_clear_inode(Ext4Inode& inode) {
  SIM_FRAME("ext4_clear_inode");
  ext4_es_remove_extent(inode, 0, UINT32_MAX);
  jbd2_journal_release_jbd_inode(inode.sbi.s_journal, inode.jinode);
}

Errno DeleteInode(Handle& handle, Ext4Inode& inode) {
  // ORDER: the record goes with the very transaction that frees the inode.
  Errno error = ext4_orphan_del(handle, inode);
  inode.type = FileType::kFree;  // i_dtime is set
  error = FirstError(error, ext4_mark_inode_dirty(handle, inode));
  ext4_clear_inode(inode);  // ORDER: before the inode is marked as not in use
  return error == Errno::kOk ? ext4_free_inode(handle, inode) : error;
}

}  // namespace

void Ext4SbInfo::evict_inode(Inode& vfs_inode) {
  SIM_FRAME("ext4_evict_inode");
  Ext4Inode& inode = EXT4_I(vfs_inode);
  SIM_CHECK(inode.i_nlink == 0 && inode.i_count == 0);
  s_bdi.Forget(inode);                                          // inode_io_list_del()
  inode.i_sync_wait.wait_event([&] { return !inode.i_sync; });  // inode_wait_for_writeback()
  if (ext4_should_order_data(inode) &&
      jbd2_journal_begin_ordered_truncate(s_journal, inode.jinode)) {
    (void)inode.i_mapping.filemap_fdatawrite_range(0, UINT64_MAX, SyncMode::kAll);
  }
  inode.i_mapping.truncate_inode_pages(0);  // truncate_inode_pages_final(): nobody maps it

  // Freezing waits for whoever holds this, and a handle that is open already for the freezer's
  // commit: so not with one open.
  const bool freeze_protected = journal_current_handle(s_journal) == nullptr;
  if (freeze_protected && !policy.intwrite_under_handle) s_intwriters.percpu_down_read();
  bool cleared = false;
  {
    // Half of them are in the truncate's already; what that uses up is asked for again below.
    Ext4Handle handle(*this, ext4_truncate_credits(inode) + kExtraCredits - 3);
    if (freeze_protected && policy.intwrite_under_handle) s_intwriters.percpu_down_read();
    if (handle.ok()) {
      inode.i_size.store(0);
      inode.i_disksize.store(0);
      Errno error = ext4_mark_inode_dirty(*handle, inode);
      if (error == Errno::kOk && inode.i_blocks > 0) error = ext4_truncate(inode);
      if (error == Errno::kOk) {
        error = ext4_journal_ensure_credits(*handle, kExtraCredits, 1).error;
      }
      if (error == Errno::kOk) {
        (void)DeleteInode(*handle, inode);
        cleared = true;
      }
      (void)handle.stop();
    }
  }
  if (freeze_protected) s_intwriters.percpu_up_read();
  if (!cleared) ext4_clear_inode(inode);
}

}  // namespace model
