// The orphan list: inodes that recovery has to truncate or delete [fs/ext4/orphan.c].
//
// On disk a list that starts in the superblock and goes on through i_dtime of each inode; in memory
// s_orphan, newest first, in the same order.
//
// Not modelled: the orphan file, which spreads the list over blocks so that they do not contend.

#include <algorithm>
#include <optional>

#include "model/ext4/inode_table.h"
#include "sim/check.h"

namespace model {
namespace {

// Requires: write access to the superblock's buffer `s_sbh`.
void SetLastOrphan(BufferHead& s_sbh, Ino ino) {
  sim::BitGuard lock_buffer(s_sbh.b_lock);
  std::get<DiskSuperBlock>(s_sbh.content).s_last_orphan = ino;
}

}  // namespace

Errno ext4_orphan_add(Handle& handle, Ext4Inode& inode) {
  SIM_FRAME("ext4_orphan_add");
  Ext4SbInfo& sbi = inode.sbi;
  if (inode.on_orphan_list) return Errno::kOk;
  BufferHead& s_sbh = sbi.buffers.sb_getblk(sbi.geometry.superblock());
  Errno error = jbd2_journal_get_write_access(handle, s_sbh);
  if (error != Errno::kOk) return error;
  BufferHead* iloc = nullptr;
  error = ext4_reserve_inode_write(handle, inode, &iloc);
  if (error != Errno::kOk) return error;
  {
    std::optional<sim::MutexGuard> s_orphan_lock;
    if (!sbi.policy.orphan_list_without_lock) {
      s_orphan_lock.emplace(sbi.s_orphan_lock, sim::Subclass::kNormal, sim::Site::Here());
    }
    inode.next_orphan = std::get<DiskSuperBlock>(s_sbh.content).s_last_orphan;
    SetLastOrphan(s_sbh, inode.i_ino);
    std::vector<Ino>& s_orphan = sbi.s_orphan.update();
    s_orphan.insert(s_orphan.begin(), inode.i_ino);
    inode.on_orphan_list = true;
  }
  error = jbd2_journal_dirty_metadata(handle, s_sbh);
  return FirstError(error, ext4_mark_iloc_dirty(handle, inode, *iloc));
}

Errno ext4_orphan_del(Handle& handle, Ext4Inode& inode) {
  SIM_FRAME("ext4_orphan_del");
  Ext4SbInfo& sbi = inode.sbi;
  if (!inode.on_orphan_list) return Errno::kOk;
  BufferHead* iloc = nullptr;
  Errno error = ext4_reserve_inode_write(handle, inode, &iloc);

  sim::MutexGuard s_orphan_lock(sbi.s_orphan_lock);
  std::vector<Ino>& s_orphan = sbi.s_orphan.update();
  const auto here = std::find(s_orphan.begin(), s_orphan.end(), inode.i_ino);
  SIM_CHECK(here != s_orphan.end());
  const bool is_first = here == s_orphan.begin();
  Ext4Inode* i_prev = is_first ? nullptr : sbi.inodes.at(*(here - 1)).get();
  s_orphan.erase(here);
  inode.on_orphan_list = false;
  if (error != Errno::kOk) return error;  // in memory at least it is gone

  if (is_first) {
    BufferHead& s_sbh = sbi.buffers.sb_getblk(sbi.geometry.superblock());
    error = jbd2_journal_get_write_access(handle, s_sbh);
    if (error != Errno::kOk) return error;
    SetLastOrphan(s_sbh, inode.next_orphan);
    s_orphan_lock.Unlock();
    error = jbd2_journal_dirty_metadata(handle, s_sbh);
  } else {
    BufferHead* prev_iloc = nullptr;
    error = ext4_reserve_inode_write(handle, *i_prev, &prev_iloc);
    if (error != Errno::kOk) return error;
    i_prev->next_orphan = inode.next_orphan;
    error = ext4_mark_iloc_dirty(handle, *i_prev, *prev_iloc);
    s_orphan_lock.Unlock();
  }
  inode.next_orphan = 0;
  return FirstError(error, ext4_mark_iloc_dirty(handle, inode, *iloc));
}

}  // namespace model
