// EXT4_IOC_SHUTDOWN, what xfstests calls godown [fs/ext4/ioctl.c].
//
// Not modelled: that jbd2_journal_abort() writes the journal superblock once more. With -ESHUTDOWN
// there is no error in it, so that it is what the device has already.

#include "model/ext4/ext4.h"
#include "model/vfs/syscalls.h"

namespace model {
namespace {

void AbortJournal(Ext4SbInfo& sbi) {
  if (!is_journal_aborted(sbi.s_journal)) jbd2_journal_abort(sbi.s_journal, Errno::kShutdown);
}

}  // namespace

Errno ext4_force_shutdown(Ext4SbInfo& sbi, GoingFlags flags) {
  SIM_FRAME("ext4_force_shutdown");
  if (sbi.ext4_forced_shutdown()) return Errno::kOk;
  if (flags == GoingFlags::kDefault) {
    const Errno frozen = freeze_super(sbi);  // bdev_freeze()
    if (frozen != Errno::kOk) return frozen;
    sbi.shutdown.store(true);
    thaw_super(sbi);
    return Errno::kOk;
  }
  sbi.shutdown.store_racy(true);
  // ORDER: nobody joins the transaction any more whose commit is waited for.
  if (flags == GoingFlags::kLogflush && !is_journal_aborted(sbi.s_journal)) {
    (void)jbd2_journal_force_commit(sbi.s_journal);  // ext4_force_commit()
  }
  AbortJournal(sbi);
  return Errno::kOk;
}

}  // namespace model
