// Changing a file's size: truncate down and up, and the block that the end of file cuts
// [fs/ext4/inode.c].
//
//   sb_start_write > i_rwsem > invalidate_lock > i_mmap_rwsem > folio lock
//                                invalidate_lock > handle > i_data_sem
//
// The zeros of a cut block must be on disk before the size that makes them matter: buffer_head
// inodes put the range on the transaction's ordered list; iomap inodes, which have no such list,
// write it out and wait, before the handle. (Later versions of the iomap series track that I/O
// instead of waiting for it; the order on disk is the same.)

#include <algorithm>

#include "model/ext4/ext4.h"
#include "sim/check.h"

namespace model {
namespace {

// What is on disk at the block of `pos`; kMapMapped only if there is written data.
uint32_t BlockState(Ext4Inode& inode, uint64_t pos) {
  Ext4MapBlocks map{static_cast<Lblk>(pos / inode.sbi.block_bytes()), 1};
  return ext4_map_blocks(nullptr, inode, map, 0) == Errno::kOk ? map.m_flags : 0;
}

// ext4_block_zero_range() on a buffer_head inode; `*written` if the block is one whose old contents
// a crash could show.
Errno ext4_block_zero_range(Ext4Inode& inode, uint64_t from, uint32_t len, bool* written) {
  SIM_FRAME("ext4_block_zero_range");
  AddressSpace& mapping = inode.i_mapping;
  const uint32_t state = BlockState(inode, from);
  *written = (state & kMapMapped) != 0;
  const FolioRef folio = *written ? mapping.filemap_grab_folio(from / mapping.folio_bytes())
                                  : mapping.filemap_lock_folio(from / mapping.folio_bytes());
  if (folio == nullptr) return Errno::kOk;  // a hole, or unwritten and not in the cache
  FolioGuard guard(folio->lock, sim::kAdoptLock);
  const auto offset = static_cast<uint32_t>(from - folio->pos());
  FolioBlock& block = folio->blocks.update()[offset / inode.sbi.block_bytes()];
  if (!block.mapped) {
    if (!*written) return Errno::kOk;
    Ext4MapBlocks map{static_cast<Lblk>(from / inode.sbi.block_bytes()), 1};
    const Errno error = ext4_map_blocks(nullptr, inode, map, 0);
    if (error != Errno::kOk || !(map.m_flags & kMapMapped)) return error;
    block.mapped = true;
    block.b_blocknr = map.m_pblk;
  }
  if (!block.uptodate) {
    const Errno error =
        ext4_read_block(inode, *folio, offset / inode.sbi.block_bytes(), block.b_blocknr);
    if (error != Errno::kOk) return error;
  }
  mapping.folio_zero_range(*folio, offset, offset + len);
  block.dirty = true;
  mapping.folio_mark_dirty(*folio);
  return Errno::kOk;
}

Errno ZeroEofOfIomapInode(Ext4Inode& inode, uint64_t from, uint32_t len) {
  bool did_zero = false;
  const Errno error = ext4_iomap_zero_range(inode, from, len, &did_zero);
  if (error != Errno::kOk || !did_zero || inode.sbi.policy.no_order_tail_zero) return error;
  return inode.i_mapping.file_write_and_wait_range(from, from + len - 1);
}

}  // namespace

Errno ext4_block_zero_eof(Ext4Inode& inode, uint64_t from, uint64_t end) {
  SIM_FRAME("ext4_block_zero_eof");
  const uint32_t bs = inode.sbi.block_bytes();
  if (from % bs == 0 || from >= end || inode.inline_data) return Errno::kOk;
  const auto len = static_cast<uint32_t>(std::min<uint64_t>(bs - from % bs, end - from));
  if (inode.buffered_iomap) return ZeroEofOfIomapInode(inode, from, len);
  bool written = false;
  const Errno error = ext4_block_zero_range(inode, from, len, &written);
  if (error != Errno::kOk || !written) return error;
  if (!ext4_should_order_data(inode) || inode.sbi.policy.no_order_tail_zero) return Errno::kOk;
  // ORDER: a handle of its own, with the folio unlocked.
  Ext4Handle handle(inode.sbi, 1);
  if (!handle.ok()) return handle.error();
  const Errno added = ext4_jbd2_inode_add_write(*handle, inode, from, len);
  return FirstError(added, handle.stop());
}

namespace {

// Within one block. Not ordered.
Errno ZeroPartOfBlock(Ext4Inode& inode, uint64_t from, uint64_t end) {
  if (from >= end) return Errno::kOk;
  bool any = false;
  const auto len = static_cast<uint32_t>(end - from);
  return inode.buffered_iomap ? ext4_iomap_zero_range(inode, from, len, &any)
                              : ext4_block_zero_range(inode, from, len, &any);
}

}  // namespace

Errno ext4_zero_partial_blocks(Ext4Inode& inode, uint64_t from, uint64_t end) {
  SIM_FRAME("ext4_zero_partial_blocks");
  const uint64_t bs = inode.sbi.block_bytes();
  const uint64_t first_whole = (from + bs - 1) / bs * bs;
  const uint64_t after_whole = end / bs * bs;
  if (first_whole > after_whole) return ZeroPartOfBlock(inode, from, end);
  const Errno error = ZeroPartOfBlock(inode, from, first_whole);
  return error == Errno::kOk ? ZeroPartOfBlock(inode, after_whole, end) : error;
}

void pagecache_isize_extended(Ext4Inode& inode, uint64_t from, uint64_t to) {
  SIM_FRAME("pagecache_isize_extended");
  const uint32_t bs = inode.sbi.block_bytes();
  const uint32_t folio_bytes = inode.i_mapping.folio_bytes();
  if (from >= to || bs >= folio_bytes) return;
  // Only if a block of the same folio comes into the file does its mapping have to fault again.
  const uint64_t rounded = (from + bs - 1) / bs * bs;
  if (to <= rounded || rounded % folio_bytes == 0) return;
  const FolioRef folio = inode.i_mapping.filemap_lock_folio(from / folio_bytes);
  if (folio != nullptr) folio->lock.unlock();  // folio_mkclean(): nobody has it mapped
}

Errno ext4_truncate(Ext4Inode& inode) {
  SIM_FRAME("ext4_truncate");
  Ext4SbInfo& sbi = inode.sbi;
  if (inode.inline_data) return Errno::kOk;
  const uint64_t size = inode.i_size.load();
  const uint32_t bs = sbi.block_bytes();
  const bool nested = journal_current_handle(sbi.s_journal) != nullptr;  // from eviction

  const bool zero_under_handle = inode.buffered_iomap && sbi.policy.folio_lock_under_handle;
  if (!zero_under_handle && !nested) {
    const Errno error = ext4_block_zero_eof(inode, size, UINT64_MAX);
    if (error != Errno::kOk) return error;
  }

  Ext4Handle handle(sbi, ext4_truncate_credits(inode));
  if (!handle.ok()) return handle.error();
  if (zero_under_handle && size % bs != 0) {
    bool did_zero = false;
    (void)ext4_iomap_zero_range(inode, size, bs - size % bs, &did_zero);
  }
  // ORDER: the inode is on the orphan list before the first block is freed.
  Errno error = Errno::kOk;
  if (!sbi.policy.orphan_after_first_free) error = ext4_orphan_add(*handle, inode);
  if (error == Errno::kOk) {
    sim::WriteGuard i_data_sem(inode.i_data_sem);
    const auto first = static_cast<Lblk>((size + bs - 1) / bs);
    ext4_es_remove_extent(inode, first, UINT32_MAX - first);
    error =
        ext4_ext_remove_space(*handle, inode, first, UINT32_MAX);  // drops i_data_sem to restart
  }
  if (sbi.policy.orphan_after_first_free) (void)ext4_orphan_add(*handle, inode);
  if (inode.i_nlink > 0) (void)ext4_orphan_del(*handle, inode);
  error = FirstError(error, ext4_mark_inode_dirty(*handle, inode));
  return FirstError(error, handle.stop());
}

namespace {

// Before folios beyond `new_size` vanish: a transaction that commits already may still have to see
// their data on disk.
Errno ext4_begin_ordered_truncate(Ext4Inode& inode, uint64_t new_size) {
  SIM_FRAME("ext4_begin_ordered_truncate");
  if (!jbd2_journal_begin_ordered_truncate(inode.sbi.s_journal, inode.jinode)) return Errno::kOk;
  return inode.i_mapping.filemap_fdatawrite_range(new_size, UINT64_MAX, SyncMode::kAll);
}

// The new size, in memory and in the journal; when shrinking, together with the orphan record.
Errno JournalNewSize(Ext4Inode& inode, uint64_t size) {
  Ext4SbInfo& sbi = inode.sbi;
  const bool shrinks = size < inode.i_size.load();
  Ext4Handle handle(sbi, 3);
  if (!handle.ok()) return handle.error();
  // ORDER: orphan record and new size in one transaction, before any block is freed.
  Errno error = Errno::kOk;
  if (shrinks && !sbi.policy.orphan_after_first_free) error = ext4_orphan_add(*handle, inode);
  if (error == Errno::kOk) {
    sim::WriteGuard i_data_sem(inode.i_data_sem);
    inode.i_disksize.store(size);
    error = ext4_mark_inode_dirty(*handle, inode);
    if (error == Errno::kOk) {
      inode.i_size.store(size);
      sbi.history.Truncated(inode.key(), size, handle.tid());
    }
  }
  return FirstError(error, handle.stop());
}

}  // namespace

Errno Ext4SbInfo::setattr_size(Inode& vfs_inode, uint64_t size) {
  SIM_FRAME("ext4_setattr");
  Ext4Inode& inode = EXT4_I(vfs_inode);
  const Errno emergency = ext4_emergency_state();
  if (emergency != Errno::kOk) return emergency;
  SIM_CHECK(inode.i_rwsem.held_exclusive());
  const uint64_t old_size = inode.i_size.load();
  Errno error = Errno::kOk;
  if (size < old_size && ext4_should_order_data(inode)) {
    error = ext4_begin_ordered_truncate(inode, size);
  } else if (size > old_size) {
    error = ext4_block_zero_eof(inode, old_size, size);
  }
  if (error != Errno::kOk) return error;

  inode_dio_wait(inode);  // blocks may go that it writes to
  sim::WriteGuard invalidate_lock(inode.i_mapping.invalidate_lock);
  if (size != old_size) {
    error = JournalNewSize(inode, size);
    if (error != Errno::kOk) return error;
    if (size > old_size) pagecache_isize_extended(inode, old_size, size);
  }
  inode.i_mapping.truncate_pagecache(size);
  return size <= old_size ? ext4_truncate(inode) : Errno::kOk;
}

}  // namespace model
