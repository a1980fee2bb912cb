// fallocate(2): allocating ahead, punching holes, zeroing ranges
// [fs/ext4/extents.c, ext4_fallocate(); fs/ext4/inode.c, ext4_punch_hole()].
//
//   sb_start_write > i_rwsem > handle > i_data_sem                      allocate
//   sb_start_write > i_rwsem > invalidate_lock > folio lock             punch, zero: page cache,
//                              invalidate_lock > handle > i_data_sem    and blocks
//
// Blocks allocated ahead are unwritten, whatever dioread_nolock says. A range is zeroed by making
// its whole blocks unwritten, and by zeroing the parts of blocks at its ends in the page cache;
// that is not ordered with anything, nor is what a hole punched leaves of a block: such a call is
// not atomic. Its own transactions are, block by block; only a sync makes all of it durable.
//
// When the file grows, the block of its old end is zeroed before, as by other calls that let it
// grow; but for a range that is zeroed, if it has all of that block. (The 2026 series says only
// that it is done before the size changes. Done before such a block becomes unwritten, it would
// bring back a folio with what the range is to lose.)
//
// Not modelled: collapse and insert range; O_SYNC; files with inline data, which would be
// converted.

#include <algorithm>
#include <optional>

#include "model/ext4/ext4.h"
#include "model/vfs/syscalls.h"
#include "sim/check.h"

namespace model {
namespace {

// A range of a file, and the whole blocks in it.
struct ByteRange {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t block_bytes = 0;

