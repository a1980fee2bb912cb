// Allocating and freeing blocks [fs/ext4/mballoc.c].
//
// Two bitmaps, as in the kernel: the one on disk, journalled with the group descriptor, says what
// is in use; the buddy in memory says what may be allocated. They differ in what was freed by a
// transaction that has not committed: free on disk, in use in the buddy, so that no new owner
// overwrites blocks that a power cut may give back to the old one.
//
// The first run of blocks from the goal on that is long enough is taken, else the longest: the same
// on every machine.
//
// Not modelled: preallocation (by inode or by locality group) and the search by buddy orders. They
// change which blocks a file gets, so that files written together are more fragmented here; and
// preallocated blocks would be a second way of being in use in the buddy and free on disk, never
// reachable by a reader. Blocks are never handed out twice either way. Discard of freed blocks.

#include <algorithm>
#include <bit>

#include "model/ext4/ext4.h"
#include "sim/check.h"

namespace model {
namespace {

// The first bit from `bit` on that is `set`, or `end`.
uint32_t FindNext(const Bitmap& bitmap, uint32_t bit, uint32_t end, bool set) {
  while (bit < end) {
    const uint64_t word = set ? bitmap.words[bit / 64] : ~bitmap.words[bit / 64];
    const uint64_t rest = word >> bit % 64;
    if (rest != 0) return std::min(end, bit + std::countr_zero(rest));
    bit = (bit / 64 + 1) * 64;
  }
  return end;
}

uint32_t mb_find_next_zero_bit(const Bitmap& bitmap, uint32_t bit, uint32_t end) {
  return FindNext(bitmap, bit, end, false);
}
uint32_t mb_find_next_bit(const Bitmap& bitmap, uint32_t bit, uint32_t end) {
  return FindNext(bitmap, bit, end, true);
}

void mb_set_bits(Bitmap& bitmap, Pblk pblk, uint32_t len) {
  for (uint32_t i = 0; i < len; ++i) {
    SIM_CHECK(!bitmap.Test(pblk + i));
    bitmap.Set(pblk + i);
  }
}

void mb_clear_bits(Bitmap& bitmap, Pblk pblk, uint32_t len) {
  for (uint32_t i = 0; i < len; ++i) {
    SIM_CHECK(bitmap.Test(pblk + i));
    bitmap.Clear(pblk + i);
  }
}

// The first free run of `len` within [begin, end), or the longest, cut to `len`; {0, 0}: none.
Allocation FindRun(const Bitmap& buddy, Pblk begin, Pblk end, uint32_t len) {
  Allocation best;
  for (Pblk pblk = begin; best.len < len;) {
    pblk = mb_find_next_zero_bit(buddy, pblk, end);
    if (pblk == end) break;
    const Pblk run_end = mb_find_next_bit(buddy, pblk, end);
    if (run_end - pblk > best.len) best = {pblk, std::min(len, run_end - pblk), Errno::kOk};
    pblk = run_end;
  }
  return best;
}

// Finds blocks and takes them out of the buddy. kNoSpc: what is free waits for a commit, or there
// is nothing.
Allocation ext4_mb_regular_allocator(Ext4SbInfo& sbi, Pblk goal, uint32_t len) {
  SIM_FRAME("ext4_mb_regular_allocator");
  const Pblk first = sbi.geometry.first_data();
  sim::SpinGuard ext4_lock_group(sbi.group_lock);
  Allocation found = FindRun(sbi.buddy.load(), std::max(goal, first), sbi.geometry.blocks, len);
  if (found.len < len) {
    const Allocation other = FindRun(sbi.buddy.load(), first, sbi.geometry.blocks, len);
    if (other.len > found.len) found = other;
  }
  if (found.len == 0) return {0, 0, Errno::kNoSpc};
  mb_set_bits(sbi.buddy.update(), found.pblk, found.len);
  return found;
}

// The block bitmap and the group descriptor, to be changed under the group lock.
struct GroupBuffers {
  BufferHead* bitmap_bh = nullptr;
  BufferHead* gdp_bh = nullptr;
  Errno error = Errno::kOk;

