// Removing extents from the right, in as many transactions as it takes [fs/ext4/extents.c]; of a
// range in the middle, the extent that it ends in is split first.

#include <algorithm>

#include "model/ext4/credits.h"
#include "model/ext4/extents.h"
#include "sim/check.h"

namespace model {
namespace {

// A leaf, the superblock and the inode, and for up to two groups bitmap and descriptor; if the leaf
// may go, its parents as well.
int LeafCredits(const Ext4Inode& inode, bool leaf_may_go) {
  return 7 + (leaf_may_go ? inode.i_data->eh_depth + 1 : 0);
}

// Others may use the tree while the handle restarts, but not what is being removed: i_rwsem and
// invalidate_lock are held, and the page cache beyond the new size is gone.
CreditsResult ext4_datasem_ensure_credits(Handle& handle, Ext4Inode& inode, int credits,
                                          int revoke_credits) {
  bool dropped = false;
  const CreditsResult result =
      ext4_journal_ensure_credits(handle, credits, revoke_credits, [&inode, &dropped] {
        inode.i_data_sem.up_write();  // ORDER: a restart waits for commits, like a new handle
        dropped = true;
      });
  if (dropped) inode.i_data_sem.down_write();
  return result;
}

// Nothing lies left of it.
bool IsFirstLeaf(const ExtPath& path) {
  return std::all_of(path.begin(), path.end() - 1,
                     [](const ExtPathLevel& level) { return level.entry == 0; });
}

// The extents of the leaf at `path` that start before `end`.
size_t ExtentsBefore(const std::vector<Extent>& extents, Lblk end) {
  size_t n = extents.size();
  while (n > 0 && extents[n - 1].ee_block >= end) --n;
  return n;
}

// Removes [start, end) from the leaf at `path`; no extent of it goes on beyond `end`. kAgain: the
// handle was restarted, and `path` may not be the path any more.
Errno ext4_ext_rm_leaf(Handle& handle, Ext4Inode& inode, const ExtPath& path, Lblk start,
                       Lblk end) {
  SIM_FRAME("ext4_ext_rm_leaf");
  for (;;) {
    auto& extents = NodeAt(inode, path.back()).extents;
    const size_t before = ExtentsBefore(extents, end);
    if (before == 0 || extents[before - 1].end() <= start) return Errno::kOk;
    const CreditsResult credits = ext4_datasem_ensure_credits(
        handle, inode, LeafCredits(inode, before == 1), inode.i_data->eh_depth);
    if (credits.error != Errno::kOk) return credits.error;
    if (credits.restarted) return Errno::kAgain;
    Errno error = ext4_ext_get_access(handle, path.back());
    if (error != Errno::kOk) return error;

    Extent& last = extents[before - 1];
    SIM_CHECK(last.end() <= end);
    const Lblk from = std::max(last.ee_block, start);
    const uint32_t kept = from - last.ee_block;
    const uint32_t removed = last.ee_len - kept;
    ext4_free_blocks(handle, inode, last.ee_start + kept, removed, false);
    last.ee_len = kept;
    if (kept == 0) extents.erase(extents.begin() + static_cast<ptrdiff_t>(before) - 1);
    error = ext4_ext_dirty(handle, inode, path.back());
    if (error == Errno::kOk && kept == 0 && before == 1 && !extents.empty()) {
      error = ext4_ext_correct_indexes(handle, inode, path, path.size() - 1, extents[0].ee_block);
    }
    if (error != Errno::kOk) return error;
  }
}

// Frees the empty node at `level` of `path`, and what is empty above it because of that.
Errno ext4_ext_rm_idx(Handle& handle, Ext4Inode& inode, const ExtPath& path, size_t level) {
  SIM_FRAME("ext4_ext_rm_idx");
  const ExtPathLevel& parent = path[level - 1];
  Errno error = ext4_ext_get_access(handle, parent);
  if (error != Errno::kOk) return error;
  auto& indexes = NodeAt(inode, parent).indexes;
  const auto here = indexes.begin() + parent.entry;
  SIM_CHECK(here->ei_leaf == path[level].p_bh->b_blocknr);
  indexes.erase(here);
  error = ext4_ext_dirty(handle, inode, parent);
  if (error != Errno::kOk) return error;
  ext4_free_blocks(handle, inode, path[level].p_bh->b_blocknr, 1, true);
  if (indexes.empty()) {
    return level > 1 ? ext4_ext_rm_idx(handle, inode, path, level - 1) : Errno::kOk;
  }
  if (parent.entry > 0) return Errno::kOk;
  return ext4_ext_correct_indexes(handle, inode, path, level - 1, indexes[0].ei_block);
}

// No extent reaches across `end`: its second part stays.
Errno SplitAtEnd(Handle& handle, Ext4Inode& inode, Lblk end) {
  ExtPath path;
  const Errno error = ext4_find_extent(inode, end, &path);
  if (error != Errno::kOk || path.back().entry < 0) return error;
  const Extent& ex = ReadNodeAt(inode, path.back()).extents[static_cast<size_t>(path.back().entry)];
  if (ex.ee_block >= end || ex.end() <= end) return Errno::kOk;
  return ext4_split_extent_at(handle, inode, path, end, kGetBlocksMetadataNofail);
}

}  // namespace

Errno ext4_ext_remove_space(Handle& handle, Ext4Inode& inode, Lblk start, Lblk end) {
  SIM_FRAME("ext4_ext_remove_space");
  SIM_CHECK(inode.i_data_sem.held_exclusive());
  for (;;) {
    // Each time: what was split may have been merged while i_data_sem was dropped.
    Errno error = end < UINT32_MAX ? SplitAtEnd(handle, inode, end) : Errno::kOk;
    ExtPath path;  // to the last leaf
    if (error == Errno::kOk) {
      error = ext4_find_extent(inode, end < UINT32_MAX ? end - 1 : end, &path);
    }
    if (error == Errno::kOk) error = ext4_ext_rm_leaf(handle, inode, path, start, end);
    if (error == Errno::kAgain) continue;
    if (error != Errno::kOk || path.size() == 1) return error;
    const auto& left = ReadNodeAt(inode, path.back()).extents;
    if (left.empty()) {
      error = ext4_ext_rm_idx(handle, inode, path, path.size() - 1);
      if (error != Errno::kOk) return error;
      if (inode.i_data->indexes.empty()) {
        inode.i_data.update().eh_depth = 0;  // the whole tree is gone
        return ext4_mark_inode_dirty(handle, inode);
      }
      continue;
    }
    // What is left of the leaf lies before the range, or the leaf is the first one.
    if (left[0].ee_block < end || IsFirstLeaf(path)) return Errno::kOk;
  }
}

}  // namespace model
