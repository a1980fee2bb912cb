// An inode's place in its inode-table block [fs/ext4/inode.c, ext4_iloc].
//
// Several inodes share a block, which is journalled as a whole.
#pragma once

#include "model/ext4/ext4.h"

namespace model {

// Finds the block, reading it if need be, and gets write access. *iloc is not set on failure.
// Parks.
Errno ext4_reserve_inode_write(Handle& handle, Ext4Inode& inode, BufferHead** iloc);
// Copies the in-core inode into `iloc`, got from ext4_reserve_inode_write() with this handle.
Errno ext4_mark_iloc_dirty(Handle& handle, Ext4Inode& inode, BufferHead& iloc);
// The inode as it is in `iloc`, its inode-table block.
DiskInode& RawInode(const Ext4SbInfo& sbi, BufferHead& iloc, Ino ino);

}  // namespace model
