// Unwritten extents become written, and the other way round, split where needed
// [fs/ext4/extents.c].

#include <algorithm>
#include <optional>

#include "model/ext4/extents.h"
#include "sim/check.h"

namespace model {
namespace {

Extent& ExtentAt(Ext4Inode& inode, const ExtPath& path) {
  return NodeAt(inode, path.back()).extents[static_cast<size_t>(path.back().entry)];
}

// Makes [lblk, lblk + len), which lies in the extent at `path`, an extent of its own; `path` leads
// to it. The end is cut first.
Errno ext4_split_extent(Handle& handle, Ext4Inode& inode, ExtPath& path, Lblk lblk, uint32_t len,
                        uint32_t flags) {
  SIM_FRAME("ext4_split_extent");
  if (lblk + len < ExtentAt(inode, path).end()) {
    Errno error = ext4_split_extent_at(handle, inode, path, lblk + len, flags);
    if (error == Errno::kOk) error = ext4_find_extent(inode, lblk, &path);
    if (error != Errno::kOk) return error;
  }
  if (lblk > ExtentAt(inode, path).ee_block) {
    Errno error = ext4_split_extent_at(handle, inode, path, lblk, flags);
    if (error == Errno::kOk) error = ext4_find_extent(inode, lblk, &path);
    if (error != Errno::kOk) return error;
  }
  return Errno::kOk;
}

// ext4_convert_unwritten_extents_endio() and ext4_ext_convert_to_initialized(), which differ in
// what they zero out, which is not modelled; and the way back.
Errno ConvertExtent(Handle& handle, Ext4Inode& inode, ExtPath& path, const Ext4MapBlocks& map,
                    uint32_t flags, bool unwritten) {
  Errno error = ext4_split_extent(handle, inode, path, map.m_lblk, map.m_len, flags);
  if (error == Errno::kOk) error = ext4_ext_get_access(handle, path.back());
  if (error != Errno::kOk) return error;
  ExtentAt(inode, path).unwritten = unwritten;  // ext4_ext_mark_(un)initialized()
  ext4_ext_try_to_merge(handle, inode, path);
  return ext4_ext_dirty(handle, inode, path.back());
}

}  // namespace

Errno ext4_split_extent_at(Handle& handle, Ext4Inode& inode, ExtPath& path, Lblk split,
                           uint32_t flags) {
  SIM_FRAME("ext4_split_extent_at");
  Errno error = ext4_ext_get_access(handle, path.back());
  if (error != Errno::kOk) return error;
  const Extent whole = ExtentAt(inode, path);
  SIM_CHECK(whole.ee_block < split && split < whole.end());
  const uint32_t left_len = split - whole.ee_block;
  ExtentAt(inode, path).ee_len = left_len;
  error = ext4_ext_dirty(handle, inode, path.back());
  if (error != Errno::kOk) return error;
  const Extent right{split, whole.ee_len - left_len, whole.ee_start + left_len, whole.unwritten};
  error = ext4_ext_insert_extent(handle, inode, path, right, flags, false);
  if (error == Errno::kOk) return Errno::kOk;
  // Nodes may have been split before space ran out: look for the left part again.
  if (ext4_find_extent(inode, whole.ee_block, &path) == Errno::kOk &&
      ext4_ext_get_access(handle, path.back()) == Errno::kOk) {
    ExtentAt(inode, path).ee_len = whole.ee_len;
    (void)ext4_ext_dirty(handle, inode, path.back());
  }
  return error;
}

Errno ext4_ext_handle_unwritten_extents(Handle* handle, Ext4Inode& inode, ExtPath& path,
                                        Ext4MapBlocks& map, uint32_t flags) {
  SIM_FRAME("ext4_ext_handle_unwritten_extents");
  const bool convert = (flags & kGetBlocksConvert) != 0;
  const bool to_written = (flags & kGetBlocksCreate) != 0 && (flags & kGetBlocksUnwritExt) == 0;
  if (!convert && !to_written) {
    map.m_flags = kMapUnwritten;
    return Errno::kOk;
  }
  SIM_CHECK(handle != nullptr && inode.i_data_sem.held_exclusive());
  const Errno error = ConvertExtent(*handle, inode, path, map, flags, false);
  if (error != Errno::kOk) return error;
  // To a buffered write the blocks are as good as new: what it does not cover has to be zeroed.
  map.m_flags = convert ? kMapMapped : kMapMapped | kMapNew;
  ext4_update_inode_fsync_trans(*handle, inode, true);
  return Errno::kOk;
}

Errno convert_initialized_extent(Handle& handle, Ext4Inode& inode, ExtPath& path,
                                 Ext4MapBlocks& map, uint32_t flags) {
  SIM_FRAME("convert_initialized_extent");
  SIM_CHECK(inode.i_data_sem.held_exclusive());
  map.m_len = std::min(map.m_len, kMaxUnwrittenExtentBlocks);
  const Errno error = ConvertExtent(handle, inode, path, map, flags, true);
  if (error != Errno::kOk) return error;
  map.m_flags = kMapUnwritten;
  ext4_update_inode_fsync_trans(handle, inode, true);
  return Errno::kOk;
}

Errno ext4_convert_unwritten_extents(Handle* handle, Ext4Inode& inode, uint64_t pos, uint64_t len) {
  SIM_FRAME("ext4_convert_unwritten_extents");
  const uint64_t block_bytes = inode.sbi.block_bytes();
  const auto end = static_cast<Lblk>((pos + len + block_bytes - 1) / block_bytes);
  constexpr uint32_t kFlags = kGetBlocksCreate | kGetBlocksConvert | kGetBlocksUnwritExt;
  for (auto lblk = static_cast<Lblk>(pos / block_bytes); lblk < end;) {
    Ext4MapBlocks map{lblk, end - lblk};
    std::optional<Ext4Handle> own;
    if (handle == nullptr) {
      own.emplace(inode.sbi, ext4_chunk_trans_blocks(inode, map.m_len));
      if (!own->ok()) return own->error();
    }
    Handle& used = handle != nullptr ? *handle : **own;
    Errno error = ext4_map_blocks(&used, inode, map, kFlags | kGetBlocksMetadataNofail);
    error = FirstError(error, ext4_mark_inode_dirty(used, inode));
    if (own.has_value()) error = FirstError(error, own->stop());
    if (error != Errno::kOk) return error;
    lblk = map.end();
  }
  return Errno::kOk;
}

}  // namespace model
