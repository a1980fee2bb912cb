// A store through a shared mapping, and the write fault that it takes
// [mm/memory.c; fs/ext4/inode.c, ext4_page_mkwrite()].
//
//   mmap_lock > sb_start_pagefault > invalidate_lock(r) > handle > folio lock     buffer_head
//                                    invalidate_lock(r) > folio lock > handle     iomap
//
// Every store faults: what a later store into a page that is still writable would skip is the
// taking of locks, not a change of state. The store itself happens under the folio lock, as if the
// page were cleaned right after it.

#include <algorithm>

#include "model/ext4/ext4.h"
#include "model/vfs/syscalls.h"

namespace model {
namespace {

Errno MapForStore(Ext4Inode& inode, Folio& folio, Handle* handle) {
  const uint32_t bs = inode.sbi.block_bytes();
  const uint64_t i_size = inode.i_size.load();
  for (uint32_t b = 0; b < folio.block_count(); ++b) {
    const uint64_t pos = folio.pos() + uint64_t{b} * bs;
    if (pos >= i_size) break;
    FolioBlock& block = folio.blocks.update()[b];
    if (!block.mapped) {
      Ext4MapBlocks map{static_cast<Lblk>(pos / bs), 1};
      uint32_t flags = kGetBlocksCreate;
      if (ext4_should_dioread_nolock(inode)) flags |= kGetBlocksUnwritExt;
      const Errno error = handle != nullptr ? ext4_map_blocks(handle, inode, map, flags)
                                            : ext4_da_map_blocks(inode, map);
      if (error != Errno::kOk) return error;
      block.mapped = true;
      block.delay = (map.m_flags & kMapDelayed) != 0;
      block.unwritten = (map.m_flags & kMapUnwritten) != 0;
      block.b_blocknr = map.m_pblk;
    }
    block.dirty = true;
  }
  inode.i_mapping.folio_mark_dirty(folio);
  return Errno::kOk;
}

// Returns with the folio locked, dirty and mapped.
Errno ext4_page_mkwrite(Ext4Inode& inode, const FolioRef& folio, bool delalloc) {
  SIM_FRAME("ext4_page_mkwrite");
  std::unique_ptr<Ext4Handle> handle;
  if (!inode.buffered_iomap && !delalloc) {
    // ORDER: the handle before the folio lock.
    handle = std::make_unique<Ext4Handle>(
        inode.sbi, ext4_chunk_trans_blocks(inode, static_cast<uint32_t>(folio->block_count())));
    if (!handle->ok()) return handle->error();
  }
  folio->lock.lock();
  Errno error = Errno::kOk;
  if (folio->mapping != &inode.i_mapping || folio->pos() >= inode.i_size.load() ||
      !folio->uptodate()) {
    error = Errno::kFault;  // truncated or reclaimed: SIGBUS, or the fault is tried again
  } else if (inode.buffered_iomap) {
    error = ext4_iomap_page_mkwrite(inode, *folio, delalloc);
  } else {
    error = MapForStore(inode, *folio, handle != nullptr ? handle->get() : nullptr);
  }
  if (error != Errno::kOk) folio->lock.unlock();
  if (handle != nullptr) error = FirstError(error, handle->stop());
  return error;
}

}  // namespace

IoResult Ext4SbInfo::mmap_store(Inode& vfs_inode, UserMemory& memory, uint64_t pos, uint64_t len) {
  SIM_FRAME("do_shared_fault");
  Ext4Inode& inode = EXT4_I(vfs_inode);
  const uint32_t folio_bytes = inode.i_mapping.folio_bytes();
  uint64_t done = 0;
  while (done < len) {
    const uint64_t at = pos + done;
    if (at >= inode.i_size.load_racy()) break;  // SIGBUS
    sim::ReadGuard mmap_lock(memory.mmap_lock);
    Errno error = filemap_read_folio(inode, at / folio_bytes);
    if (error != Errno::kOk) return {done, done > 0 ? Errno::kOk : error};
    sim::ReadGuard sb_start_pagefault(s_pagefault_writers.rwsem());
    // ORDER: decided before the folio lock: it may start writeback of this very folio.
    const bool delalloc = options.delalloc && !ext4_nonda_switch(*this);
    sim::ReadGuard invalidate_lock(inode.i_mapping.invalidate_lock);
    const FolioRef folio = inode.i_mapping.filemap_get_folio(at / folio_bytes);
    if (folio == nullptr) continue;
    error = ext4_page_mkwrite(inode, folio, delalloc);
    if (error == Errno::kFault) continue;
    if (error != Errno::kOk) return {done, done > 0 ? Errno::kOk : error};
    FolioGuard guard(folio->lock, sim::kAdoptLock);
    folio->mapped = true;
    const uint64_t stop = std::min({pos + len, folio->end(), inode.i_size.load()});
    if (stop > at) {
      IovIter from;
      from.start = at;
      copy_folio_from_iter_atomic(*folio, static_cast<uint32_t>(at - folio->pos()),
                                  static_cast<uint32_t>(stop - at), from);
      history.Stored(from.write, at, stop - at);
      done += stop - at;
    }
  }
  return {done, done > 0 || len == 0 ? Errno::kOk : Errno::kFault};
}

}  // namespace model
