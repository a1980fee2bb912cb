// write(2), zeroing and writeback on iomap inodes
// [fs/ext4/inode.c, fs/ext4/file.c, as of the series of 2026-02-03].
//
//   sb_start_write > i_rwsem > handle > i_data_sem      mapping
//   sb_start_write > i_rwsem > folio lock               copying
//   folio lock > handle > i_data_sem                    writeback
//
// New blocks are unwritten until their data is on disk, and i_disksize follows the data: there is
// no ordered list, and nothing on the commit's side ever waits for a folio of these inodes.

#include <algorithm>

#include "model/ext4/ext4.h"
#include "model/iomap/iomap.h"

namespace model {
void ext4_set_iomap(const Ext4Inode& inode, Iomap& iomap, const Ext4MapBlocks& map) {
  const uint64_t bs = inode.sbi.geometry.block_bytes;
  iomap.offset = map.m_lblk * bs;
  iomap.length = map.m_len * bs;
  iomap.addr = map.m_pblk;
  iomap.is_new = (map.m_flags & kMapNew) != 0;
  iomap.stale = false;
  iomap.validity_cookie = map.m_seq;
  if (map.m_flags & kMapDelayed) {
    iomap.type = IomapType::kDelalloc;
  } else if (map.m_flags & kMapUnwritten) {
    iomap.type = IomapType::kUnwritten;
  } else if (map.m_flags & kMapMapped) {
    iomap.type = IomapType::kMapped;
  } else {
    iomap.type = IomapType::kHole;
  }
}

Ext4MapBlocks MapRequest(const Ext4Inode& inode, uint64_t offset, uint64_t length) {
  const uint64_t bs = inode.sbi.geometry.block_bytes;
  Ext4MapBlocks map;
  map.m_lblk = static_cast<Lblk>(offset / bs);
  map.m_len = static_cast<uint32_t>((offset + length - 1) / bs) - map.m_lblk + 1;
  return map;
}

namespace {

// What the write, zero and fault operations share.
class Ext4IomapOps : public IomapOps {
 public:
  bool iomap_valid(Inode& vfs_inode, const Iomap& iomap) override {
    Ext4Inode& inode = EXT4_I(vfs_inode);
    if (inode.sbi.policy.ignore_validity_cookie) return true;
    return iomap.validity_cookie == inode.i_es_seq.load_racy();
  }
  Errno read_block(Inode& vfs_inode, Folio& folio, uint32_t block, const Iomap& iomap) override {
    const uint32_t bs = vfs_inode.i_mapping.block_bytes();
    const uint64_t pos = folio.pos() + uint64_t{block} * bs;
    const Pblk pblk = iomap.addr + static_cast<Pblk>((pos - iomap.offset) / bs);
    return ext4_read_block(EXT4_I(vfs_inode), folio, block, pblk);
  }
  void isize_extended(Inode& vfs_inode, uint64_t from, uint64_t to) override {
    pagecache_isize_extended(EXT4_I(vfs_inode), from, to);
  }
};

// ext4_iomap_buffered_write_ops, or with `delalloc` ext4_iomap_buffered_da_write_ops.
class Ext4IomapWriteOps : public Ext4IomapOps {
 public:
  explicit Ext4IomapWriteOps(bool delalloc) : delalloc_(delalloc) {}

  Errno iomap_begin(Inode& vfs_inode, uint64_t offset, uint64_t length, IomapFlags flags,
                    Iomap& iomap) override;
  Errno iomap_end(Inode& vfs_inode, uint64_t offset, uint64_t length, uint64_t written,
                  IomapFlags flags, Iomap& iomap) override;

 private:
  Errno ext4_iomap_get_blocks(Ext4Inode& inode, Ext4MapBlocks& map);

