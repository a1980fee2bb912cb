// Inserting extents: splitting full nodes, growing the tree, merging [fs/ext4/extents.c].

#include <algorithm>
#include <utility>

#include "model/ext4/extents.h"
#include "sim/check.h"

namespace model {
namespace {

size_t Entries(const ExtentNode& node) {
  return node.eh_depth == 0 ? node.extents.size() : node.indexes.size();
}

bool IsFull(Ext4Inode& inode, const ExtPathLevel& level) {
  return Entries(ReadNodeAt(inode, level)) >= NodeCapacity(inode, level);
}

bool ext4_can_extents_be_merged(const Extent& left, const Extent& right) {
  return left.unwritten == right.unwritten && left.end() == right.ee_block &&
         left.ee_start + left.ee_len == right.ee_start &&
         left.ee_len + right.ee_len <= MaxExtentLen(left.unwritten);
}

// ext4_ext_new_meta_block()
Allocation NewMetaBlock(Handle& handle, Ext4Inode& inode, const ExtPath& path, Lblk lblk,
                        uint32_t flags) {
  return ext4_mb_new_blocks(handle, inode, ext4_ext_find_goal(inode, path, lblk), 1,
                            flags & kGetBlocksMetadataNofail);
}

// A node in a block that nobody else knows of yet.
Errno WriteNewNode(Handle& handle, Ext4Inode& inode, Pblk pblk, ExtentNode node) {
  BufferHead& bh = inode.sbi.buffers.sb_getblk(pblk);
  {
    sim::BitGuard lock_buffer(bh.b_lock);
    const Errno error = jbd2_journal_get_create_access(handle, bh);
    if (error != Errno::kOk) return error;
    bh.content = std::move(node);
    bh.uptodate = true;
  }
  return jbd2_journal_dirty_metadata(handle, bh);
}

// Moves what follows after entry `keep` - 1 out of the level's node, and returns it as a node.
ExtentNode TakeTail(ExtentNode& node, size_t keep) {
  ExtentNode tail;
  tail.eh_depth = node.eh_depth;
  if (node.eh_depth == 0) {
    tail.extents.assign(node.extents.begin() + static_cast<ptrdiff_t>(keep), node.extents.end());
    node.extents.resize(keep);
  } else {
    tail.indexes.assign(node.indexes.begin() + static_cast<ptrdiff_t>(keep), node.indexes.end());
    node.indexes.resize(keep);
  }
  return tail;
}

Errno ext4_ext_insert_index(Handle& handle, Ext4Inode& inode, const ExtPathLevel& level,
                            const ExtentIndex& index) {
  SIM_FRAME("ext4_ext_insert_index");
  const Errno error = ext4_ext_get_access(handle, level);
  if (error != Errno::kOk) return error;
  auto& indexes = NodeAt(inode, level).indexes;
  indexes.insert(indexes.begin() + level.entry + 1, index);
  return ext4_ext_dirty(handle, inode, level);
}

// Splits the nodes of `path` from level `at` down to the leaf behind the place of `newext`; the
// level above `at` has room for one more index. On failure to get blocks nothing has changed.
Errno ext4_ext_split(Handle& handle, Ext4Inode& inode, const ExtPath& path, size_t at,
                     const Extent& newext, uint32_t flags) {
  SIM_FRAME("ext4_ext_split");
  const auto& extents = ReadNodeAt(inode, path.back()).extents;
  const auto right = static_cast<size_t>(std::max(0, path.back().entry)) + 1;
  // What the new leaf, and each new index node above it, starts with.
  const Lblk border = right < extents.size() ? extents[right].ee_block : newext.ee_block;

  absl::InlinedVector<Pblk, 4> blocks;  // all of them first: from here on only the journal can fail
  for (size_t level = at; level < path.size(); ++level) {
    const Allocation block = NewMetaBlock(handle, inode, path, newext.ee_block, flags);
    if (block.error != Errno::kOk) {
      for (const Pblk pblk : blocks) ext4_free_blocks(handle, inode, pblk, 1, false);
      return block.error;
    }
    blocks.push_back(block.pblk);
  }

  Pblk child = 0;
  for (size_t level = path.size(); level-- > at;) {  // the leaf first
    Errno error = ext4_ext_get_access(handle, path[level]);
    if (error != Errno::kOk) return error;
    const bool is_leaf = level + 1 == path.size();
    const size_t keep = is_leaf ? right : static_cast<size_t>(path[level].entry) + 1;
    ExtentNode tail = TakeTail(NodeAt(inode, path[level]), keep);
    if (!is_leaf) tail.indexes.insert(tail.indexes.begin(), {border, child});
    child = blocks[level - at];
    error = WriteNewNode(handle, inode, child, std::move(tail));
    error = FirstError(error, ext4_ext_dirty(handle, inode, path[level]));
    if (error != Errno::kOk) return error;
  }
  return ext4_ext_insert_index(handle, inode, path[at - 1], {border, child});
}

// The root's entries move to a block of their own, and the root has that one as its child.
Errno ext4_ext_grow_indepth(Handle& handle, Ext4Inode& inode, const ExtPath& path, uint32_t flags) {
  SIM_FRAME("ext4_ext_grow_indepth");
  ExtentNode& root = inode.i_data.update();
  const Lblk first = root.eh_depth == 0 ? root.extents[0].ee_block : root.indexes[0].ei_block;
  const Allocation block = NewMetaBlock(handle, inode, path, first, flags);
  if (block.error != Errno::kOk) return block.error;
  const Errno error = WriteNewNode(handle, inode, block.pblk, root);
  if (error != Errno::kOk) return error;
  root.extents.clear();
  root.indexes = {{first, block.pblk}};
  ++root.eh_depth;
  return ext4_mark_inode_dirty(handle, inode);
}

// Makes room for `newext` in a leaf, to which `path` leads then.
Errno ext4_ext_create_new_leaf(Handle& handle, Ext4Inode& inode, ExtPath& path,
                               const Extent& newext, uint32_t flags) {
  SIM_FRAME("ext4_ext_create_new_leaf");
  while (IsFull(inode, path.back())) {
    size_t at = path.size() - 1;
    while (at > 0 && IsFull(inode, path[at - 1])) --at;
    Errno error = at > 0 ? ext4_ext_split(handle, inode, path, at, newext, flags)
                         : ext4_ext_grow_indepth(handle, inode, path, flags);
    if (error == Errno::kOk) error = ext4_find_extent(inode, newext.ee_block, &path);
    if (error != Errno::kOk) return error;
  }
  return Errno::kOk;
}

// If `newext` comes last in a full leaf and the next leaf has room, `path` leads there.
Errno UseNextLeaf(Ext4Inode& inode, ExtPath& path, const Extent& newext) {
  if (static_cast<size_t>(path.back().entry + 1) < ReadNodeAt(inode, path.back()).extents.size()) {
    return Errno::kOk;
  }
  for (size_t level = path.size() - 1; level-- > 0;) {
    const auto& indexes = ReadNodeAt(inode, path[level]).indexes;
    const auto right = static_cast<size_t>(path[level].entry + 1);
    if (right >= indexes.size()) continue;
    ExtPath next;
    const Errno error = ext4_find_extent(inode, indexes[right].ei_block, &next);
    if (error != Errno::kOk || IsFull(inode, next.back())) return error;
    path = next;
    path.back().entry = -1;
    SIM_CHECK(newext.end() <= ReadNodeAt(inode, path.back()).extents[0].ee_block);
    return Errno::kOk;
  }
  return Errno::kOk;
}

// Lengthens a neighbour of `newext` by it; false if there is none to do so.
bool AppendToNeighbour(std::vector<Extent>& extents, int& entry, const Extent& newext) {
  if (entry >= 0) {
    Extent& left = extents[static_cast<size_t>(entry)];
    if (ext4_can_extents_be_merged(left, newext)) {
      left.ee_len += newext.ee_len;
      return true;
    }
  }
  const auto next = static_cast<size_t>(entry + 1);
  if (next < extents.size() && ext4_can_extents_be_merged(newext, extents[next])) {
    Extent& right = extents[next];
    right = {newext.ee_block, newext.ee_len + right.ee_len, newext.ee_start, newext.unwritten};
    ++entry;
    return true;
  }
  return false;
}

// A leaf that is the root's only child and fits into it: its block is not needed any more.
void ext4_ext_try_to_merge_up(Handle& handle, Ext4Inode& inode, ExtPath& path) {
  if (path.size() != 2 || inode.i_data->indexes.size() != 1) return;
  if (ReadNodeAt(inode, path.back()).extents.size() > ExtentNode::kRootEntries) return;
  // The bitmap and the group descriptor, and a revoke record.
  if (!jbd2_journal_extend(handle, 2, 1)) return;
  SIM_FRAME("ext4_ext_try_to_merge_up");
  const Pblk block = path.back().p_bh->b_blocknr;
  inode.i_data = ExtentNode(ReadNodeAt(inode, path.back()));
  path = {{nullptr, path.back().entry}};
  ext4_free_blocks(handle, inode, block, 1, true);
}

// True if extent `left` and the next one have become one.
bool MergeRight(std::vector<Extent>& extents, size_t left) {
  if (left + 1 >= extents.size()) return false;
  if (!ext4_can_extents_be_merged(extents[left], extents[left + 1])) return false;
  extents[left].ee_len += extents[left + 1].ee_len;
  extents.erase(extents.begin() + static_cast<ptrdiff_t>(left) + 1);
  return true;
}

}  // namespace

Errno ext4_ext_correct_indexes(Handle& handle, Ext4Inode& inode, const ExtPath& path, size_t level,
                               Lblk border) {
  SIM_FRAME("ext4_ext_correct_indexes");
  do {
    if (level == 0) return Errno::kOk;
    const ExtPathLevel& parent = path[--level];
    const Errno error = ext4_ext_get_access(handle, parent);
    if (error != Errno::kOk) return error;
    NodeAt(inode, parent).indexes[static_cast<size_t>(parent.entry)].ei_block = border;
    const Errno dirty_error = ext4_ext_dirty(handle, inode, parent);
    if (dirty_error != Errno::kOk) return dirty_error;
  } while (path[level].entry == 0);
  return Errno::kOk;
}

void ext4_ext_try_to_merge(Handle& handle, Ext4Inode& inode, ExtPath& path) {
  auto& extents = NodeAt(inode, path.back()).extents;
  int& entry = path.back().entry;
  if (entry > 0 && MergeRight(extents, static_cast<size_t>(entry - 1))) --entry;
  MergeRight(extents, static_cast<size_t>(entry));
  ext4_ext_try_to_merge_up(handle, inode, path);
}

Errno ext4_ext_insert_extent(Handle& handle, Ext4Inode& inode, ExtPath& path, const Extent& newext,
                             uint32_t flags, bool merge) {
  SIM_FRAME("ext4_ext_insert_extent");
  Errno error = ext4_ext_get_access(handle, path.back());
  if (error != Errno::kOk) return error;
  auto* extents = &NodeAt(inode, path.back()).extents;
  if (!merge || !AppendToNeighbour(*extents, path.back().entry, newext)) {
    if (IsFull(inode, path.back())) error = UseNextLeaf(inode, path, newext);
    if (error == Errno::kOk) {
      error = ext4_ext_create_new_leaf(handle, inode, path, newext, flags);
    }
    if (error == Errno::kOk) error = ext4_ext_get_access(handle, path.back());
    if (error != Errno::kOk) return error;
    extents = &NodeAt(inode, path.back()).extents;
    extents->insert(extents->begin() + ++path.back().entry, newext);
  }
  const bool is_first = path.back().entry == 0 && newext.ee_block == (*extents)[0].ee_block;
  if (is_first) {
    error = ext4_ext_correct_indexes(handle, inode, path, path.size() - 1, newext.ee_block);
  }
  if (merge) ext4_ext_try_to_merge(handle, inode, path);
  return FirstError(error, ext4_ext_dirty(handle, inode, path.back()));
}

}  // namespace model
