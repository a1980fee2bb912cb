// Looking up and mapping blocks [fs/ext4/extents.c].

#include "model/ext4/extents.h"

#include <algorithm>

#include "sim/check.h"

namespace model {
namespace {

// The last entry that starts at or before `lblk`; -1: none.
int BinarySearch(const std::vector<Extent>& extents, Lblk lblk) {
  const auto after = std::upper_bound(extents.begin(), extents.end(), lblk,
                                      [](Lblk l, const Extent& ex) { return l < ex.ee_block; });
  return static_cast<int>(after - extents.begin()) - 1;
}

int BinarySearch(const std::vector<ExtentIndex>& indexes, Lblk lblk) {
  const auto after =
      std::upper_bound(indexes.begin(), indexes.end(), lblk,
                       [](Lblk l, const ExtentIndex& ix) { return l < ix.ei_block; });
  return std::max(0, static_cast<int>(after - indexes.begin()) - 1);
}

// Where the next extent after `path` starts; UINT32_MAX: it is the last.
Lblk ext4_ext_next_allocated_block(Ext4Inode& inode, const ExtPath& path) {
  const auto& extents = ReadNodeAt(inode, path.back()).extents;
  const auto next = static_cast<size_t>(path.back().entry + 1);
  if (next < extents.size()) return extents[next].ee_block;
  for (size_t level = path.size() - 1; level-- > 0;) {
    const auto& indexes = ReadNodeAt(inode, path[level]).indexes;
    const auto right = static_cast<size_t>(path[level].entry + 1);
    if (right < indexes.size()) return indexes[right].ei_block;
  }
  return UINT32_MAX;
}

// Nothing is there: allocates and inserts.
Errno AllocateExtent(Handle& handle, Ext4Inode& inode, ExtPath& path, Ext4MapBlocks& map,
                     uint32_t flags) {
  const bool unwritten = (flags & kGetBlocksUnwritExt) != 0;
  const uint32_t len = std::min(map.m_len, MaxExtentLen(unwritten));
  const Pblk goal = ext4_ext_find_goal(inode, path, map.m_lblk);
  const Allocation got = ext4_mb_new_blocks(handle, inode, goal, len, flags);
  if (got.error != Errno::kOk) return got.error;
  const Errno error = ext4_ext_insert_extent(
      handle, inode, path, {map.m_lblk, got.len, got.pblk, unwritten}, flags, true);
  if (error != Errno::kOk) {
    ext4_free_blocks(handle, inode, got.pblk, got.len, false);
    return error;
  }
  map.m_pblk = got.pblk;
  map.m_len = got.len;
  map.allocated = got.len;
  map.m_flags = kMapNew | (unwritten ? kMapUnwritten : kMapMapped);
  // fdatasync need not wait for what it could not read back anyway.
  ext4_update_inode_fsync_trans(handle, inode, !unwritten);
  return Errno::kOk;
}

}  // namespace

ExtentNode& NodeAt(Ext4Inode& inode, const ExtPathLevel& level) {
  ExtentNode& root = inode.i_data.update();
  return level.p_bh == nullptr ? root : std::get<ExtentNode>(level.p_bh->content);
}

const ExtentNode& ReadNodeAt(const Ext4Inode& inode, const ExtPathLevel& level) {
  const ExtentNode& root = inode.i_data.load();
  return level.p_bh == nullptr ? root : std::get<ExtentNode>(level.p_bh->content);
}

uint32_t NodeCapacity(const Ext4Inode& inode, const ExtPathLevel& level) {
  return level.p_bh == nullptr ? ExtentNode::kRootEntries
                               : ExtentNodeCapacity(inode.sbi.block_bytes());
}

Errno ext4_find_extent(Ext4Inode& inode, Lblk lblk, ExtPath* path) {
  SIM_FRAME("ext4_find_extent");
  path->assign(1, ExtPathLevel{});
  for (uint16_t depth = inode.i_data->eh_depth; depth > 0; --depth) {
    const ExtentNode& node = ReadNodeAt(inode, path->back());
    SIM_CHECK(node.eh_depth == depth && !node.indexes.empty());
    path->back().entry = BinarySearch(node.indexes, lblk);
    const Pblk child = node.indexes[static_cast<size_t>(path->back().entry)].ei_leaf;
    BufferHead* bh = inode.sbi.buffers.sb_bread(child);  // read_extent_tree_block()
    if (bh == nullptr) return Errno::kIo;
    path->push_back({bh, 0});
  }
  path->back().entry = BinarySearch(ReadNodeAt(inode, path->back()).extents, lblk);
  return Errno::kOk;
}

Errno ext4_ext_get_access(Handle& handle, const ExtPathLevel& level) {
  if (level.p_bh == nullptr) return Errno::kOk;
  return jbd2_journal_get_write_access(handle, *level.p_bh);
}

Errno ext4_ext_dirty(Handle& handle, Ext4Inode& inode, const ExtPathLevel& level) {
  SIM_CHECK(inode.i_data_sem.held_exclusive());
  if (level.p_bh == nullptr) return ext4_mark_inode_dirty(handle, inode);
  return jbd2_journal_dirty_metadata(handle, *level.p_bh);
}

Pblk ext4_ext_find_goal(Ext4Inode& inode, const ExtPath& path, Lblk lblk) {
  const auto& extents = ReadNodeAt(inode, path.back()).extents;
  if (!extents.empty()) {
    const Extent& near = extents[static_cast<size_t>(std::max(0, path.back().entry))];
    if (lblk >= near.ee_block) return near.ee_start + (lblk - near.ee_block);
    const uint32_t before = near.ee_block - lblk;
    return before < near.ee_start ? near.ee_start - before : 0;
  }
  if (path.back().p_bh != nullptr) return path.back().p_bh->b_blocknr;
  return inode.sbi.geometry.first_data();  // ext4_inode_to_goal_block()
}

Errno ext4_ext_map_blocks(Handle* handle, Ext4Inode& inode, Ext4MapBlocks& map, uint32_t flags) {
  SIM_FRAME("ext4_ext_map_blocks");
  map.m_flags = 0;
  ExtPath path;
  const Errno error = ext4_find_extent(inode, map.m_lblk, &path);
  if (error != Errno::kOk) return error;

  const auto& extents = ReadNodeAt(inode, path.back()).extents;
  if (path.back().entry >= 0) {
    const Extent& ex = extents[static_cast<size_t>(path.back().entry)];
    if (map.m_lblk < ex.end()) {
      map.m_len = std::min(map.m_len, ex.end() - map.m_lblk);
      map.m_pblk = ex.ee_start + (map.m_lblk - ex.ee_block);
      if (ex.unwritten) return ext4_ext_handle_unwritten_extents(handle, inode, path, map, flags);
      if (flags & kGetBlocksConvertUnwritten) {
        return convert_initialized_extent(*handle, inode, path, map, flags);
      }
      map.m_flags = kMapMapped;
      return Errno::kOk;
    }
  }

  // A hole, up to the next extent.
  map.m_len = std::min(map.m_len, ext4_ext_next_allocated_block(inode, path) - map.m_lblk);
  if ((flags & kGetBlocksCreate) == 0) return Errno::kOk;
  SIM_CHECK(handle != nullptr && inode.i_data_sem.held_exclusive());
  return AllocateExtent(*handle, inode, path, map, flags);
}

}  // namespace model