  const bool delalloc_;
  std::unique_ptr<Ext4Handle> handle_;  // with Policy::handle_across_bdp only
};

Errno Ext4IomapWriteOps::ext4_iomap_get_blocks(Ext4Inode& inode, Ext4MapBlocks& map) {
  SIM_FRAME("ext4_iomap_get_blocks");
  Ext4SbInfo& sbi = inode.sbi;
  const uint64_t bs = sbi.block_bytes();
  // What is allocated already needs no handle.
  if (map.end() <= (inode.i_size.load() + bs - 1) / bs) {
    Ext4MapBlocks found = map;
    const Errno error = ext4_map_blocks(nullptr, inode, found, 0);
    if (error != Errno::kOk) return error;
    if (found.m_flags != 0) {
      map = found;
      return Errno::kOk;
    }
  }
  // One block more for the orphan list, in case the write fails after all.
  auto handle = std::make_unique<Ext4Handle>(sbi, ext4_chunk_trans_blocks(inode, map.m_len) + 1);
  if (!handle->ok()) return handle->error();
  // Always unwritten: no ordered data keeps stale blocks from showing.
  uint32_t get_blocks = kGetBlocksCreate;
  if (!sbi.policy.iomap_nodelalloc_written) get_blocks |= kGetBlocksUnwritExt;
  const Errno error = ext4_map_blocks(handle->get(), inode, map, get_blocks);
  // ORDER: the handle ends here. balance_dirty_pages() may wait for writeback that needs a commit,
  // which would wait for us; and no folio of an iomap inode is locked under a handle.
  if (sbi.policy.handle_across_bdp) {
    handle_ = std::move(handle);
    return error;
  }
  return FirstError(error, handle->stop());
}

Errno Ext4IomapWriteOps::iomap_begin(Inode& vfs_inode, uint64_t offset, uint64_t length,
                                     IomapFlags flags, Iomap& iomap) {
  SIM_FRAME("ext4_iomap_buffered_do_write_begin");
  Ext4Inode& inode = EXT4_I(vfs_inode);
  Ext4SbInfo& sbi = inode.sbi;
  const Errno emergency = sbi.ext4_emergency_state();
  if (emergency != Errno::kOk) return emergency;
  if (inode.inline_data) return Errno::kRange;  // not supported yet
  if (!flags.write) return Errno::kInval;
  Ext4MapBlocks map;
  Errno error = Errno::kOk;
  for (int retries = 0;;) {
    map = MapRequest(inode, offset, length);
    error = delalloc_ ? ext4_da_map_blocks(inode, map) : ext4_iomap_get_blocks(inode, map);
    if (error != Errno::kNoSpc || !ext4_should_retry_alloc(sbi, &retries)) break;
  }
  if (error != Errno::kOk) return error;
  ext4_set_iomap(inode, iomap, map);
  if (sbi.policy.sample_cookie_late) iomap.validity_cookie = inode.i_es_seq.load_racy();
  return Errno::kOk;
}

// Gives back what was reserved for this write and not used: a delayed extent under a clean folio
// would never be written, and its reservation never returned.
Errno Ext4IomapWriteOps::iomap_end(Inode& vfs_inode, uint64_t offset, uint64_t length,
                                   uint64_t written, IomapFlags flags, Iomap& iomap) {
  if (!delalloc_) {
    handle_ = nullptr;
    return Errno::kOk;
  }
  SIM_FRAME("ext4_iomap_buffered_da_write_end");
  Ext4Inode& inode = EXT4_I(vfs_inode);
  const Policy& policy = inode.sbi.policy;
  // What somebody else reserved is not ours to take away.
  if (iomap.type != IomapType::kDelalloc || !iomap.is_new || flags.fault) return Errno::kOk;
  if (policy.skip_delalloc_punch) return Errno::kOk;
  const uint32_t bs = inode.sbi.block_bytes();
  const uint64_t start = iomap_last_written_block(offset, written, bs);
  const uint64_t end = (offset + length + bs - 1) / bs * bs;
  if (start >= end) return Errno::kOk;
  const auto punch = [&](uint64_t at, uint64_t len) {
    SIM_FRAME("ext4_iomap_punch_delalloc");
    sim::WriteGuard i_data_sem(inode.i_data_sem);
    ext4_es_remove_extent(inode, static_cast<Lblk>(at / bs),
                          static_cast<uint32_t>((len + bs - 1) / bs));
  };
  const auto release = [&] {
    iomap_write_delalloc_release(inode, start, end, policy.punch_ignoring_dirty, punch);
  };
  if (policy.punch_without_invalidate_lock) {
    release();
    return Errno::kOk;
  }
  // ORDER: keeps faults away, which could dirty a folio between the look at it and the punch.
  sim::WriteGuard invalidate_lock(inode.i_mapping.invalidate_lock);
  release();
  return Errno::kOk;
}

// For zeroing: what is there, as for a read.
class Ext4IomapZeroOps : public Ext4IomapOps {
 public:
  Errno iomap_begin(Inode& vfs_inode, uint64_t offset, uint64_t length, IomapFlags,
                    Iomap& iomap) override {
    SIM_FRAME("ext4_iomap_zero_begin");
    Ext4Inode& inode = EXT4_I(vfs_inode);
    Ext4MapBlocks map = MapRequest(inode, offset, length);
    const Errno error = ext4_map_blocks(nullptr, inode, map, 0);
    if (error == Errno::kOk) ext4_set_iomap(inode, iomap, map);
    return error;
  }
};

// Looks again, under i_data_sem: a truncate may have taken some of it away since the look-up, and
// another writeback may have allocated it.
void LookAgain(Ext4Inode& inode, Ext4MapBlocks& map) {
  map.m_flags = 0;
  const auto es = ext4_es_lookup_extent(inode, map.m_lblk, &map.m_seq);
  if (es.has_value()) MapFromExtentStatus(*es, map);
}

class Ext4IomapWritebackOps : public IomapWritebackOps {
 public:
  explicit Ext4IomapWritebackOps(const Policy& policy) : policy_(policy) {}

