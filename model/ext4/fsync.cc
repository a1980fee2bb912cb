// fsync(2), fdatasync(2) and sync(2) [fs/ext4/fsync.c, super.c].

#include "model/ext4/ext4.h"
#include "sim/check.h"

namespace model {
namespace {

Errno ext4_fsync_journal(Ext4Inode& inode, bool datasync, bool* needs_barrier) {
  SIM_FRAME("ext4_fsync_journal");
  Journal& journal = inode.sbi.s_journal;
  const Tid tid = datasync ? inode.i_datasync_tid : inode.i_sync_tid;
  *needs_barrier = inode.sbi.options.barrier && !jbd2_trans_will_send_data_barrier(journal, tid);
  return jbd2_complete_transaction(journal, tid);
}

}  // namespace

Errno Ext4SbInfo::fsync(Inode& vfs_inode, uint64_t start, uint64_t end, bool datasync) {
  SIM_FRAME("ext4_sync_file");
  Ext4Inode& inode = EXT4_I(vfs_inode);
  SIM_CHECK(journal_current_handle(s_journal) == nullptr);
  const Errno emergency = ext4_emergency_state();
  if (emergency != Errno::kOk) return emergency;
  // ORDER: the transaction is looked up once the data, and with it the conversions, are done.
  const Errno written = inode.i_mapping.file_write_and_wait_range(start, end);
  if (written != Errno::kOk) return written;
  bool needs_barrier = false;
  const Errno error = ext4_fsync_journal(inode, datasync, &needs_barrier);
  if (needs_barrier) buffers.blkdev_issue_flush();
  return FirstError(error, inode.i_mapping.filemap_check_errors());
}

Errno Ext4SbInfo::sync_fs() {
  SIM_FRAME("ext4_sync_fs");
  const Errno emergency = ext4_emergency_state();
  if (emergency != Errno::kOk) return Errno::kOk;
  rsv_conversion_wq.flush_workqueue();
  PlainSpinGuard j_state_lock(s_journal.j_state_lock);
  const Tid target =
      s_journal.running_tid() != 0 ? s_journal.running_tid() : s_journal.committing_tid();
  j_state_lock.Unlock();
  const bool needs_barrier =
      options.barrier && (target == 0 || !jbd2_trans_will_send_data_barrier(s_journal, target));
  Errno error = Errno::kOk;
  if (target != 0) error = jbd2_complete_transaction(s_journal, target);
  if (needs_barrier) buffers.blkdev_issue_flush();
  return error;
}

Errno Ext4SbInfo::freeze_fs() {
  SIM_FRAME("ext4_freeze");
  if (ext4_emergency_state() != Errno::kOk) return Errno::kOk;
  jbd2_journal_lock_updates(s_journal);
  const Errno error = jbd2_journal_flush(s_journal);
  jbd2_journal_unlock_updates(s_journal);
  return error;
}

}  // namespace model
