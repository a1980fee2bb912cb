// Removing extents from the right, in as many transactions as it takes [fs/ext4/extents.c].

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

// Cuts the extents of the leaf at `path` off at `start`. kAgain: the handle was restarted, and
// `path` may not be the path any more.
Errno ext4_ext_rm_leaf(Handle& handle, Ext4Inode& inode, const ExtPath& path, Lblk start) {
  SIM_FRAME("ext4_ext_rm_leaf");
  for (;;) {
    auto& extents = NodeAt(inode, path.back()).extents;
    if (extents.empty() || extents.back().end() <= start) return Errno::kOk;
    const CreditsResult credits = ext4_datasem_ensure_credits(
        handle, inode, LeafCredits(inode, extents.size() == 1), inode.i_data->eh_depth);
    if (credits.error != Errno::kOk) return credits.error;
    if (credits.restarted) return Errno::kAgain;
    const Errno error = ext4_ext_get_access(handle, path.back());
    if (error != Errno::kOk) return error;

    Extent& last = extents.back();
    const Lblk from = std::max(last.ee_block, start);
    const uint32_t kept = from - last.ee_block;
    const uint32_t removed = last.ee_len - kept;
    ext4_free_blocks(handle, inode, last.ee_start + kept, removed, false);
    last.ee_len = kept;
    if (kept == 0) extents.pop_back();
    const Errno dirty_error = ext4_ext_dirty(handle, inode, path.back());
    if (dirty_error != Errno::kOk) return dirty_error;
  }
}

// Frees the empty node at `level` of `path`, and what is empty above it because of that.
Errno ext4_ext_rm_idx(Handle& handle, Ext4Inode& inode, const ExtPath& path, size_t level) {
  SIM_FRAME("ext4_ext_rm_idx");
  const ExtPathLevel& parent = path[level - 1];
  Errno error = ext4_ext_get_access(handle, parent);
  if (error != Errno::kOk) return error;
  auto& indexes = NodeAt(inode, parent).indexes;
  SIM_CHECK(indexes.back().ei_leaf == path[level].p_bh->b_blocknr);
  indexes.pop_back();
  error = ext4_ext_dirty(handle, inode, parent);
  if (error != Errno::kOk) return error;
  ext4_free_blocks(handle, inode, path[level].p_bh->b_blocknr, 1, true);
  if (!indexes.empty() || level == 1) return Errno::kOk;
  return ext4_ext_rm_idx(handle, inode, path, level - 1);
}

}  // namespace

Errno ext4_ext_remove_space(Handle& handle, Ext4Inode& inode, Lblk start) {
  SIM_FRAME("ext4_ext_remove_space");
  SIM_CHECK(inode.i_data_sem.held_exclusive());
  for (;;) {
    ExtPath path;  // to the last leaf
    Errno error = ext4_find_extent(inode, UINT32_MAX, &path);
    if (error == Errno::kOk) error = ext4_ext_rm_leaf(handle, inode, path, start);
    if (error == Errno::kAgain) continue;
    if (error != Errno::kOk) return error;
    if (path.size() == 1 || !ReadNodeAt(inode, path.back()).extents.empty()) return Errno::kOk;
    error = ext4_ext_rm_idx(handle, inode, path, path.size() - 1);
    if (error != Errno::kOk) return error;
    if (inode.i_data->indexes.empty()) {
      inode.i_data.update().eh_depth = 0;  // the whole tree is gone
      return ext4_mark_inode_dirty(handle, inode);
    }
  }
}

}  // namespace model
