#include "model/ondisk/parse.h"

#include <ext2fs/ext2fs.h>

#include <boost/endian/conversion.hpp>
#include <cstddef>
#include <optional>
#include <string>

namespace model {
namespace {

using Bytes = absl::Span<const uint8_t>;

constexpr uint32_t kMaxWrittenLen = EXT_INIT_MAX_LEN;  // what is longer says: unwritten

uint16_t Get16(Bytes bytes, size_t offset) {
  return boost::endian::load_little_u16(&bytes[offset]);
}
uint32_t Get32(Bytes bytes, size_t offset) {
  return boost::endian::load_little_u32(&bytes[offset]);
}

BlockContent ParseSuperBlock(Bytes bytes) {
  if (bytes.size() > 1024) bytes = bytes.subspan(1024);
  if (Get16(bytes, offsetof(ext2_super_block, s_magic)) != EXT2_SUPER_MAGIC) return {};
  return DiskSuperBlock{
      .s_last_orphan = Get32(bytes, offsetof(ext2_super_block, s_last_orphan)),
      .s_free_blocks_count = Get32(bytes, offsetof(ext2_super_block, s_free_blocks_count)),
      .s_free_inodes_count = Get32(bytes, offsetof(ext2_super_block, s_free_inodes_count)),
      .inline_data = (Get32(bytes, offsetof(ext2_super_block, s_feature_incompat)) &
                      EXT4_FEATURE_INCOMPAT_INLINE_DATA) != 0};
}

BlockContent ParseGroupDescriptors(const Geometry& geometry, Bytes bytes) {
  if (Get32(bytes, offsetof(ext2_group_desc, bg_block_bitmap)) != geometry.block_bitmap() ||
      Get32(bytes, offsetof(ext2_group_desc, bg_inode_bitmap)) != geometry.inode_bitmap() ||
      Get32(bytes, offsetof(ext2_group_desc, bg_inode_table)) != geometry.inode_table()) {
    return {};
  }
  return GroupDescriptors{Get16(bytes, offsetof(ext2_group_desc, bg_free_blocks_count)),
                          Get16(bytes, offsetof(ext2_group_desc, bg_free_inodes_count))};
}

// Bit 0 is `first`; bits from `end` on must be set, as padding is.
BlockContent ParseBitmap(Bytes bytes, uint32_t first, uint32_t end) {
  Bitmap bitmap(end);
  for (uint32_t i = 0; i < first; ++i) bitmap.Set(i);
  for (uint32_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    const bool set = bytes[bit / 8] >> bit % 8 & 1;
    if (first + bit >= end) {
      if (!set) return {};
    } else if (set) {
      bitmap.Set(first + bit);
    }
  }
  return bitmap;
}

std::optional<ExtentNode> ParseExtentNode(Bytes bytes) {
  const uint32_t entries = Get16(bytes, 2);
  if (Get16(bytes, 0) != EXT3_EXT_MAGIC || Get16(bytes, 4) != (bytes.size() - 12) / 12 ||
      entries > Get16(bytes, 4)) {
    return std::nullopt;
  }
  ExtentNode node{.eh_depth = Get16(bytes, 6)};
  for (uint32_t i = 0; i < entries; ++i) {
    const size_t at = 12 + 12 * i;
    if (node.eh_depth > 0) {
      node.indexes.push_back({Get32(bytes, at), Get32(bytes, at + 4)});
      continue;
    }
    const uint32_t len = Get16(bytes, at + 4);
    const bool unwritten = len > kMaxWrittenLen;
    node.extents.push_back({Get32(bytes, at), unwritten ? len - kMaxWrittenLen : len,
                            Get32(bytes, at + 8), unwritten});
  }
  return node;
}

std::optional<DiskInode> ParseInode(const Geometry& geometry, Bytes bytes) {
  DiskInode inode;
  inode.i_generation = Get32(bytes, offsetof(ext2_inode_large, i_generation));
  const uint16_t mode = Get16(bytes, offsetof(ext2_inode_large, i_mode));
  if (mode == 0) return inode;
  if (!LINUX_S_ISREG(mode) && !LINUX_S_ISDIR(mode)) return std::nullopt;
  inode.type = LINUX_S_ISDIR(mode) ? FileType::kDirectory : FileType::kRegular;
  inode.i_links_count = Get16(bytes, offsetof(ext2_inode_large, i_links_count));
  inode.i_size_bytes = Get32(bytes, offsetof(ext2_inode_large, i_size)) |
                       uint64_t{Get32(bytes, offsetof(ext2_inode_large, i_size_high))} << 32;
  inode.i_blocks =
      Get32(bytes, offsetof(ext2_inode_large, i_blocks)) / geometry.sectors_per_block();
  inode.next_orphan = Get32(bytes, offsetof(ext2_inode_large, i_dtime));
  inode.inline_data =
      (Get32(bytes, offsetof(ext2_inode_large, i_flags)) & EXT4_INLINE_DATA_FL) != 0;
  if (inode.inline_data) return inode;
  std::optional<ExtentNode> root =
      ParseExtentNode(bytes.subspan(offsetof(ext2_inode_large, i_block), 60));
  if (!root.has_value()) return std::nullopt;
  inode.i_block = *std::move(root);
  return inode;
}

BlockContent ParseInodeTable(const Geometry& geometry, Bytes bytes) {
  InodeTableBlock block;
  for (uint32_t slot = 0; slot < geometry.inodes_per_block(); ++slot) {
    auto inode = ParseInode(geometry, bytes.subspan(slot * kInodeBytes, kInodeBytes));
    if (!inode.has_value()) return {};
    block.inodes.push_back(*std::move(inode));
  }
  return block;
}

BlockContent ParseDirectory(Bytes bytes) {
  DirectoryBlock directory;
  for (size_t at = 0; at < bytes.size();) {
    if (bytes.size() - at < 8) return {};
    const size_t rec_len = Get16(bytes, at + 4);
    const size_t name_len = bytes[at + 6];
    if (rec_len % 4 != 0 || rec_len < 8 + name_len || rec_len > bytes.size() - at) return {};
    const std::string name(reinterpret_cast<const char*>(&bytes[at + 8]), name_len);
    const Ino ino = Get32(bytes, at);
    if (name.empty() || ino == 0) return {};
    const bool dots = name == "." || name == "..";
    if (!dots && !directory.entries.emplace(name, ino).second) return {};
    at += rec_len;
  }
  return directory;
}

}  // namespace

BlockContent ParseBlock(const Geometry& geometry, Pblk pblk, absl::Span<const uint8_t> bytes) {
  if (pblk == geometry.superblock()) return ParseSuperBlock(bytes);
  if (pblk == geometry.group_descriptors()) return ParseGroupDescriptors(geometry, bytes);
  if (pblk == geometry.block_bitmap()) {
    return ParseBitmap(bytes, geometry.superblock(), geometry.blocks);
  }
  if (pblk == geometry.inode_bitmap()) return ParseBitmap(bytes, 0, geometry.inodes);
  if (pblk >= geometry.inode_table() && pblk < geometry.root_directory()) {
    return ParseInodeTable(geometry, bytes);
  }
  if (pblk == geometry.root_directory() || pblk == geometry.lost_found()) {
    return ParseDirectory(bytes);
  }
  auto node = ParseExtentNode(bytes);
  return node.has_value() ? BlockContent(*std::move(node)) : BlockContent();
}

}  // namespace model