  bool clamp_to_eof() const override { return !policy_.ioend_beyond_eof; }
  Errno map_blocks(Inode& vfs_inode, uint64_t pos, uint64_t dirty_len, Iomap& iomap) override;
  void discard_folio(Inode& vfs_inode, Folio& folio, uint64_t pos) override;
  void submit_ioend(std::unique_ptr<IomapIoend> ioend) override {
    Ext4Inode& inode = EXT4_I(*ioend->io_inode);
    ext4_iomap_submit_ioend(inode, std::move(ioend));
  }

 private:
  Errno ext4_iomap_map_one_extent(Ext4Inode& inode, Ext4MapBlocks& map);

  const Policy& policy_;
};

// Allocates what is delayed. The folio is locked and under writeback: legal for these inodes alone.
Errno Ext4IomapWritebackOps::ext4_iomap_map_one_extent(Ext4Inode& inode, Ext4MapBlocks& map) {
  SIM_FRAME("ext4_iomap_map_one_extent");
  Ext4SbInfo& sbi = inode.sbi;
  Ext4Handle handle(sbi, ext4_chunk_trans_blocks(inode, map.m_len));
  if (!handle.ok()) return handle.error();
  Errno error = Errno::kOk;
  {
    sim::WriteGuard i_data_sem(inode.i_data_sem);
    if (!sbi.policy.wb_no_relookup) LookAgain(inode, map);
    if (map.m_flags & kMapDelayed) {
      error = ext4_map_create_blocks(*handle, inode, map,
                                     kGetBlocksCreate | kGetBlocksUnwritExt |
                                         kGetBlocksDelallocReserve | kGetBlocksMetadataNofail);
    }
  }
  const uint64_t bs = sbi.block_bytes();
  if (error == Errno::kOk && sbi.policy.order_iomap_inode) {
    error = ext4_jbd2_inode_add_wait(*handle, inode, map.m_lblk * bs, map.m_len * bs);
  }
  if (error == Errno::kOk && sbi.policy.disksize_at_submit) {
    if (ext4_update_i_disksize(inode, map.end() * bs))
      error = ext4_mark_inode_dirty(*handle, inode);
  }
  return FirstError(error, handle.stop());
}

Errno Ext4IomapWritebackOps::map_blocks(Inode& vfs_inode, uint64_t pos, uint64_t dirty_len,
                                        Iomap& iomap) {
  SIM_FRAME("ext4_iomap_map_writeback_range");
  Ext4Inode& inode = EXT4_I(vfs_inode);
  Ext4SbInfo& sbi = inode.sbi;
  const Errno emergency = sbi.ext4_emergency_state();
  if (emergency != Errno::kOk) return emergency;
  for (;;) {
    Ext4MapBlocks map = MapRequest(inode, pos, dirty_len);
    Errno error = ext4_map_blocks(nullptr, inode, map, 0);
    if (error == Errno::kOk && (map.m_flags & kMapDelayed)) {
      // The whole delayed extent while we are at it: unwritten, so the rest may wait.
      if (const auto es = ext4_es_lookup_extent(inode, map.m_lblk, nullptr)) {
        map.m_len = std::min(kMaxWritepagesExtentLen, es->end() - map.m_lblk);
      }
      error = ext4_iomap_map_one_extent(inode, map);
    }
    // What a commit will free may be enough; nothing on its way waits for this folio.
    const bool retry = error == Errno::kNoSpc && ext4_count_free_clusters(sbi) > 0 &&
                       jbd2_journal_force_commit_nested(sbi.s_journal);
    if (retry) continue;
    if (error == Errno::kOk) ext4_set_iomap(inode, iomap, map);
    return error;
  }
}

void Ext4IomapWritebackOps::discard_folio(Inode& vfs_inode, Folio& folio, uint64_t pos) {
  SIM_FRAME("ext4_iomap_discard_folio");
  Ext4Inode& inode = EXT4_I(vfs_inode);
  const uint32_t bs = inode.sbi.block_bytes();
  sim::WriteGuard i_data_sem(inode.i_data_sem);
  const auto first = static_cast<Lblk>(pos / bs);
  ext4_es_remove_extent(inode, first, static_cast<Lblk>(folio.end() / bs) - first);
}

}  // namespace

IoResult ext4_iomap_buffered_write(Kiocb& iocb, IovIter& from) {
  SIM_FRAME("ext4_iomap_buffered_write");
  Ext4SbInfo& sbi = EXT4_I(*iocb.inode).sbi;
  Ext4IomapWriteOps ops(sbi.options.delalloc && !ext4_nonda_switch(sbi));
  return iomap_file_buffered_write(iocb, from, ops);
}

Errno ext4_iomap_zero_range(Ext4Inode& inode, uint64_t from, uint32_t len, bool* did_zero) {
  Ext4IomapZeroOps ops;
  return iomap_zero_range(inode, from, len, did_zero, ops);
}

Errno ext4_iomap_page_mkwrite(Ext4Inode& inode, Folio& folio, bool delalloc) {
  Ext4IomapWriteOps ops(delalloc);
  return iomap_page_mkwrite(inode, folio, ops);
}

Errno ext4_iomap_writepages(Ext4Inode& inode, WritebackControl& wbc) {
  SIM_FRAME("ext4_iomap_writepages");
  const Errno emergency = inode.sbi.ext4_emergency_state();
  if (emergency != Errno::kOk) return emergency;
  sim::ReadGuard s_writepages_rwsem(inode.sbi.s_writepages_rwsem.rwsem());
  Ext4IomapWritebackOps ops(inode.sbi.policy);
  return iomap_writepages(inode, wbc, ops);
}

}  // namespace model
