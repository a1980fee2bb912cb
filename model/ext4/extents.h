// The extent tree: what the files extents*.cc share [fs/ext4/ext4_extents.h, extents.c].
//
// The root is in the inode, four entries; other nodes have blocks of their own, journalled one by
// one. Nodes are split, the tree grows and extents merge as in the kernel.
//
// Not modelled: zeroing out instead of splitting (extents within s_extent_max_zeroout_kb, or when
// there is no space to split): here they are always split, and without space that is kNoSpc; so
// there is one kind of write fewer, which needs no order, and trees get larger. Collapse, insert,
// swap, migration.
#pragma once

#include "absl/container/inlined_vector.h"
#include "model/ext4/ext4.h"

namespace model {

// EXT_INIT_MAX_LEN, EXT_UNWRITTEN_MAX_LEN: blocks of one extent.
inline constexpr uint32_t kMaxExtentBlocks = 32768;
inline constexpr uint32_t kMaxUnwrittenExtentBlocks = 32767;
constexpr uint32_t MaxExtentLen(bool unwritten) {
  return unwritten ? kMaxUnwrittenExtentBlocks : kMaxExtentBlocks;
}

// One level of ext4_ext_path: a node, and the place in it.
struct ExtPathLevel {
  BufferHead* p_bh = nullptr;  // null: the root
  // The last entry that starts at or before the block looked for; in the leaf -1 if there is none,
  // in an index node then 0.
  int entry = 0;
};
// From the root to a leaf.
using ExtPath = absl::InlinedVector<ExtPathLevel, 4>;

ExtentNode& NodeAt(Ext4Inode& inode, const ExtPathLevel& level);
const ExtentNode& ReadNodeAt(const Ext4Inode& inode, const ExtPathLevel& level);
// Entries that the level's node can have.
uint32_t NodeCapacity(const Ext4Inode& inode, const ExtPathLevel& level);

// The path to `lblk`. Reads nodes: may park. Requires: i_data_sem.
Errno ext4_find_extent(Ext4Inode& inode, Lblk lblk, ExtPath* path);

// Before and after the change of a node; the root is journalled with its inode, at the end.
Errno ext4_ext_get_access(Handle& handle, const ExtPathLevel& level);
Errno ext4_ext_dirty(Handle& handle, Ext4Inode& inode, const ExtPathLevel& level);

// The block that should follow on what is there before `lblk`.
Pblk ext4_ext_find_goal(Ext4Inode& inode, const ExtPath& path, Lblk lblk);

// Inserts `newext`, of which no block may be mapped; `path` leads to its first block and to the
// extent that has it afterwards. Merges with neighbours unless `merge` is false, which keeps the
// two parts of an extent apart that is being split. All or nothing, unless the journal aborts.
// Requires: i_data_sem exclusively.
Errno ext4_ext_insert_extent(Handle& handle, Ext4Inode& inode, ExtPath& path, const Extent& newext,
                             uint32_t flags, bool merge);
// Cuts the extent at `path` in two before `split`, which is inside it; `path` leads to the first
// part. If there is no room for one more extent, it is left in one piece.
Errno ext4_split_extent_at(Handle& handle, Ext4Inode& inode, ExtPath& path, Lblk split,
                           uint32_t flags);
// The first entry of the node at `level` of `path` starts at `border` now: so do the indexes that
// lead there.
Errno ext4_ext_correct_indexes(Handle& handle, Ext4Inode& inode, const ExtPath& path, size_t level,
                               Lblk border);
// Merges the extent at `path`, in a leaf with write access, with its neighbours there, and a last
// leaf that fits into the root with that. The caller dirties the last level of `path`.
void ext4_ext_try_to_merge(Handle& handle, Ext4Inode& inode, ExtPath& path);

// `map` starts in the unwritten extent at `path` and is cut to what lies in it.
Errno ext4_ext_handle_unwritten_extents(Handle* handle, Ext4Inode& inode, ExtPath& path,
                                        Ext4MapBlocks& map, uint32_t flags);
// `map`, in the written extent at `path`, becomes unwritten.
Errno convert_initialized_extent(Handle& handle, Ext4Inode& inode, ExtPath& path,
                                 Ext4MapBlocks& map, uint32_t flags);

}  // namespace model
