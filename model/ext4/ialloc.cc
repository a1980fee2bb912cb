#include "model/ext4/ialloc.h"

#include <utility>

#include "model/ext4/inode_table.h"
#include "sim/check.h"

namespace model {
namespace {

// The inode bitmap and the group descriptor, to be changed under the group lock.
struct InodeBuffers {
  BufferHead* inode_bitmap_bh = nullptr;
  BufferHead* group_desc_bh = nullptr;
  Errno error = Errno::kOk;

  Bitmap& bitmap() const { return std::get<Bitmap>(inode_bitmap_bh->content); }
  uint32_t& free_count() const {
    return std::get<GroupDescriptors>(group_desc_bh->content).bg_free_inodes_count;
  }
};

InodeBuffers GetInodeWriteAccess(Handle& handle, Ext4SbInfo& sbi) {
  BufferHead* bitmap = sbi.buffers.sb_bread(sbi.geometry.inode_bitmap());
  BufferHead* group_desc = sbi.buffers.sb_bread(sbi.geometry.group_descriptors());
  if (bitmap == nullptr || group_desc == nullptr) return {nullptr, nullptr, Errno::kIo};
  Errno error = jbd2_journal_get_write_access(handle, *bitmap);
  if (error == Errno::kOk) error = jbd2_journal_get_write_access(handle, *group_desc);
  return {bitmap, group_desc, error};
}

Errno DirtyInodeBuffers(Handle& handle, const InodeBuffers& buffers) {
  const Errno error = jbd2_journal_dirty_metadata(handle, *buffers.inode_bitmap_bh);
  return FirstError(error, jbd2_journal_dirty_metadata(handle, *buffers.group_desc_bh));
}

// 0: none is free.
Ino TakeFreeInode(Ext4SbInfo& sbi, const InodeBuffers& buffers) {
  sim::SpinGuard ext4_lock_group(sbi.group_lock);
  for (Ino ino = kFirstIno; ino <= sbi.geometry.inodes; ++ino) {
    if (buffers.bitmap().Test(ino - 1)) continue;
    buffers.bitmap().Set(ino - 1);
    --buffers.free_count();
    return ino;
  }
  return 0;
}

}  // namespace

NewInode ext4_new_inode(Handle& handle, Ext4SbInfo& sbi, const std::string& name) {
  SIM_FRAME("__ext4_new_inode");
  const InodeBuffers buffers = GetInodeWriteAccess(handle, sbi);
  if (buffers.error != Errno::kOk) return {nullptr, buffers.error};
  const Ino ino = TakeFreeInode(sbi, buffers);
  if (ino == 0) return {nullptr, Errno::kNoSpc};
  Errno error = DirtyInodeBuffers(handle, buffers);
  if (error != Errno::kOk) return {nullptr, error};

  BufferHead* iloc = sbi.buffers.sb_bread(sbi.geometry.inode_table_block(ino));
  if (iloc == nullptr) return {nullptr, Errno::kIo};
  const uint32_t generation = RawInode(sbi, *iloc, ino).i_generation + 1;
  const bool iomap = sbi.options.iomap_files.contains(name);
  sbi.TouchCached(ino, sim::Access::kWrite);
  auto [it, is_new] =
      sbi.inodes.emplace(ino, std::make_unique<Ext4Inode>(sbi, ino, generation, iomap));
  SIM_CHECK(is_new);
  Ext4Inode& inode = *it->second;
  inode.name = name;
  ext4_update_inode_fsync_trans(handle, inode, true);  // also fdatasync has to wait for a new file
  error = ext4_mark_inode_dirty(handle, inode);
  return {&inode, error};
}

Errno ext4_free_inode(Handle& handle, Ext4Inode& inode) {
  SIM_FRAME("ext4_free_inode");
  Ext4SbInfo& sbi = inode.sbi;
  // ORDER: it is out of sight before its number can be taken again. Its memory stays, as lists of
  // the writeback code may still lead to it.
  sbi.TouchCached(inode.i_ino, sim::Access::kWrite);
  const auto it = sbi.inodes.find(inode.i_ino);
  sbi.dead_inodes.push_back(std::move(it->second));
  sbi.inodes.erase(it);

  const InodeBuffers buffers = GetInodeWriteAccess(handle, sbi);
  if (buffers.error != Errno::kOk) return buffers.error;
  {
    sim::SpinGuard ext4_lock_group(sbi.group_lock);
    buffers.bitmap().Clear(inode.i_ino - 1);
    ++buffers.free_count();
  }
  return DirtyInodeBuffers(handle, buffers);
}

}  // namespace model
