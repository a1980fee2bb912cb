// write(2) on buffer_head inodes [fs/ext4/inode.c, mm/filemap.c, fs/buffer.c].
//
//   sb_start_write > i_rwsem > handle > folio lock > i_data_sem
//
// Delayed allocation takes no handle here; which of the two it is, is decided chunk by chunk.

#include <algorithm>

#include "model/ext4/ext4.h"
#include "model/vfs/syscalls.h"
#include "sim/check.h"

namespace model {
namespace {

// How write_begin prepared a chunk, for write_end [fsdata].
enum class WriteMode : uint8_t { kDelalloc, kNondelalloc };

struct WriteChunk {
  FolioRef folio;  // locked between begin and end
  WriteMode mode = WriteMode::kDelalloc;
  std::unique_ptr<Ext4Handle> handle;  // nondelalloc: spans begin to end
};

using GetBlock = Errno (*)(Handle* handle, Ext4Inode& inode, Lblk lblk, FolioBlock& block);

Lblk FirstBlock(const Folio& folio, uint32_t block_bytes) {
  return static_cast<Lblk>(folio.pos() / block_bytes);
}

Errno ext4_da_get_block_prep(Handle*, Ext4Inode& inode, Lblk lblk, FolioBlock& block) {
  SIM_FRAME("ext4_da_get_block_prep");
  Ext4MapBlocks map{lblk, 1};
  const Errno error = ext4_da_map_blocks(inode, map);
  if (error != Errno::kOk) return error;
  block.mapped = true;
  block.delay = (map.m_flags & kMapDelayed) != 0;
  block.unwritten = (map.m_flags & kMapUnwritten) != 0;
  block.is_new = block.delay || block.unwritten;  // the rest of the block reads zeros
  block.b_blocknr = map.m_pblk;
  return Errno::kOk;
}

Errno GetBlockWithFlags(Handle* handle, Ext4Inode& inode, Lblk lblk, FolioBlock& block,
                        uint32_t flags) {
  Ext4MapBlocks map{lblk, 1};
  const Errno error = ext4_map_blocks(handle, inode, map, flags);
  if (error != Errno::kOk) return error;
  block.mapped = true;
  block.delay = false;
  block.unwritten = (map.m_flags & kMapUnwritten) != 0;
  block.is_new = (map.m_flags & (kMapNew | kMapUnwritten)) != 0;
  block.b_blocknr = map.m_pblk;
  return Errno::kOk;
}

Errno ext4_get_block(Handle* handle, Ext4Inode& inode, Lblk lblk, FolioBlock& block) {
  SIM_FRAME("ext4_get_block");
  return GetBlockWithFlags(handle, inode, lblk, block, kGetBlocksCreate);
}

Errno ext4_get_block_unwritten(Handle* handle, Ext4Inode& inode, Lblk lblk, FolioBlock& block) {
  SIM_FRAME("ext4_get_block_unwritten");
  return GetBlockWithFlags(handle, inode, lblk, block, kGetBlocksCreate | kGetBlocksUnwritExt);
}

// Maps and fills what the write to [from, to) of the folio will not cover.
Errno ext4_block_write_begin(Handle* handle, Ext4Inode& inode, Folio& folio, uint32_t from,
                             uint32_t to, GetBlock get_block) {
  SIM_FRAME("ext4_block_write_begin");
  const uint32_t bs = inode.sbi.block_bytes();
  AddressSpace& mapping = inode.i_mapping;
  const bool folio_uptodate = folio.uptodate();
  for (uint32_t b = from / bs; b * bs < to; ++b) {
    FolioBlock& block = folio.blocks.update()[b];
    const uint32_t start = b * bs, end = start + bs;
    block.is_new = false;
    if (!block.mapped) {
      const Errno error = get_block(handle, inode, FirstBlock(folio, bs) + b, block);
      if (error != Errno::kOk) return error;
      if (block.is_new) {
        if (!folio_uptodate && start < from) mapping.folio_zero_range(folio, start, from);
        if (!folio_uptodate && to < end) mapping.folio_zero_range(folio, to, end);
        continue;
      }
    }
    const bool covered = from <= start && end <= to;
    if (block.uptodate || block.delay || block.unwritten || covered) continue;
    const Errno error = ext4_read_block(inode, folio, b, block.b_blocknr);
    if (error != Errno::kOk) return error;
  }
  return Errno::kOk;
}

// Zeroes what was newly mapped and the copy did not reach.
void folio_zero_new_buffers(Ext4Inode& inode, Folio& folio, uint32_t from, uint32_t to) {
  const uint32_t bs = inode.sbi.block_bytes();
  for (uint32_t b = from / bs; b * bs < to; ++b) {
    FolioBlock& block = folio.blocks.update()[b];
    if (!block.is_new) continue;
    const uint32_t start = std::max(from, b * bs), end = std::min(to, (b + 1) * bs);
    inode.i_mapping.folio_zero_range(folio, start, end);
    block.is_new = false;
    block.uptodate = true;
    block.dirty = true;
    inode.i_mapping.folio_mark_dirty(folio);
  }
}

// block_write_end(): returns how much of the copy counts.
uint32_t block_write_end(Ext4Inode& inode, Folio& folio, uint32_t offset, uint32_t len,
                         uint32_t copied) {
  SIM_FRAME("block_write_end");
  const uint32_t bs = inode.sbi.block_bytes();
  if (copied < len) {
    if (!folio.uptodate()) copied = 0;  // part of a block would be neither old nor new
    folio_zero_new_buffers(inode, folio, offset + copied, offset + len);
  }
  if (copied == 0) return 0;
  for (uint32_t b = offset / bs; b * bs < offset + copied; ++b) {
    folio.blocks.update()[b].is_new = false;
    folio.blocks.update()[b].uptodate = true;
    folio.blocks.update()[b].dirty = true;
  }
  inode.i_mapping.folio_mark_dirty(folio);
  return copied;
}

Errno ext4_write_begin(Ext4Inode& inode, uint64_t pos, uint32_t len, WriteChunk& chunk) {
  SIM_FRAME("ext4_write_begin");
  Ext4SbInfo& sbi = inode.sbi;
  AddressSpace& mapping = inode.i_mapping;
  const uint64_t index = pos / mapping.folio_bytes();
  const auto from = static_cast<uint32_t>(pos % mapping.folio_bytes());
  const auto blocks_per_folio = mapping.folio_bytes() / sbi.block_bytes();
  const GetBlock get_block =
      ext4_should_dioread_nolock(inode) ? ext4_get_block_unwritten : ext4_get_block;
  chunk.mode = WriteMode::kNondelalloc;
  for (int retries = 0;;) {
    // ORDER: the folio may take memory and writeback to get; that must not happen under the handle.
    FolioRef folio = mapping.filemap_grab_folio(index);
    folio->lock.unlock();
    // One credit more for the orphan list, should the write fail.
    chunk.handle =
        std::make_unique<Ext4Handle>(sbi, ext4_chunk_trans_blocks(inode, blocks_per_folio) + 1);
    if (!chunk.handle->ok()) return chunk.handle->error();
    folio->lock.lock();
    if (folio->mapping != &mapping) {  // truncated meanwhile
      folio->lock.unlock();
      (void)chunk.handle->stop();
      continue;
    }
    Errno error =
        ext4_block_write_begin(chunk.handle->get(), inode, *folio, from, from + len, get_block);
    if (error == Errno::kOk) {
      chunk.folio = std::move(folio);
      return Errno::kOk;
    }
    const bool extended = pos + len > inode.i_size.load();
    folio_zero_new_buffers(inode, *folio, from, from + len);
    folio->lock.unlock();
    // Blocks beyond i_size may be there now: a crash must find the inode on the orphan list.
    if (extended) (void)ext4_orphan_add(**chunk.handle, inode);
    (void)chunk.handle->stop();
    if (extended) {
      ext4_truncate_failed_write(inode);
      DropOrphanAfterFailure(inode);
    }
    if (error != Errno::kNoSpc || !ext4_should_retry_alloc(sbi, &retries)) return error;
  }
}

Errno ext4_da_write_begin(Ext4Inode& inode, uint64_t pos, uint32_t len, WriteChunk& chunk) {
  SIM_FRAME("ext4_da_write_begin");
  Ext4SbInfo& sbi = inode.sbi;
  const Errno emergency = sbi.ext4_emergency_state();
  if (emergency != Errno::kOk) return emergency;
  if (!sbi.options.delalloc || ext4_nonda_switch(sbi)) {
    return ext4_write_begin(inode, pos, len, chunk);
  }
  chunk.mode = WriteMode::kDelalloc;
  AddressSpace& mapping = inode.i_mapping;
  const auto from = static_cast<uint32_t>(pos % mapping.folio_bytes());
  for (int retries = 0;;) {
    FolioRef folio = mapping.filemap_grab_folio(pos / mapping.folio_bytes());
    const Errno error =
        ext4_block_write_begin(nullptr, inode, *folio, from, from + len, ext4_da_get_block_prep);
    if (error == Errno::kOk) {
      chunk.folio = std::move(folio);
      return Errno::kOk;
    }
    folio->lock.unlock();
    if (pos + len > inode.i_size.load()) ext4_truncate_failed_write(inode);
    if (error != Errno::kNoSpc || !ext4_should_retry_alloc(sbi, &retries)) return error;
  }
}

// Tells the history, once the bytes are visible to readers.
void Copied(Ext4Inode& inode, const IovIter& from, uint64_t pos, uint32_t copied) {
  if (copied > 0) inode.sbi.history.Copied(from.write, pos, copied);
}

uint32_t ext4_write_end(Ext4Inode& inode, const IovIter& from, uint64_t pos, uint32_t len,
                        uint32_t copied, WriteChunk& chunk) {
  SIM_FRAME("ext4_write_end");
  Folio& folio = *chunk.folio;
  const uint64_t old_size = inode.i_size.load();
  copied = block_write_end(inode, folio, static_cast<uint32_t>(pos - folio.pos()), len, copied);
  // ORDER: i_size changes under the folio lock, or writeback could zero what was just copied.
  bool i_size_changed = false;
  if (pos + copied > old_size && copied > 0) {
    inode.i_size.store(pos + copied);
    ext4_update_i_disksize(inode, pos + copied);
    i_size_changed = true;
  }
  Copied(inode, from, pos, copied);
  folio.lock.unlock();
  chunk.folio = nullptr;
  if (pos > old_size) pagecache_isize_extended(inode, old_size, pos);
  // ORDER: not under the folio lock, which nests inside handles of other tasks.
  if (i_size_changed) (void)ext4_mark_inode_dirty(**chunk.handle, inode);
  // A short copy leaves blocks beyond i_size: as after a failed write_begin.
  const bool beyond = pos + len > inode.i_size.load();
  if (beyond) (void)ext4_orphan_add(**chunk.handle, inode);
  (void)chunk.handle->stop();
  chunk.handle = nullptr;
  if (beyond) {
    ext4_truncate_failed_write(inode);
    DropOrphanAfterFailure(inode);
  }
  return copied;
}

// A write that ends inside a block that is allocated and written already makes its size good at
// once; otherwise the allocation will.
bool ext4_da_should_update_i_disksize(const Ext4Inode& inode, const Folio& folio,
                                      uint32_t last_byte) {
  const FolioBlock& block = folio.blocks.load()[last_byte / inode.sbi.geometry.block_bytes];
  return block.mapped && !block.delay && !block.unwritten;
}

uint32_t ext4_da_write_end(Ext4Inode& inode, const IovIter& from, uint64_t pos, uint32_t len,
                           uint32_t copied, WriteChunk& chunk) {
  SIM_FRAME("ext4_da_write_end");
  Folio& folio = *chunk.folio;
  const uint64_t old_size = inode.i_size.load();
  const auto offset = static_cast<uint32_t>(pos - folio.pos());
  copied = block_write_end(inode, folio, offset, len, copied);
  // ORDER: i_size changes under the folio lock, or writeback could zero what was just copied.
  bool disksize_changed = false;
  if (pos + copied > old_size && copied > 0) {
    inode.i_size.store(pos + copied);
    if (ext4_da_should_update_i_disksize(inode, folio, offset + copied - 1)) {
      disksize_changed = ext4_update_i_disksize(inode, pos + copied);
    }
  }
  Copied(inode, from, pos, copied);
  folio.lock.unlock();
  chunk.folio = nullptr;
  if (pos > old_size) pagecache_isize_extended(inode, old_size, pos);
  if (!disksize_changed) return copied;
  Ext4Handle handle(inode.sbi, 1);
  if (handle.ok()) (void)ext4_mark_inode_dirty(*handle, inode);
  (void)handle.stop();
  return copied;
}

}  // namespace

void ext4_truncate_failed_write(Ext4Inode& inode) {
  SIM_FRAME("ext4_truncate_failed_write");
  sim::WriteGuard invalidate_lock(inode.i_mapping.invalidate_lock);
  inode.i_mapping.truncate_pagecache(inode.i_size.load());
  (void)ext4_truncate(inode);
}

void DropOrphanAfterFailure(Ext4Inode& inode) {
  if (inode.i_nlink == 0 || !inode.on_orphan_list) return;
  Ext4Handle handle(inode.sbi, 3);
  if (!handle.ok()) return;
  (void)ext4_orphan_del(*handle, inode);
  (void)handle.stop();
}

IoResult generic_perform_write(Kiocb& iocb, IovIter& from) {
  SIM_FRAME("generic_perform_write");
  Ext4Inode& inode = EXT4_I(*iocb.inode);
  const uint32_t folio_bytes = inode.i_mapping.folio_bytes();
  uint64_t written = 0;
  Errno error = Errno::kOk;
  while (from.count > 0) {
    const uint64_t pos = iocb.ki_pos;
    auto bytes =
        static_cast<uint32_t>(std::min<uint64_t>(folio_bytes - pos % folio_bytes, from.count));
    uint32_t done = 0;
    while (done == 0) {  // a short copy that was refused is tried again with what was copied
      inode.sbi.s_bdi.balance_dirty_pages_ratelimited();
      if (fault_in_iov_iter_readable(from, bytes) == bytes) error = Errno::kFault;
      if (error != Errno::kOk) break;
      WriteChunk chunk;
      error = ext4_da_write_begin(inode, pos, bytes, chunk);
      if (error != Errno::kOk) break;
      const uint32_t copied = copy_folio_from_iter_atomic(
          *chunk.folio, static_cast<uint32_t>(pos - chunk.folio->pos()), bytes, from);
      done = chunk.mode == WriteMode::kDelalloc
                 ? ext4_da_write_end(inode, from, pos, bytes, copied, chunk)
                 : ext4_write_end(inode, from, pos, bytes, copied, chunk);
      SIM_CHECK(done > 0 || copied < bytes);
      bytes = copied;
    }
    if (error != Errno::kOk) break;
    iocb.ki_pos += done;
    from.start += done;
    from.count -= done;
    written += done;
  }
  return written > 0 ? IoResult{written} : IoResult{0, error};
}

Errno ext4_read_block(Ext4Inode& inode, Folio& folio, uint32_t block, Pblk pblk) {
  SIM_FRAME("ext4_read_bh_lock");
  Ext4SbInfo& sbi = inode.sbi;
  const uint32_t sectors = sbi.geometry.sectors_per_block();
  sim::Completion read(sbi.world, sbi.data_read_class, {"folio", inode.i_ino, folio.index});
  Errno error = Errno::kOk;
  auto bio = std::make_unique<sim::Bio>();
  bio->op = sim::Bio::Op::kRead;
  bio->sector = sbi.geometry.first_sector(pblk);
  bio->contents.resize(sectors);
  bio->what = "file data";
  bio->end_io = [&](sim::Bio& done, sim::BioStatus status) {
    if (status != sim::BioStatus::kOk) {
      error = Errno::kIo;
    } else {
      std::copy(done.contents.begin(), done.contents.end(),
                folio.granules.begin() + block * sectors);
    }
    read.complete();
  };
  sbi.device.submit_bio(std::move(bio));
  read.wait_for_completion();
  if (error == Errno::kOk) folio.blocks.update()[block].uptodate = true;
  return error;
}

}  // namespace model