  Lblk first_whole() const { return static_cast<Lblk>((begin + block_bytes - 1) / block_bytes); }
  Lblk end_whole() const { return static_cast<Lblk>(end / block_bytes); }
  bool has_whole() const { return first_whole() < end_whole(); }
  Lblk first() const { return static_cast<Lblk>(begin / block_bytes); }
  Lblk last() const { return static_cast<Lblk>((end - 1) / block_bytes); }
  bool is_aligned() const { return begin % block_bytes == 0 && end % block_bytes == 0; }
};

// Raises both sizes up to `newsize`, 0 for not at all, and journals the inode.
Errno ext4_update_inode_size(Ext4Handle& handle, Ext4Inode& inode, uint64_t newsize) {
  History& history = inode.sbi.history;
  const bool grows = newsize > inode.i_size.load();
  if (grows) inode.i_size.store(newsize);
  if (ext4_update_i_disksize(inode, newsize)) history.SizeSet(inode.key(), newsize, handle.tid());
  const Errno error = ext4_mark_inode_dirty(*handle, inode);
  ext4_update_inode_fsync_trans(*handle, inode, true);
  // What is not in a transaction yet, an fsync does not see.
  if (grows) history.Truncated(inode.key(), newsize, handle.tid());
  return error;
}

// Allocates what is a hole or delayed, handle by handle; with `new_size`, not 0, the file grows
// with its blocks up to that size.
Errno ext4_alloc_file_blocks(Ext4Inode& inode, Lblk lblk, Lblk end, uint64_t new_size,
                             uint32_t flags) {
  SIM_FRAME("ext4_alloc_file_blocks");
  Ext4SbInfo& sbi = inode.sbi;
  const uint64_t old_size = inode.i_size.load();
  // A block that becomes unwritten reads as zeros by that; its folio is gone, and brought in again
  // would show what was there.
  const auto eof = static_cast<Lblk>(old_size / sbi.block_bytes());
  const bool unwrites_eof = (flags & kGetBlocksConvertUnwritten) && lblk <= eof && eof < end;
  Errno error = Errno::kOk;
  if (new_size > old_size && !unwrites_eof) error = ext4_block_zero_eof(inode, old_size, new_size);
  for (int retries = 0; error == Errno::kOk && lblk < end;) {
    Ext4MapBlocks map{lblk, end - lblk};
    Ext4Handle handle(sbi, ext4_chunk_trans_blocks(inode, map.m_len));
    if (!handle.ok()) return handle.error();
    error = ext4_map_blocks(handle.get(), inode, map, flags);
    if (error == Errno::kOk) {
      lblk = map.end();
      retries = 0;
    }
    const uint64_t epos = std::min(uint64_t{lblk} * sbi.block_bytes(), new_size);
    error = FirstError(error, ext4_update_inode_size(handle, inode, epos));
    error = FirstError(error, handle.stop());
    if (error == Errno::kNoSpc && ext4_should_retry_alloc(sbi, &retries)) error = Errno::kOk;
  }
  pagecache_isize_extended(inode, old_size, inode.i_size.load());
  return error;
}

constexpr uint32_t kAllocateUnwritten = kGetBlocksCreate | kGetBlocksUnwritExt;

// The size that a call without keep_size asks for; 0: the file is large enough.
uint64_t NewSize(const Ext4Inode& inode, bool keep_size, uint64_t end) {
  const bool grows = end > inode.i_size.load() || end > inode.i_disksize.load();
  return !keep_size && grows ? end : 0;
}

Errno ext4_do_fallocate(Ext4Inode& inode, bool keep_size, const ByteRange& range) {
  SIM_FRAME("ext4_do_fallocate");
  const bool written = inode.sbi.policy.fallocate_written;
  return ext4_alloc_file_blocks(inode, range.first(), range.last() + 1,
                                NewSize(inode, keep_size, range.end),
                                written ? kGetBlocksCreate | kGetBlocksZero : kAllocateUnwritten);
}

// What is delayed in the range would have raised i_disksize when written, and will never be.
Errno ext4_update_disksize_before_punch(Ext4Inode& inode, const ByteRange& range) {
  SIM_FRAME("ext4_update_disksize_before_punch");
  const uint64_t i_size = inode.i_size.load();
  const uint64_t size = std::min(i_size, range.end);
  if (range.begin > i_size || inode.i_disksize.load() >= size) return Errno::kOk;
  if (inode.sbi.policy.punch_leaves_disksize) return Errno::kOk;
  Ext4Handle handle(inode.sbi, 1);
  if (!handle.ok()) return handle.error();
  if (ext4_update_i_disksize(inode, size)) {
    inode.sbi.history.SizeSet(inode.key(), size, handle.tid());
  }
  const Errno error = ext4_mark_inode_dirty(*handle, inode);
  return FirstError(error, handle.stop());
}

void ext4_truncate_page_cache_block_range(Ext4Inode& inode, const ByteRange& range) {
  SIM_FRAME("ext4_truncate_page_cache_block_range");
  if (!range.has_whole()) return;
  inode.i_mapping.truncate_pagecache_range(range.first_whole() * range.block_bytes,
                                           range.end_whole() * range.block_bytes);
}

// The whole blocks of the range go; requires that the page cache has nothing of them.
Errno RemoveBlocks(Handle& handle, Ext4Inode& inode, const ByteRange& range) {
  const Lblk first = range.first_whole(), end = range.end_whole();
  sim::WriteGuard i_data_sem(inode.i_data_sem);
  ext4_es_remove_extent(inode, first, end - first);
  const Errno error = ext4_ext_remove_space(handle, inode, first, end);
  if (error != Errno::kOk) return error;
  ext4_es_insert_extent(inode, {first, end - first, 0, EsStatus::kHole}, false);
  return Errno::kOk;
}

// Tells the history that the range reads as zeros, in transactions up to the inode's last.
void EndZero(Ext4Inode& inode, const ByteRange& range) {
  const uint64_t begin = range.has_whole() ? range.first_whole() * range.block_bytes : 0;
  const uint64_t end = range.has_whole() ? range.end_whole() * range.block_bytes : 0;
  inode.sbi.history.EndZero(inode.key(), begin, end, inode.i_sync_tid);
}

// Requires: i_rwsem and invalidate_lock, exclusively.
Errno ext4_punch_hole(Ext4Inode& inode, ByteRange range) {
  SIM_FRAME("ext4_punch_hole");
  Ext4SbInfo& sbi = inode.sbi;
  const uint64_t bs = sbi.block_bytes();
  const uint64_t i_size = inode.i_size.load();
  if (range.begin >= i_size) return Errno::kOk;
  if (range.end >= i_size) range.end = (i_size + bs - 1) / bs * bs;
  Errno error = ext4_update_disksize_before_punch(inode, range);
  if (error != Errno::kOk) return error;
  sbi.history.BeginZero(inode.key(), range.begin, range.end);
  ext4_truncate_page_cache_block_range(inode, range);
  error = ext4_zero_partial_blocks(inode, range.begin, range.end);
  if (error != Errno::kOk) return error;

  Ext4Handle handle(sbi, ext4_truncate_credits(inode));
  if (!handle.ok()) return handle.error();
  if (range.has_whole()) error = RemoveBlocks(*handle, inode, range);
  error = FirstError(error, ext4_mark_inode_dirty(*handle, inode));
  ext4_update_inode_fsync_trans(*handle, inode, true);
  if (error == Errno::kOk) EndZero(inode, range);
  return FirstError(error, handle.stop());
}

// The ends of the range, of blocks that are allocated by now.
Errno ZeroEnds(Ext4Inode& inode, const ByteRange& range, uint64_t new_size) {
  Errno error = ext4_zero_partial_blocks(inode, range.begin, range.end);
  if (error != Errno::kOk) return error;
  Ext4Handle handle(inode.sbi, 1);
  if (!handle.ok()) return handle.error();
  error = ext4_update_inode_size(handle, inode, new_size);
  return FirstError(error, handle.stop());
}

// Requires: i_rwsem and invalidate_lock, exclusively.
Errno ext4_zero_range(Ext4Inode& inode, bool keep_size, const ByteRange& range) {
  SIM_FRAME("ext4_zero_range");
  const uint64_t new_size = NewSize(inode, keep_size, range.end);
  Errno error = Errno::kOk;
  if (!range.is_aligned()) {
    error = ext4_alloc_file_blocks(inode, range.first(), range.last() + 1, new_size,
                                   kAllocateUnwritten);
  }
  if (error == Errno::kOk) error = ext4_update_disksize_before_punch(inode, range);
  if (error != Errno::kOk) return error;
  inode.sbi.history.BeginZero(inode.key(), range.begin, range.end);
  ext4_truncate_page_cache_block_range(inode, range);
  if (range.has_whole()) {
    error = ext4_alloc_file_blocks(inode, range.first_whole(), range.end_whole(), new_size,
                                   kAllocateUnwritten | kGetBlocksConvertUnwritten);
  }
  if (error == Errno::kOk && !range.is_aligned()) error = ZeroEnds(inode, range, new_size);
  if (error == Errno::kOk) EndZero(inode, range);
  return error;
}

}  // namespace

Errno Ext4SbInfo::fallocate(Inode& vfs_inode, FallocMode mode, uint64_t offset, uint64_t len) {
  SIM_FRAME("ext4_fallocate");
  Ext4Inode& inode = EXT4_I(vfs_inode);
  const Errno emergency = ext4_emergency_state();
  if (emergency != Errno::kOk) return emergency;
  const ByteRange range{offset, offset + len, block_bytes()};
  sim::WriteGuard inode_lock(inode.i_rwsem);
  if (inode.inline_data) return Errno::kRange;
  inode_dio_wait(inode);
  const Errno error = ext4_dirty_inode(inode);  // file_modified()
  if (error != Errno::kOk) return error;
  if (mode == FallocMode::kAllocate || mode == FallocMode::kAllocateKeepSize) {
    return ext4_do_fallocate(inode, mode == FallocMode::kAllocateKeepSize, range);
  }
  // ORDER: keeps faults away, which could bring back folios that are about to go.
  std::optional<sim::WriteGuard> invalidate_lock;
  if (!policy.hole_without_invalidate_lock) {
    invalidate_lock.emplace(inode.i_mapping.invalidate_lock, sim::Subclass::kNormal,
                            sim::Site::Here());
  }
  if (mode == FallocMode::kPunchHole) return ext4_punch_hole(inode, range);
  return ext4_zero_range(inode, mode == FallocMode::kZeroRangeKeepSize, range);
}

}  // namespace model
