// Handles, as ext4 takes them [fs/ext4/ext4_jbd2.c].

#include "model/ext4/ext4.h"
#include "sim/check.h"

namespace model {
namespace {

// ext4_trans_default_revoke_credits()
constexpr int kRevokeCredits = 8;

}  // namespace

Ext4Handle::Ext4Handle(Ext4SbInfo& sbi, int nblocks, int rsv_blocks, sim::Site site) : sbi_(sbi) {
  SIM_FRAME("__ext4_journal_start_sb");
  error_ = sbi.ext4_emergency_state();
  if (error_ != Errno::kOk) return;
  const HandleOrError started =
      jbd2_journal_start(sbi.s_journal, nblocks, rsv_blocks, kRevokeCredits, site);
  handle_ = started.handle;
  error_ = started.error;
}

Ext4Handle::Ext4Handle(Ext4SbInfo& sbi, Handle* reserved, sim::Site site) : sbi_(sbi) {
  SIM_FRAME("__ext4_journal_start_reserved");
  error_ = sbi.ext4_emergency_state();
  if (error_ == Errno::kOk) error_ = jbd2_journal_start_reserved(*reserved, site);
  if (error_ == Errno::kOk) {
    handle_ = reserved;
  } else {
    jbd2_journal_free_reserved(*reserved);
  }
}

Ext4Handle::~Ext4Handle() {
  if (handle_ != nullptr && !sbi_.world.tearing_down()) (void)stop();
}

Tid Ext4Handle::tid() const { return HandleTid(*handle_); }

Errno Ext4Handle::stop(sim::Site site) {
  if (handle_ == nullptr) return error_;
  SIM_FRAME("__ext4_journal_stop");
  Handle* const handle = std::exchange(handle_, nullptr);
  return jbd2_journal_stop(*handle, site);
}

Errno ext4_jbd2_inode_add_write(Handle& handle, Ext4Inode& inode, uint64_t start, uint64_t len) {
  return jbd2_journal_inode_ranged_write(handle, inode.jinode, start, len);
}

Errno ext4_jbd2_inode_add_wait(Handle& handle, Ext4Inode& inode, uint64_t start, uint64_t len) {
  return jbd2_journal_inode_ranged_wait(handle, inode.jinode, start, len);
}

}  // namespace model
