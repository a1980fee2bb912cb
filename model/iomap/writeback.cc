// Writeback of dirty folios [fs/iomap/buffered-io.c, iomap_writepages()].

#include <algorithm>

#include "model/iomap/iomap.h"
#include "sim/check.h"

namespace model {
namespace {

// iomap_writepage_ctx
struct WritepageContext {
  Inode& inode;
  WritebackControl& wbc;
  IomapWritebackOps& ops;
  std::unique_ptr<IomapIoend> ioend;
};

void SubmitPending(WritepageContext& wpc) {
  if (wpc.ioend != nullptr) wpc.ops.submit_ioend(std::exchange(wpc.ioend, nullptr));
}

bool iomap_can_add_to_ioend(const WritepageContext& wpc, const Iomap& iomap, uint64_t pos,
                            Pblk pblk) {
  if (wpc.ioend == nullptr) return false;
  const IomapIoend& ioend = *wpc.ioend;
  return ioend.unwritten == (iomap.type == IomapType::kUnwritten) && ioend.end() == pos &&
         ioend.io_addr + ioend.io_size / wpc.inode.i_mapping.block_bytes() == pblk;
}

// `end_pos` is the end of file as it was when the folio's tail was zeroed.
void iomap_add_to_ioend(WritepageContext& wpc, const FolioRef& folio, uint32_t block,
                        const Iomap& iomap, uint64_t end_pos) {
  const uint32_t bs = wpc.inode.i_mapping.block_bytes();
  const uint64_t pos = folio->pos() + uint64_t{block} * bs;
  const Pblk pblk = iomap.addr + static_cast<Pblk>((pos - iomap.offset) / bs);
  if (!iomap_can_add_to_ioend(wpc, iomap, pos, pblk)) {
    SubmitPending(wpc);
    wpc.ioend = std::make_unique<IomapIoend>();
    wpc.ioend->io_inode = &wpc.inode;
    wpc.ioend->unwritten = iomap.type == IomapType::kUnwritten;
    wpc.ioend->io_offset = pos;
    wpc.ioend->io_addr = pblk;
  }
  IomapIoend& ioend = *wpc.ioend;
  // Up to the end of file as this I/O has it: completion may find a larger i_size, whose bytes are
  // not in here.
  ioend.io_size += wpc.ops.clamp_to_eof() ? std::min<uint64_t>(bs, end_pos - pos) : bs;
  const uint32_t granules = bs / kGranuleBytes;
  const auto first = folio->granules.begin() + block * granules;
  ioend.contents.insert(ioend.contents.end(), first, first + granules);
  if (ioend.parts.empty() || ioend.parts.back().folio != folio) ioend.parts.push_back({folio, 0});
  ++ioend.parts.back().blocks;
  ++folio->writeback_pending;
}

// Zeroes what lies beyond the end of file, as others may map the folio; false: all of it does.
bool iomap_writepage_handle_eof(WritepageContext& wpc, Folio& folio) {
  const uint64_t i_size = wpc.inode.i_size.load();
  if (folio.end() <= i_size) return true;
  if (folio.pos() >= i_size) return false;  // a truncate will take it away
  wpc.inode.i_mapping.folio_zero_range(folio, static_cast<uint32_t>(i_size - folio.pos()),
                                       folio.size_bytes);
  return true;
}

// Maps and queues the dirty blocks of a locked folio that is under writeback.
Errno MapDirtyBlocks(WritepageContext& wpc, const FolioRef& folio) {
  const uint32_t bs = wpc.inode.i_mapping.block_bytes();
  const uint64_t i_size = wpc.inode.i_size.load();
  Iomap iomap;
  for (uint32_t b = 0; b < folio->block_count(); ++b) {
    const uint64_t pos = folio->pos() + uint64_t{b} * bs;
    if (!folio->blocks.load()[b].dirty || pos >= i_size) continue;
    if (iomap.length == 0 || pos >= iomap.end()) {
      const Errno error = wpc.ops.map_blocks(wpc.inode, pos, folio->end() - pos, iomap);
      if (error != Errno::kOk) {
        wpc.ops.discard_folio(wpc.inode, *folio, pos);
        return error;
      }
    }
    if (iomap.type == IomapType::kHole) continue;
    iomap_add_to_ioend(wpc, folio, b, iomap, i_size);
  }
  return Errno::kOk;
}

// One folio, locked and dirty; unlocks it.
Errno iomap_writepage_map(WritepageContext& wpc, const FolioRef& folio) {
  SIM_FRAME("iomap_writepage_map");
  AddressSpace& mapping = wpc.inode.i_mapping;
  if (!iomap_writepage_handle_eof(wpc, *folio)) {
    folio->lock.unlock();
    return Errno::kOk;
  }
  // ORDER: under writeback before the first mapping; one pending is ours, so that completions do
  // not end it before all of the folio is queued.
  mapping.folio_start_writeback(*folio);
  folio->writeback_pending = 1;
  Errno error = Errno::kOk;
  {
    const sim::EventScope writeback(folio->writeback_wait);
    error = MapDirtyBlocks(wpc, folio);
  }
  for (FolioBlock& block : folio->blocks.update()) block.dirty = false;
  folio->lock.unlock();
  if (--folio->writeback_pending == 0) mapping.folio_end_writeback(*folio);
  mapping.mapping_set_error(error);
  return error;
}

}  // namespace

Errno iomap_writepages(Inode& inode, WritebackControl& wbc, IomapWritebackOps& ops) {
  SIM_FRAME("iomap_writepages");
  AddressSpace& mapping = inode.i_mapping;
  const uint64_t last = wbc.range_end / mapping.folio_bytes();
  WritepageContext wpc{inode, wbc, ops, nullptr};
  Errno error = Errno::kOk;
  for (uint64_t index = wbc.range_start / mapping.folio_bytes();; ++index) {
    const FolioRef folio = mapping.NextDirty(index, last);
    if (folio == nullptr) break;
    index = folio->index;
    folio->lock.lock();
    const bool skip = folio->mapping != &mapping || !folio->dirty ||
                      (wbc.sync_mode == SyncMode::kNone && folio->writeback);
    const bool may_be_ours = wpc.ioend != nullptr && !skip && folio->writeback;
    if (may_be_ours) SubmitPending(wpc);
    if (!skip) mapping.folio_wait_writeback(*folio);
    if (skip || !mapping.folio_clear_dirty_for_io(*folio)) {
      folio->lock.unlock();
      continue;
    }
    error = FirstError(error, iomap_writepage_map(wpc, folio));
  }
  SubmitPending(wpc);
  return error;
}

void iomap_finish_ioend(IomapIoend& ioend) {
  AddressSpace& mapping = ioend.io_inode->i_mapping;
  mapping.mapping_set_error(ioend.error);
  for (const IomapIoend::Part& part : ioend.parts) {
    part.folio->writeback_pending -= part.blocks;
    SIM_CHECK(part.folio->writeback_pending >= 0);
    if (part.folio->writeback_pending == 0) mapping.folio_end_writeback(*part.folio);
  }
}

}  // namespace model
