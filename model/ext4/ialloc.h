// Inodes come and go [fs/ext4/ialloc.c].
//
// Not modelled: spreading directories over groups, ACLs, initialising the inode table lazily.
#pragma once

#include <string>

#include "model/ext4/ext4.h"

namespace model {

// Blocks that ext4_new_inode() and ext4_free_inode() change: inode bitmap, group descriptor, and
// the inode's own.
inline constexpr int kInodeAllocCredits = 3;

struct NewInode {
  Ext4Inode* inode = nullptr;
  Errno error = Errno::kOk;  // kNoSpc: no inode is free
};

// A new regular file, in memory, in the inode bitmap and in the inode table. Its i_generation is
// one that no former user of the number had.
NewInode ext4_new_inode(Handle& handle, Ext4SbInfo& sbi, const std::string& name);
// Gives the number back; the inode is not found any more. Requires: nothing else refers to it.
Errno ext4_free_inode(Handle& handle, Ext4Inode& inode);

}  // namespace model
