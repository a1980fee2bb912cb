// write(2), zeroing and faults [fs/iomap/buffered-io.c].

#include <algorithm>
#include <utility>

#include "model/iomap/iomap.h"
#include "model/vfs/syscalls.h"

namespace model {
namespace {

uint64_t RoundUp(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }
uint64_t RoundDown(uint64_t value, uint64_t unit) { return value / unit * unit; }

// Would reading the block from disk give anything but zeros?
bool iomap_block_needs_zeroing(const Inode& inode, const Iomap& iomap, uint64_t pos) {
  return iomap.type != IomapType::kMapped || iomap.is_new || pos >= inode.i_size.load();
}

// Fills what the write to [from, to) of the folio leaves out of the blocks that it touches.
Errno __iomap_write_begin(Inode& inode, Folio& folio, uint32_t from, uint32_t to,
                          const Iomap& iomap, IomapOps& ops) {
  SIM_FRAME("__iomap_write_begin");
  const uint32_t bs = inode.i_mapping.block_bytes();
  for (uint32_t b = from / bs; b * bs < to; ++b) {
    FolioBlock& block = folio.blocks.update()[b];
    const uint32_t start = b * bs, end = start + bs;
    const bool covered = from <= start && end <= to;
    if (block.uptodate || covered) continue;
    if (iomap_block_needs_zeroing(inode, iomap, folio.pos() + start)) {
      if (start < from) inode.i_mapping.folio_zero_range(folio, start, from);
      if (to < end) inode.i_mapping.folio_zero_range(folio, to, end);
    } else {
      const Errno error = ops.read_block(inode, folio, b, iomap);
      if (error != Errno::kOk) return error;
    }
    block.uptodate = true;
  }
  return Errno::kOk;
}

// How much of the copy counts: all, or none if it left a block neither old nor new.
uint32_t __iomap_write_end(Inode& inode, Folio& folio, uint32_t offset, uint32_t len,
                           uint32_t copied) {
  SIM_FRAME("__iomap_write_end");
  if (copied < len && !folio.uptodate()) return 0;
  const uint32_t bs = inode.i_mapping.block_bytes();
  for (uint32_t b = offset / bs; b * bs < offset + len; ++b)
    folio.blocks.update()[b].uptodate = true;
  for (uint32_t b = offset / bs; b * bs < offset + copied; ++b)
    folio.blocks.update()[b].dirty = true;
  if (copied > 0) inode.i_mapping.folio_mark_dirty(folio);
  return copied;
}

void iomap_write_failed(Inode& inode, uint64_t pos, uint64_t len) {
  const uint64_t i_size = inode.i_size.load();
  if (pos + len > i_size) inode.i_mapping.truncate_pagecache(std::max(pos, i_size));
}

struct ChunkResult {
  uint32_t written = 0;
  uint32_t copied = 0;  // more than `written` if the copy was refused
  Errno error = Errno::kOk;
};

// One folio's part: [pos, pos + bytes) within one folio and one mapping.
ChunkResult WriteChunk(Inode& inode, uint64_t pos, uint32_t bytes, IovIter& from, Iomap& iomap,
                       IomapOps& ops) {
  const uint32_t folio_bytes = inode.i_mapping.folio_bytes();
  const auto offset = static_cast<uint32_t>(pos % folio_bytes);
  const FolioRef folio = inode.i_mapping.filemap_grab_folio(pos / folio_bytes);
  // ORDER: checked under the folio lock; writeback and truncate change mappings under it too.
  if (!ops.iomap_valid(inode, iomap)) {
    iomap.stale = true;
    folio->lock.unlock();
    return {};
  }
  const Errno error = __iomap_write_begin(inode, *folio, offset, offset + bytes, iomap, ops);
  if (error != Errno::kOk) {
    folio->lock.unlock();
    iomap_write_failed(inode, pos, bytes);
    return {0, 0, error};
  }
  const uint32_t copied = copy_folio_from_iter_atomic(*folio, offset, bytes, from);
  const uint32_t written = __iomap_write_end(inode, *folio, offset, bytes, copied);
  // ORDER: i_size changes under the folio lock; i_disksize when the data is on disk.
  const uint64_t old_size = inode.i_size.load();
  if (written > 0 && pos + written > old_size) inode.i_size.store(pos + written);
  if (written > 0) inode.i_sb.history.Copied(from.write, pos, written);
  folio->lock.unlock();
  if (written > 0 && old_size < pos) ops.isize_extended(inode, old_size, pos);
  if (written == 0) iomap_write_failed(inode, pos, bytes);
  return {written, copied, Errno::kOk};
}

// As much of the mapping as goes: bytes written, and an error if it ended with one.
IoResult iomap_write_iter(Kiocb& iocb, IovIter& from, Iomap& iomap, IomapOps& ops) {
  SIM_FRAME("iomap_write_iter");
  Inode& inode = *iocb.inode;
  const uint32_t folio_bytes = inode.i_mapping.folio_bytes();
  uint64_t total = 0;
  uint32_t retry_bytes = 0;
  while (from.count > 0 && iocb.ki_pos < iomap.end()) {
    uint64_t bytes =
        std::min({folio_bytes - iocb.ki_pos % folio_bytes, from.count, iomap.end() - iocb.ki_pos});
    if (retry_bytes != 0) bytes = std::min<uint64_t>(bytes, retry_bytes);
    inode.i_sb.s_bdi.balance_dirty_pages_ratelimited();
    if (fault_in_iov_iter_readable(from, bytes) == bytes) return {total, Errno::kFault};
    const ChunkResult chunk =
        WriteChunk(inode, iocb.ki_pos, static_cast<uint32_t>(bytes), from, iomap, ops);
    if (chunk.error != Errno::kOk || iomap.stale) return {total, chunk.error};
    retry_bytes = chunk.written == 0 ? chunk.copied : 0;
    iocb.ki_pos += chunk.written;
    from.start += chunk.written;
    from.count -= chunk.written;
    total += chunk.written;
  }
  return {total, Errno::kOk};
}

}  // namespace

IoResult iomap_file_buffered_write(Kiocb& iocb, IovIter& from, IomapOps& ops) {
  SIM_FRAME("iomap_file_buffered_write");
  Inode& inode = *iocb.inode;
  const IomapFlags flags{.write = true};
  uint64_t total = 0;
  while (from.count > 0) {
    const uint64_t pos = iocb.ki_pos, length = from.count;
    Iomap iomap;
    Errno error = ops.iomap_begin(inode, pos, length, flags, iomap);
    if (error != Errno::kOk) return total > 0 ? IoResult{total} : IoResult{0, error};
    const IoResult done = iomap_write_iter(iocb, from, iomap, ops);
    total += done.bytes;
    const uint64_t mapped = std::min(length, iomap.end() - pos);
    error = FirstError(done.error, ops.iomap_end(inode, pos, mapped, done.bytes, flags, iomap));
    if (error != Errno::kOk) return total > 0 ? IoResult{total} : IoResult{0, error};
  }
  return {total};
}

namespace {

// From `pos`, which moves on, to `end`, as far as the mapping goes and as long as it is valid.
Errno iomap_zero_iter(Inode& inode, const Iomap& iomap, uint64_t& pos, uint64_t end, bool* did_zero,
                      IomapOps& ops) {
  SIM_FRAME("iomap_zero_iter");
  const uint32_t folio_bytes = inode.i_mapping.folio_bytes();
  end = std::min(end, iomap.end());
  while (pos < end) {
    const FolioRef folio = inode.i_mapping.filemap_grab_folio(pos / folio_bytes);
    FolioGuard guard(folio->lock, sim::kAdoptLock);
    if (!ops.iomap_valid(inode, iomap)) return Errno::kOk;
    const uint64_t stop = std::min(end, folio->end());
    const auto from = static_cast<uint32_t>(pos - folio->pos());
    const auto to = static_cast<uint32_t>(stop - folio->pos());
    const Errno filled = __iomap_write_begin(inode, *folio, from, to, iomap, ops);
    if (filled != Errno::kOk) return filled;
    inode.i_mapping.folio_zero_range(*folio, from, to);
    __iomap_write_end(inode, *folio, from, to - from, to - from);
    *did_zero = true;
    pos = stop;
  }
  return Errno::kOk;
}

}  // namespace

Errno iomap_zero_range(Inode& inode, uint64_t pos, uint64_t len, bool* did_zero, IomapOps& ops) {
  SIM_FRAME("iomap_zero_range");
  AddressSpace& mapping = inode.i_mapping;
  const uint64_t end = pos + len;
  // The rest of a block, if dirty: whatever lies below, zeroing saves the flush.
  const uint64_t block_end = std::min(end, RoundUp(pos, mapping.block_bytes()));
  if (pos < block_end && mapping.filemap_range_needs_writeback(pos, block_end - 1)) {
    while (pos < block_end) {
      Iomap iomap;
      Errno error = ops.iomap_begin(inode, pos, block_end - pos, IomapFlags{}, iomap);
      if (error == Errno::kOk) error = iomap_zero_iter(inode, iomap, pos, block_end, did_zero, ops);
      if (error != Errno::kOk) return error;
    }
  }
  // What reads as zeros on disk may not do so any more once the page cache has been written.
  bool dirty = pos < end && mapping.filemap_range_needs_writeback(pos, end - 1);
  while (pos < end) {
    Iomap iomap;
    Errno error = ops.iomap_begin(inode, pos, end - pos, IomapFlags{}, iomap);
    if (error != Errno::kOk) return error;
    const bool reads_zero = iomap.type == IomapType::kHole || iomap.type == IomapType::kUnwritten;
    if (!reads_zero) {
      error = iomap_zero_iter(inode, iomap, pos, end, did_zero, ops);
    } else if (std::exchange(dirty, false)) {
      error = mapping.filemap_write_and_wait_range(pos, end - 1);  // and look again
    } else {
      pos = std::min(end, iomap.end());
    }
    if (error != Errno::kOk) return error;
  }
  return Errno::kOk;
}

Errno iomap_page_mkwrite(Inode& inode, Folio& folio, IomapOps& ops) {
  SIM_FRAME("iomap_page_mkwrite");
  const IomapFlags flags{.write = true, .fault = true};
  const uint32_t bs = inode.i_mapping.block_bytes();
  const uint64_t end = std::min(folio.end(), RoundUp(inode.i_size.load(), bs));
  for (uint64_t pos = folio.pos(); pos < end;) {
    Iomap iomap;
    const Errno error = ops.iomap_begin(inode, pos, end - pos, flags, iomap);
    if (error != Errno::kOk) return error;
    const uint64_t stop = std::min(end, iomap.end());
    for (uint64_t at = pos; at < stop; at += bs) {
      folio.blocks.update()[(at - folio.pos()) / bs].dirty = true;
    }
    inode.i_mapping.folio_mark_dirty(folio);
    (void)ops.iomap_end(inode, pos, stop - pos, stop - pos, flags, iomap);
    pos = stop;
  }
  return Errno::kOk;
}

uint64_t iomap_last_written_block(uint64_t pos, uint64_t written, uint32_t block_bytes) {
  return written == 0 ? RoundDown(pos, block_bytes) : RoundUp(pos + written, block_bytes);
}

void iomap_write_delalloc_release(Inode& inode, uint64_t start, uint64_t end, bool ignore_dirty,
                                  const std::function<void(uint64_t, uint64_t)>& punch) {
  SIM_FRAME("iomap_write_delalloc_release");
  AddressSpace& mapping = inode.i_mapping;
  const uint32_t bs = mapping.block_bytes();
  const uint64_t scan_end = std::min(inode.i_size.load(), end);  // beyond it nothing is dirty
  uint64_t punch_start = start;
  for (uint64_t pos = start; pos < scan_end && !ignore_dirty;) {
    const uint64_t index = pos / mapping.folio_bytes();
    const FolioRef next = mapping.NextFolio(index, (scan_end - 1) / mapping.folio_bytes());
    if (next == nullptr) break;
    const FolioRef folio = mapping.filemap_lock_folio(next->index);
    pos = next->end();
    if (folio == nullptr) continue;
    FolioGuard guard(folio->lock, sim::kAdoptLock);
    if (!folio->dirty) continue;
    for (uint32_t b = 0; b < folio->block_count(); ++b) {
      const uint64_t block = folio->pos() + uint64_t{b} * bs;
      if (block < start || block >= scan_end || !folio->blocks.load()[b].dirty) continue;
      if (punch_start < block) punch(punch_start, block - punch_start);
      punch_start = block + bs;
    }
  }
  if (punch_start < end) punch(punch_start, end - punch_start);
}

}  // namespace model
