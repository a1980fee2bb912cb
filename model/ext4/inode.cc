// What the blocks of a file are, and what reserving and allocating them takes [fs/ext4/inode.c].

#include <algorithm>
#include <optional>

#include "model/ext4/ext4.h"
#include "sim/check.h"

namespace model {
namespace {

uint32_t MapFlagsOf(EsStatus status) {
  switch (status) {
    case EsStatus::kWritten:
      return kMapMapped;
    case EsStatus::kUnwritten:
      return kMapUnwritten;
    case EsStatus::kDelayed:
      return kMapDelayed;
    case EsStatus::kHole:
      return 0;
  }
  return 0;
}

EsStatus StatusOf(const Ext4MapBlocks& map) {
  if (map.m_flags & kMapUnwritten) return EsStatus::kUnwritten;
  return map.m_flags & kMapMapped ? EsStatus::kWritten : EsStatus::kHole;
}

// Asks the extent tree and remembers the answer. Requires: i_data_sem.
Errno ext4_map_query_blocks(Ext4Inode& inode, Ext4MapBlocks& map) {
  SIM_FRAME("ext4_map_query_blocks");
  // A hole on disk ends, as far as we are concerned, where something is known to be delayed.
  Lblk known = 0;
  {
    sim::SpinGuard i_es_lock(inode.i_es_lock);
    known = inode.i_es_tree->NextAfter(map.m_lblk);
  }
  if (known < map.end()) map.m_len = known - map.m_lblk;
  const Errno error = ext4_ext_map_blocks(nullptr, inode, map, 0);
  if (error != Errno::kOk) return error;
  ext4_es_cache_extent(inode, {map.m_lblk, map.m_len, map.m_pblk, StatusOf(map)});
  map.m_seq = inode.i_es_seq.load();
  return Errno::kOk;
}

}  // namespace

void MapFromExtentStatus(const ExtentStatus& es, Ext4MapBlocks& map) {
  map.m_flags = MapFlagsOf(es.status);
  map.m_len = std::min(map.m_len, es.end() - map.m_lblk);
  if (map.m_flags & (kMapMapped | kMapUnwritten)) {
    map.m_pblk = es.es_pblk + (map.m_lblk - es.es_lblk);
  }
}

Errno ext4_map_create_blocks(Handle& handle, Ext4Inode& inode, Ext4MapBlocks& map, uint32_t flags) {
  SIM_FRAME("ext4_map_create_blocks");
  const Errno error = ext4_ext_map_blocks(&handle, inode, map, flags);
  if (error != Errno::kOk) return error;
  const uint32_t reserved =
      ext4_es_insert_extent(inode, {map.m_lblk, map.m_len, map.m_pblk, StatusOf(map)},
                            (flags & kGetBlocksDelallocReserve) != 0);
  map.m_seq = inode.i_es_seq.load();
  if ((flags & kGetBlocksDelallocReserve) && reserved < map.allocated) {
    inode.sbi.world.Report({"reservation", "writeback allocates blocks that nobody has reserved",
                            "  more of " + inode.name + " is allocated than is delayed\n"});
  }
  return Errno::kOk;
}

Errno ext4_map_blocks(Handle* handle, Ext4Inode& inode, Ext4MapBlocks& map, uint32_t flags) {
  SIM_FRAME("ext4_map_blocks");
  const auto es = ext4_es_lookup_extent(inode, map.m_lblk, &map.m_seq);
  if (es.has_value()) {
    MapFromExtentStatus(*es, map);
  } else {
    sim::ReadGuard i_data_sem(inode.i_data_sem);
    const Errno error = ext4_map_query_blocks(inode, map);
    if (error != Errno::kOk) return error;
  }
  if (!(flags & kGetBlocksCreate)) return Errno::kOk;
  if ((map.m_flags & kMapMapped) && !(flags & kGetBlocksConvertUnwritten)) return Errno::kOk;
  {
    sim::WriteGuard i_data_sem(inode.i_data_sem);
    const Errno error = ext4_map_create_blocks(*handle, inode, map, flags);
    if (error != Errno::kOk) return error;
  }
  // Fresh blocks whose contents the commit makes visible: the data has to be there first.
  const bool visible = (map.m_flags & kMapNew) != 0 && !(map.m_flags & kMapUnwritten);
  if (!visible || (flags & kGetBlocksZero) || !ext4_should_order_data(inode)) return Errno::kOk;
  if (inode.sbi.policy.skip_ordered_add) return Errno::kOk;
  const uint64_t start = uint64_t{map.m_lblk} * inode.sbi.block_bytes();
  const uint64_t len = uint64_t{map.m_len} * inode.sbi.block_bytes();
  return flags & kGetBlocksIoSubmit ? ext4_jbd2_inode_add_wait(*handle, inode, start, len)
                                    : ext4_jbd2_inode_add_write(*handle, inode, start, len);
}

namespace {

// ext4_da_reserve_space() and the insertion of the delayed extent. Requires: i_data_sem
// exclusively.
Errno ext4_insert_delayed_blocks(Ext4Inode& inode, Lblk lblk, uint32_t len) {
  SIM_FRAME("ext4_insert_delayed_blocks");
  Ext4SbInfo& sbi = inode.sbi;
  {
    sim::SpinGuard guard(sbi.i_block_reservation_lock);
    const Errno error = ext4_claim_free_clusters(sbi, len, 0);
    if (error != Errno::kOk) return error;
    inode.i_reserved_data_blocks += len;
  }
  {
    sim::SpinGuard guard(inode.i_es_lock);
    inode.i_es_seq.store(inode.i_es_seq.load() + 1);
    inode.i_es_tree.update().Insert({lblk, len, 0, EsStatus::kDelayed});
  }
  return Errno::kOk;
}

}  // namespace

Errno ext4_da_map_blocks(Ext4Inode& inode, Ext4MapBlocks& map) {
  SIM_FRAME("ext4_da_map_blocks");
  const auto es = ext4_es_lookup_extent(inode, map.m_lblk, &map.m_seq);
  if (es.has_value()) {
    MapFromExtentStatus(*es, map);
    if (es->status != EsStatus::kHole) return Errno::kOk;
  } else {
    sim::ReadGuard i_data_sem(inode.i_data_sem);
    const Errno error = ext4_map_query_blocks(inode, map);
    if (error != Errno::kOk || map.m_flags != 0) return error;
  }

  sim::WriteGuard i_data_sem(inode.i_data_sem);
  // Faults do not take i_rwsem: what was a hole may have become anything. Look again, now that
  // nobody else can insert.
  if (!inode.sbi.policy.no_es_recheck_under_write_sem) {
    const auto now = ext4_es_lookup_extent(inode, map.m_lblk, &map.m_seq);
    if (now.has_value()) {
      MapFromExtentStatus(*now, map);
      if (now->status != EsStatus::kHole) return Errno::kOk;
    } else {
      const Errno error = ext4_map_query_blocks(inode, map);
      if (error != Errno::kOk || map.m_flags != 0) return error;
    }
  }
  const Errno error = ext4_insert_delayed_blocks(inode, map.m_lblk, map.m_len);
  if (error != Errno::kOk) return error;
  map.m_flags = kMapDelayed | kMapNew;
  map.m_seq = inode.i_es_seq.load();
  return Errno::kOk;
}

namespace {

// Requires: i_block_reservation_lock.
void ReturnReservation(Ext4Inode& inode, uint32_t blocks) {
  SIM_CHECK(inode.i_reserved_data_blocks >= blocks);
  inode.i_reserved_data_blocks -= blocks;
  inode.sbi.s_dirtyclusters_counter -= blocks;
}

}  // namespace

void ext4_da_release_space(Ext4Inode& inode, uint32_t to_free) {
  SIM_FRAME("ext4_da_release_space");
  sim::SpinGuard guard(inode.sbi.i_block_reservation_lock);
  ReturnReservation(inode, to_free);
}

void ext4_da_update_reserve_space(Ext4Inode& inode, uint32_t used) {
  SIM_FRAME("ext4_da_update_reserve_space");
  sim::SpinGuard guard(inode.sbi.i_block_reservation_lock);
  ReturnReservation(inode, used);
}

bool ext4_nonda_switch(Ext4SbInfo& sbi) {
  SIM_FRAME("ext4_nonda_switch");
  const int64_t free = sbi.s_freeclusters_counter;
  const int64_t dirty = sbi.s_dirtyclusters_counter;
  // Start writing back before it gets tight; this does not wait.
  if (dirty > 0 && free < 2 * dirty) try_to_writeback_inodes_sb(sbi);
  return 2 * free < 3 * dirty || free < dirty + kFreeClustersWatermark;
}

void try_to_writeback_inodes_sb(Ext4SbInfo& sbi) {
  SIM_FRAME("try_to_writeback_inodes_sb");
  if (!sbi.s_umount.down_read_trylock()) return;
  sbi.s_bdi.wakeup_flusher();
  sbi.s_umount.up_read();
}

bool ext4_update_i_disksize(Ext4Inode& inode, uint64_t newsize) {
  std::optional<sim::WriteGuard> i_data_sem;
  if (!inode.sbi.policy.disksize_without_i_data_sem) {
    i_data_sem.emplace(inode.i_data_sem, sim::Subclass::kNormal, sim::Site::Here());
  }
  newsize = std::min(newsize, inode.i_size.load());  // a truncate may have come in between
  if (newsize <= inode.i_disksize.load()) return false;
  inode.i_disksize.store(newsize);
  return true;
}

bool ext4_should_order_data(const Ext4Inode& inode) {
  if (!inode.sbi.options.data_ordered || inode.type != FileType::kRegular) return false;
  return !inode.buffered_iomap || inode.sbi.policy.order_iomap_inode;
}

bool ext4_should_dioread_nolock(const Ext4Inode& inode) {
  return inode.sbi.options.dioread_nolock && inode.type == FileType::kRegular;
}

int ext4_chunk_trans_blocks(const Ext4Inode& inode, uint32_t nrblocks) {
  (void)nrblocks;  // one extent, whatever its length
  // Without i_data_sem, as in the kernel: until the handle is used the tree may have become deeper.
  const int index_blocks = 2 * inode.i_data.data_race().eh_depth + 1;
  const int bitmap_and_descriptor = 2;
  const int super_inode_and_attributes = 3;
  return index_blocks + bitmap_and_descriptor + super_inode_and_attributes;
}

int ext4_truncate_credits(const Ext4Inode& inode) { return ext4_chunk_trans_blocks(inode, 1) + 2; }

}  // namespace model
