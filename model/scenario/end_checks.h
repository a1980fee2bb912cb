// Runtime invariants, and what a read must return: checked on the state in memory, no task
// involved.
//
//   reservation  what delayed allocation has reserved is what is delayed, per inode and in all;
//                on iomap inodes no delayed block without dirty data
//   lost_data    a dirty block that nothing maps: writeback will pass it over
//   invariant    i_disksize beyond i_size
//   wrong_read   contents differ from the reference, but for bytes that are contested (history.h);
//                or a direct read shows what was never of this place of the file
//
// Not checked where an error was injected or the file system is in emergency state: what could not
// be written may then be given up.
#pragma once

#include "model/ext4/ext4.h"

namespace scenario {

// At the end of an execution in which nothing is pending any more.
void CheckAtEnd(model::Ext4SbInfo& sbi);
// What a read of that granule would return now.
model::SectorContent ReadGranule(model::Ext4Inode& inode, uint32_t granule);
// Bytes [begin, end) of the file as a read would return them now.
void CheckContents(model::Ext4Inode& inode, uint64_t begin, uint64_t end);

// [pos, pos + bytes), within a granule, of the file as a direct read has returned them. Unless
// `settled`, somebody may have been writing them. False if something is wrong.
bool CheckGranule(model::Ext4Inode& inode, uint64_t pos, uint32_t bytes,
                  model::SectorContent content, bool settled);

}  // namespace scenario
