// Reading inodes from the inode table and journalling their changes [fs/ext4/inode.c].

#include "model/ext4/inode_table.h"

#include <algorithm>

#include "sim/check.h"

namespace model {
namespace {

// The in-core inode becomes the one on disk. The size there is i_disksize, not i_size.
// Requires: write access to `iloc`.
Errno ext4_do_update_inode(Handle& handle, Ext4Inode& inode, BufferHead& iloc) {
  SIM_FRAME("ext4_do_update_inode");
  DiskInode& raw = RawInode(inode.sbi, iloc, inode.i_ino);
  const uint64_t disksize = inode.i_disksize.load();
  const bool need_datasync = raw.i_size_bytes != disksize;
  raw.type = inode.type;
  raw.i_links_count = static_cast<uint16_t>(inode.i_nlink);
  raw.i_generation = inode.i_generation;
  raw.i_size_bytes = disksize;
  raw.inline_data = inode.inline_data;
  // The kernel holds i_raw_lock only, against others who copy. What somebody is changing meanwhile
  // is copied again at the end of that change, in the same transaction.
  raw.i_blocks = inode.i_blocks.data_race();
  raw.next_orphan = inode.next_orphan.data_race();
  raw.i_block = inode.i_data.data_race();
  const Errno error = jbd2_journal_dirty_metadata(handle, iloc);
  if (error == Errno::kOk) ext4_update_inode_fsync_trans(handle, inode, need_datasync);
  return error;
}

BufferHead* ext4_get_inode_loc(Ext4SbInfo& sbi, Ino ino) {
  SIM_FRAME("ext4_get_inode_loc");
  return sbi.buffers.sb_bread(sbi.geometry.inode_table_block(ino));
}

Tid NewestTid(Journal& journal) {
  PlainSpinGuard j_state_lock(journal.j_state_lock);
  if (journal.running_tid() != 0) return journal.running_tid();
  return journal.committing_tid() != 0 ? journal.committing_tid() : journal.j_commit_sequence;
}

std::string NameOf(const Ext4SbInfo& sbi, Ino ino) {
  const auto entry = std::find_if(sbi.dcache.begin(), sbi.dcache.end(),
                                  [ino](const auto& named) { return named.second == ino; });
  return entry != sbi.dcache.end() ? entry->first : "";
}

}  // namespace

DiskInode& RawInode(const Ext4SbInfo& sbi, BufferHead& iloc, Ino ino) {
  return std::get<InodeTableBlock>(iloc.content).inodes[sbi.geometry.inode_slot(ino)];
}

Errno ext4_reserve_inode_write(Handle& handle, Ext4Inode& inode, BufferHead** iloc) {
  SIM_FRAME("ext4_reserve_inode_write");
  BufferHead* bh = ext4_get_inode_loc(inode.sbi, inode.i_ino);
  if (bh == nullptr) return Errno::kIo;
  const Errno error = jbd2_journal_get_write_access(handle, *bh);
  if (error == Errno::kOk) *iloc = bh;
  return error;
}

Errno ext4_mark_iloc_dirty(Handle& handle, Ext4Inode& inode, BufferHead& iloc) {
  SIM_FRAME("ext4_mark_iloc_dirty");
  return ext4_do_update_inode(handle, inode, iloc);
}

Errno ext4_mark_inode_dirty(Handle& handle, Ext4Inode& inode) {
  SIM_FRAME("ext4_mark_inode_dirty");
  BufferHead* iloc = nullptr;
  const Errno error = ext4_reserve_inode_write(handle, inode, &iloc);
  return error == Errno::kOk ? ext4_mark_iloc_dirty(handle, inode, *iloc) : error;
}

void ext4_update_inode_fsync_trans(Handle& handle, Ext4Inode& inode, bool datasync) {
  inode.i_sync_tid = HandleTid(handle);
  if (datasync) inode.i_datasync_tid = inode.i_sync_tid;
}

Ext4Inode* ext4_iget(Ext4SbInfo& sbi, Ino ino) {
  SIM_FRAME("ext4_iget");
  sbi.TouchCached(ino, sim::Access::kRead);
  if (const auto it = sbi.inodes.find(ino); it != sbi.inodes.end()) return it->second.get();
  BufferHead* iloc = ext4_get_inode_loc(sbi, ino);
  if (iloc == nullptr) return nullptr;
  // Whoever else waited for the same block was here first.
  sbi.TouchCached(ino, sim::Access::kRead);
  if (const auto it = sbi.inodes.find(ino); it != sbi.inodes.end()) return it->second.get();

  const DiskInode& raw = RawInode(sbi, *iloc, ino);
  const std::string name = NameOf(sbi, ino);
  auto inode = std::make_unique<Ext4Inode>(sbi, ino, raw.i_generation,
                                           sbi.options.iomap_files.contains(name));
  inode->name = name;
  inode->type = raw.type;
  inode->i_nlink.init(raw.i_links_count);
  inode->i_size.init(raw.i_size_bytes);
  inode->i_disksize.init(raw.i_size_bytes);
  inode->i_blocks.init(raw.i_blocks);
  inode->next_orphan.init(raw.next_orphan);
  inode->inline_data = raw.inline_data;
  inode->i_data.init(raw.i_block);
  // An fsync must not return before the newest transaction, which may hold this inode's last
  // changes, has committed.
  inode->i_sync_tid.init(NewestTid(sbi.s_journal));
  inode->i_datasync_tid.init(inode->i_sync_tid.peek());
  sbi.TouchCached(ino, sim::Access::kWrite);
  return (sbi.inodes[ino] = std::move(inode)).get();
}

}  // namespace model