  Bitmap& bitmap() const { return std::get<Bitmap>(bitmap_bh->content); }
  uint32_t& free_count() const {
    return std::get<GroupDescriptors>(gdp_bh->content).bg_free_blocks_count;
  }
};

GroupBuffers GetGroupWriteAccess(Handle& handle, Ext4SbInfo& sbi) {
  GroupBuffers group;
  group.bitmap_bh = sbi.buffers.sb_bread(sbi.geometry.block_bitmap());
  if (group.bitmap_bh == nullptr) return {nullptr, nullptr, Errno::kIo};
  group.error = jbd2_journal_get_write_access(handle, *group.bitmap_bh);
  if (group.error != Errno::kOk) return group;
  group.gdp_bh = sbi.buffers.sb_bread(sbi.geometry.group_descriptors());
  if (group.gdp_bh == nullptr) return {group.bitmap_bh, nullptr, Errno::kIo};
  group.error = jbd2_journal_get_write_access(handle, *group.gdp_bh);
  return group;
}

Errno DirtyGroup(Handle& handle, const GroupBuffers& group) {
  const Errno error = jbd2_journal_dirty_metadata(handle, *group.bitmap_bh);
  return FirstError(error, jbd2_journal_dirty_metadata(handle, *group.gdp_bh));
}

// What the buddy gave becomes allocated on disk.
Errno ext4_mb_mark_diskspace_used(Handle& handle, Ext4SbInfo& sbi, const Allocation& found) {
  SIM_FRAME("ext4_mb_mark_diskspace_used");
  const GroupBuffers group = GetGroupWriteAccess(handle, sbi);
  if (group.error != Errno::kOk) return group.error;
  {
    sim::SpinGuard ext4_lock_group(sbi.group_lock);
    mb_set_bits(group.bitmap(), found.pblk, found.len);
    group.free_count() -= found.len;
  }
  sbi.s_freeclusters_counter -= found.len;
  return DirtyGroup(handle, group);
}

void ext4_discard_allocated_blocks(Ext4SbInfo& sbi, const Allocation& found) {
  SIM_FRAME("ext4_discard_allocated_blocks");
  sim::SpinGuard ext4_lock_group(sbi.group_lock);
  mb_clear_bits(sbi.buddy.update(), found.pblk, found.len);
}

// May a block be allocated again at once? If its old contents must survive a power cut before the
// commit of `handle`: not until then. data=writeback promises that for metadata only.
bool ReusableAtOnce(const Ext4SbInfo& sbi, bool metadata) {
  return sbi.policy.free_reusable_before_commit || (!metadata && !sbi.options.data_ordered);
}

}  // namespace

Allocation ext4_mb_new_blocks(Handle& handle, Ext4Inode& inode, Pblk goal, uint32_t len,
                              uint32_t flags) {
  SIM_FRAME("ext4_mb_new_blocks");
  Ext4SbInfo& sbi = inode.sbi;
  // Delayed blocks were claimed when they were reserved; others are now, fewer if need be.
  const bool claim = (flags & kGetBlocksDelallocReserve) == 0;
  if (claim) {
    while (len > 0 && ext4_claim_free_clusters(sbi, len, flags) != Errno::kOk) len /= 2;
    if (len == 0) return {0, 0, Errno::kNoSpc};
  }
  Allocation found = ext4_mb_regular_allocator(sbi, goal, len);
  if (found.error == Errno::kOk) {
    found.error = ext4_mb_mark_diskspace_used(handle, sbi, found);
    if (found.error != Errno::kOk) ext4_discard_allocated_blocks(sbi, found);
  }
  if (claim) sbi.s_dirtyclusters_counter -= len;
  if (found.error != Errno::kOk) return {0, 0, found.error};
  inode.i_blocks += found.len;  // dquot_alloc_block()
  found.error = ext4_mark_inode_dirty(handle, inode);
  return found;
}

void ext4_free_blocks(Handle& handle, Ext4Inode& inode, Pblk pblk, uint32_t count, bool metadata) {
  SIM_FRAME("ext4_free_blocks");
  Ext4SbInfo& sbi = inode.sbi;
  if (metadata) {
    // ext4_forget(): an older copy in the log must not be replayed over the next owner's data.
    for (uint32_t i = 0; i < count; ++i) {
      jbd2_journal_revoke(handle, pblk + i, &sbi.buffers.sb_getblk(pblk + i));
    }
  }
  const GroupBuffers group = GetGroupWriteAccess(handle, sbi);
  if (group.error != Errno::kOk) return;
  {
    sim::SpinGuard ext4_lock_group(sbi.group_lock);
    mb_clear_bits(group.bitmap(), pblk, count);
    group.free_count() += count;
    if (ReusableAtOnce(sbi, metadata)) {
      mb_clear_bits(sbi.buddy.update(), pblk, count);
    } else {
      sbi.s_freed_data.update().push_back(
          {pblk, count, HandleTid(handle)});  // ext4_mb_free_metadata()
    }
  }
  sbi.s_freeclusters_counter += count;
  inode.i_blocks -= count;  // dquot_free_block()
  (void)ext4_mark_inode_dirty(handle, inode);
  (void)DirtyGroup(handle, group);
}

void ext4_process_freed_data(Ext4SbInfo& sbi, Tid tid) {
  SIM_FRAME("ext4_process_freed_data");
  sim::SpinGuard ext4_lock_group(sbi.group_lock);
  while (!sbi.s_freed_data->empty() && sbi.s_freed_data->front().efd_tid == tid) {
    const Ext4FreeData freed = sbi.s_freed_data->front();
    mb_clear_bits(sbi.buddy.update(), freed.efd_start, freed.efd_count);
    sbi.s_freed_data.update().pop_front();
  }
}

}  // namespace model
