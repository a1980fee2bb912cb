// Writeback of buffer_head inodes [fs/ext4/inode.c, ext4_do_writepages(), and page-io.c].
//
//   handle > folio lock (several, ascending) > i_data_sem
//
// First, without a handle, whatever is mapped already. Then extent by extent: a handle, the folios
// of one contiguous extent locked under it, allocation, submission, i_disksize, and the handle is
// stopped before anything is waited for. A commit that needs data on disk calls this too, with
// no_map: it has no handle and allocates nothing.

#include <algorithm>

#include "model/ext4/ext4.h"
#include "sim/check.h"

namespace model {
namespace {

// mpage_da_data
struct MpageData {
  Ext4Inode& inode;
  WritebackControl& wbc;
  std::shared_ptr<Ext4IoEnd> io_end;
  bool do_map = false;  // a handle is open: folios of an extent to map may be collected
  uint64_t next_index = 0;
  uint64_t last_index = 0;
  Ext4MapBlocks map;            // the extent to map; m_len 0: none
  std::vector<FolioRef> batch;  // its folios, locked, ascending
};

bool NeedsMapping(const FolioBlock& block) {
  return block.dirty && (!block.mapped || block.delay || block.unwritten);
}

// ext4_bio_write_folio(): writes the dirty blocks of a locked folio that are mapped. The folio's
// PG_dirty has been cleared; it is set again if a block has to stay.
void ext4_bio_write_folio(MpageData& mpd, const FolioRef& folio) {
  SIM_FRAME("ext4_bio_write_folio");
  Ext4Inode& inode = mpd.inode;
  Ext4SbInfo& sbi = inode.sbi;
  const uint32_t bs = sbi.block_bytes();
  // ORDER: PG_dirty is clear, so that whoever dirties it from now on will be seen; then the size.
  const uint64_t i_size = inode.i_size.load();
  if (folio->end() > i_size) {
    const auto len = static_cast<uint32_t>(i_size > folio->pos() ? i_size - folio->pos() : 0);
    inode.i_mapping.folio_zero_range(*folio, len, folio->size_bytes);
  }
  std::unique_ptr<sim::Bio> bio;
  const auto submit = [&] {
    if (bio == nullptr) return;
    ++mpd.io_end->count;
    bio->end_io = [io_end = mpd.io_end](sim::Bio&, sim::BioStatus status) {
      if (status != sim::BioStatus::kOk) io_end->error = Errno::kIo;
      ext4_put_io_end(io_end);
    };
    sbi.device.submit_bio(std::move(bio));
  };
  // ORDER: what cannot be written keeps the folio dirty from the first moment on, or a racing
  // sync would pass it over.
  for (uint32_t b = 0; b < folio->block_count(); ++b) {
    FolioBlock& block = folio->blocks.update()[b];
    if (folio->pos() + uint64_t{b} * bs >= i_size) block.dirty = false;  // wholly beyond the end
    if (NeedsMapping(block)) inode.i_mapping.folio_mark_dirty(*folio);
  }
  Pblk next_pblk = 0;
  for (uint32_t b = 0; b < folio->block_count(); ++b) {
    FolioBlock& block = folio->blocks.update()[b];
    if (!block.dirty || NeedsMapping(block)) continue;
    if (!folio->writeback) {
      inode.i_mapping.folio_start_writeback(*folio);
      if (mpd.io_end->unwritten) inode.i_mapping.LeaveWritebackTo(*folio, sbi.rsv_conversion_wq);
    }
    if (bio != nullptr && block.b_blocknr != next_pblk) submit();
    if (bio == nullptr) {
      bio = std::make_unique<sim::Bio>();
      bio->is_data = true;
      bio->what = "file data";
      bio->sector = sbi.geometry.first_sector(block.b_blocknr);
    }
    next_pblk = block.b_blocknr + 1;
    const uint32_t granules = bs / kGranuleBytes;
    const auto first = folio->granules.begin() + b * granules;
    bio->contents.insert(bio->contents.end(), first, first + granules);
    block.dirty = false;
    ++folio->writeback_pending;
    mpd.io_end->folios.push_back(folio);
  }
  submit();
}

void mpage_submit_folio(MpageData& mpd, const FolioRef& folio) {
  SIM_FRAME("mpage_submit_folio");
  (void)mpd.inode.i_mapping.folio_clear_dirty_for_io(*folio);
  ext4_bio_write_folio(mpd, folio);
}

// Extends the extent to map by the folio's blocks that need it, in order, as long as they adjoin
// and are alike; false: it ends here, within or before this folio.
bool mpage_add_folio_to_extent(MpageData& mpd, const Folio& folio) {
  const uint32_t bs = mpd.inode.sbi.block_bytes();
  const uint64_t i_size = mpd.inode.i_size.load();
  for (uint32_t b = 0; b < folio.block_count(); ++b) {
    const uint64_t pos = folio.pos() + uint64_t{b} * bs;
    if (!NeedsMapping(folio.blocks.load()[b]) || pos >= i_size) {
      if (mpd.map.m_len > 0) return false;  // a gap
      continue;
    }
    const auto lblk = static_cast<Lblk>(pos / bs);
    const uint32_t flags = folio.blocks.load()[b].unwritten ? uint32_t{kMapUnwritten} : 0;
    if (mpd.map.m_len == 0) {
      mpd.map.m_lblk = lblk;
      mpd.map.m_flags = flags;
    } else if (mpd.map.end() != lblk || mpd.map.m_flags != flags ||
               mpd.map.m_len >= kMaxWritepagesExtentLen) {
      return false;
    }
    ++mpd.map.m_len;
  }
  return true;
}

bool HasBlocksToMap(const MpageData& mpd, const Folio& folio) {
  const uint32_t bs = mpd.inode.sbi.block_bytes();
  for (uint32_t b = 0; b < folio.block_count(); ++b) {
    const bool in_file = folio.pos() + uint64_t{b} * bs < mpd.inode.i_size.load();
    if (in_file && NeedsMapping(folio.blocks.load()[b])) return true;
  }
  return false;
}

// Walks dirty folios: submits those that are mapped; collects one extent's worth of others, locked,
// if it may map. Stops at the first that has to wait for a handle.
void mpage_prepare_extent_to_map(MpageData& mpd) {
  SIM_FRAME("mpage_prepare_extent_to_map");
  AddressSpace& mapping = mpd.inode.i_mapping;
  mpd.map = Ext4MapBlocks{};
  for (;; ++mpd.next_index) {
    const FolioRef folio = mapping.NextDirty(mpd.next_index, mpd.last_index);
    if (folio == nullptr) return;
    // The extent ends where the next dirty folio does not adjoin.
    if (mpd.map.m_len > 0 && folio->index != mpd.batch.back()->index + 1) return;
    mpd.next_index = folio->index;
    folio->lock.lock();
    const bool skip = folio->mapping != &mapping || !folio->dirty ||
                      (mpd.wbc.sync_mode == SyncMode::kNone && folio->writeback);
    if (skip) {
      folio->lock.unlock();
      continue;
    }
    mapping.folio_wait_writeback(*folio);
    const bool to_map = HasBlocksToMap(mpd, *folio);
    if (!to_map || mpd.wbc.no_map) {
      if (mpd.map.m_len > 0) {  // mapped, behind an extent that is not: next time
        folio->lock.unlock();
        return;
      }
      mpage_submit_folio(mpd, folio);
      folio->lock.unlock();
      continue;
    }
    const uint32_t before = mpd.map.m_len;
    const bool whole = mpd.do_map && mpage_add_folio_to_extent(mpd, *folio);
    if (mpd.map.m_len == before) {
      folio->lock.unlock();
      return;
    }
    mpd.batch.push_back(folio);
    if (!whole) return;
  }
}

// ext4_map_blocks() of the first part of the extent; map.m_len is what it got.
Errno mpage_map_one_extent(Handle& handle, MpageData& mpd, Ext4MapBlocks& map) {
  SIM_FRAME("mpage_map_one_extent");
  Ext4Inode& inode = mpd.inode;
  const bool dioread_nolock = ext4_should_dioread_nolock(inode);
  uint32_t flags = kGetBlocksCreate | kGetBlocksMetadataNofail | kGetBlocksIoSubmit;
  if (dioread_nolock) flags |= kGetBlocksUnwritExt;
  if (!(map.m_flags & kMapUnwritten)) flags |= kGetBlocksDelallocReserve;
  const Errno error = ext4_map_blocks(&handle, inode, map, flags);
  if (error != Errno::kOk) return error;
  if (dioread_nolock && (map.m_flags & kMapUnwritten)) {
    Ext4IoEnd& io_end = *mpd.io_end;
    if (!io_end.unwritten && handle.h_rsv_handle != nullptr) {
      // ORDER: the conversion must be able to start whatever the commit is doing by then.
      io_end.handle = std::exchange(handle.h_rsv_handle, nullptr);
    }
    io_end.unwritten = true;
    for (const FolioRef& folio : io_end.folios) {
      inode.i_mapping.LeaveWritebackTo(*folio, inode.sbi.rsv_conversion_wq);
    }
    const uint64_t bs = inode.sbi.block_bytes();
    io_end.extents.emplace_back(map.m_lblk * bs, map.m_len * bs);
  }
  return Errno::kOk;
}

// Tells the buffers of the batch where they are, and submits the folios that are then complete.
void mpage_map_and_submit_buffers(MpageData& mpd, const Ext4MapBlocks& map) {
  SIM_FRAME("mpage_map_and_submit_buffers");
  const uint32_t bs = mpd.inode.sbi.block_bytes();
  for (auto it = mpd.batch.begin(); it != mpd.batch.end();) {
    const FolioRef folio = *it;
    const auto first = static_cast<Lblk>(folio->pos() / bs);
    if (first >= map.end()) return;
    for (uint32_t b = 0; b < folio->block_count(); ++b) {
      const Lblk lblk = first + b;
      if (lblk < map.m_lblk || lblk >= map.end() || !NeedsMapping(folio->blocks.load()[b]))
        continue;
      FolioBlock& block = folio->blocks.update()[b];
      block.mapped = true;
      block.delay = false;
      block.unwritten = false;
      block.b_blocknr = map.m_pblk + (lblk - map.m_lblk);
    }
    if (HasBlocksToMap(mpd, *folio)) return;  // the next part of the extent completes it
    mpage_submit_folio(mpd, folio);
    folio->lock.unlock();
    it = mpd.batch.erase(it);
  }
}

// ORDER: after submission, under the same handle that allocated: the size goes with the blocks.
Errno UpdateDisksizeAtSubmit(Handle& handle, MpageData& mpd, Lblk mapped_to) {
  Ext4Inode& inode = mpd.inode;
  const uint64_t end = uint64_t{mapped_to} * inode.sbi.block_bytes();
  if (end <= inode.i_disksize.load()) return Errno::kOk;
  // Also if it is raised already, by a write that has yet to start its own handle.
  (void)ext4_update_i_disksize(inode, end);
  return ext4_mark_inode_dirty(handle, inode);
}

// The folio that the extent has left incomplete goes on with blocks of another kind, or behind a
// gap: the next extent, under the same handle, as no folio is submitted in parts.
bool NextExtentOfFolio(Handle& handle, MpageData& mpd, Errno* error) {
  mpd.map = Ext4MapBlocks{};
  if (mpd.batch.empty()) return false;
  (void)mpage_add_folio_to_extent(mpd, *mpd.batch.front());
  SIM_CHECK(mpd.map.m_len > 0);
  const int credits = ext4_chunk_trans_blocks(mpd.inode, 1);
  if (jbd2_handle_buffer_credits(handle) >= credits || jbd2_journal_extend(handle, credits)) {
    return true;
  }
  *error = Errno::kAgain;  // a restart would commit under a locked folio: with the next handle
  return false;
}

Errno mpage_map_and_submit_extent(Handle& handle, MpageData& mpd) {
  SIM_FRAME("mpage_map_and_submit_extent");
  Lblk mapped_to = mpd.map.m_lblk;
  Errno error = Errno::kOk;
  do {
    while (mpd.map.m_len > 0) {
      Ext4MapBlocks map = mpd.map;
      error = mpage_map_one_extent(handle, mpd, map);
      if (error != Errno::kOk) break;
      mpage_map_and_submit_buffers(mpd, map);
      mapped_to = map.end();
      mpd.map.m_len -= map.m_len;
      mpd.map.m_lblk = map.end();
    }
  } while (error == Errno::kOk && NextExtentOfFolio(handle, mpd, &error));
  // What is mapped of a folio goes out: its blocks may be in this transaction already.
  if (error != Errno::kOk && !mpd.batch.empty()) mpage_submit_folio(mpd, mpd.batch.front());
  return FirstError(UpdateDisksizeAtSubmit(handle, mpd, mapped_to), error);
}

// Folios that were locked and not submitted. With `invalidate` nobody will ever write them: the
// data is lost, and the file's next fsync says so.
void mpage_release_unused_folios(MpageData& mpd, bool invalidate) {
  SIM_FRAME("mpage_release_unused_folios");
  Ext4Inode& inode = mpd.inode;
  if (invalidate && mpd.map.m_len > 0) {
    sim::WriteGuard i_data_sem(inode.i_data_sem);
    ext4_es_remove_extent(inode, mpd.map.m_lblk, mpd.map.m_len);
  }
  for (const FolioRef& folio : mpd.batch) {
    if (invalidate) {
      (void)inode.i_mapping.folio_clear_dirty_for_io(*folio);
      for (FolioBlock& block : folio->blocks.update()) block = FolioBlock{};
    }
    folio->lock.unlock();
  }
  mpd.batch.clear();
}

void StartIoEnd(MpageData& mpd) { mpd.io_end = std::make_shared<Ext4IoEnd>(mpd.inode); }

void PutIoEnd(MpageData& mpd) {
  ext4_put_io_end(mpd.io_end);
  mpd.io_end = nullptr;
}

// One extent: true to go on with the next.
bool WriteOneExtent(MpageData& mpd, Errno* error) {
  Ext4Inode& inode = mpd.inode;
  Ext4SbInfo& sbi = inode.sbi;
  const bool reserve = ext4_should_dioread_nolock(inode) && !sbi.policy.no_reserved_handle;
  const int rsv_blocks = reserve ? 1 + ext4_chunk_trans_blocks(inode, 1) : 0;
  StartIoEnd(mpd);
  Ext4Handle handle(sbi, ext4_chunk_trans_blocks(inode, kMaxWritepagesExtentLen), rsv_blocks);
  if (!handle.ok()) {
    *error = handle.error();
    PutIoEnd(mpd);
    return false;
  }
  mpd.do_map = true;
  mpage_prepare_extent_to_map(mpd);
  const bool any = mpd.map.m_len > 0;
  bool give_up = false;
  if (any) *error = mpage_map_and_submit_extent(*handle, mpd);
  // Out of space, but a commit would free some: not the end yet.
  const bool wait_for_commit = *error == Errno::kNoSpc && ext4_count_free_clusters(sbi) > 0;
  const bool retry = wait_for_commit || *error == Errno::kAgain;
  give_up = *error != Errno::kOk && !retry;
  // ORDER: the handle stops before folios are unlocked and I/O is ended, unless stopping may wait
  // for a commit, which may want those very folios.
  const bool sync = handle.get()->h_sync;
  if (!sync) *error = FirstError(*error, handle.stop());
  mpage_release_unused_folios(mpd, give_up);
  PutIoEnd(mpd);
  if (sync) *error = FirstError(*error, handle.stop());
  mpd.do_map = false;
  if (retry) {
    if (wait_for_commit && !jbd2_journal_force_commit_nested(sbi.s_journal)) return false;
    *error = Errno::kOk;
    mpd.next_index = mpd.wbc.range_start / inode.i_mapping.folio_bytes();  // what is left dirty
    return true;
  }
  return any && *error == Errno::kOk;
}

}  // namespace

Errno ext4_do_writepages(Ext4Inode& inode, WritebackControl& wbc) {
  SIM_FRAME("ext4_do_writepages");
  const uint32_t folio_bytes = inode.i_mapping.folio_bytes();
  MpageData mpd{
      inode, wbc, nullptr, false, wbc.range_start / folio_bytes, wbc.range_end / folio_bytes,
      {},    {}};
  StartIoEnd(mpd);
  mpage_prepare_extent_to_map(mpd);
  mpage_release_unused_folios(mpd, false);
  PutIoEnd(mpd);
  if (wbc.no_map) return Errno::kOk;
  Errno error = Errno::kOk;
  while (inode.i_mapping.NextDirty(mpd.next_index, mpd.last_index) != nullptr) {
    if (!WriteOneExtent(mpd, &error)) break;
  }
  inode.i_mapping.mapping_set_error(error);
  return error;
}

Errno Ext4Inode::writepages(WritebackControl& wbc) {
  SIM_FRAME("ext4_writepages");
  if (buffered_iomap) return ext4_iomap_writepages(*this, wbc);
  const Errno emergency = sbi.ext4_emergency_state();
  if (emergency != Errno::kOk) return emergency;
  sim::ReadGuard s_writepages_rwsem(sbi.s_writepages_rwsem.rwsem());
  return ext4_do_writepages(*this, wbc);
}

Errno Ext4Inode::write_inode(const WritebackControl& wbc) {
  SIM_FRAME("ext4_write_inode");
  // The journal has it already; only a writeback that is not part of sync(2) waits for it.
  if (wbc.sync_mode != SyncMode::kAll || wbc.for_sync) return Errno::kOk;
  return jbd2_complete_transaction(sbi.s_journal, i_sync_tid);
}

}  // namespace model
