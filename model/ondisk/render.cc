#include "model/ondisk/render.h"

#include <ext2fs/ext2fs.h>

#include <algorithm>
#include <boost/endian/conversion.hpp>
#include <cstddef>
#include <cstring>

#include "model/ondisk/jbd2_format.h"
#include "sim/check.h"

namespace model {
namespace {

using boost::endian::store_little_u16;
using boost::endian::store_little_u32;

// 2025-01-01: of everything that has a time.
constexpr uint32_t kTime = 1735689600;
// EXT4_INODE_SIZE(sb) - 128, as mke2fs asks for: up to i_projid.
constexpr uint16_t kExtraIsize = 32;
// Of an external journal's device: 7:1, as of /dev/loop1. Who mounts says which it is.
constexpr uint32_t kJournalDevice = 0x0701;
constexpr uint32_t kSuperblockBytes = 1024;  // its size, and where on the device it is

// --- Superblock and descriptors ------------------------------------------------------------------

// What libext2fs makes of these parameters. It wants a device, which it neither reads nor writes.
ext2_super_block Initialize(ext2_super_block param, const Geometry& geometry) {
  param.s_rev_level = EXT2_DYNAMIC_REV;
  param.s_log_block_size = static_cast<uint32_t>(__builtin_ctz(geometry.block_bytes / 1024));
  ext2_filsys fs = nullptr;
  const errcode_t error =
      ext2fs_initialize("/dev/null", EXT2_FLAG_64BITS, &param, unix_io_manager, &fs);
  SIM_CHECK(error == 0);
  const ext2_super_block super = *fs->super;
  ext2fs_free(fs);
  return super;
}

ext2_super_block Initialize(const DiskLayout& layout) {
  const Geometry& geometry = layout.geometry;
  ext2_super_block param = {};
  param.s_blocks_count = layout.blocks();
  param.s_inodes_count = geometry.inodes;
  param.s_inode_size = kInodeBytes;
  param.s_feature_compat = EXT3_FEATURE_COMPAT_HAS_JOURNAL;
  param.s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE | EXT3_FEATURE_INCOMPAT_EXTENTS;
  param.s_feature_ro_compat =
      EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT4_FEATURE_RO_COMPAT_EXTRA_ISIZE;
  const ext2_super_block super = Initialize(param, geometry);
  SIM_CHECK(super.s_inodes_count == geometry.inodes);
  return super;
}

// The journal's place, as inode 8 has it, once more.
void PutJournalBackup(const DiskLayout& layout, uint8_t* super) {
  uint8_t* const backup = super + offsetof(ext2_super_block, s_jnl_blocks);
  super[offsetof(ext2_super_block, s_jnl_backup_type)] = EXT3_JNL_BACKUP_BLOCKS;
  RenderExtentNode({.extents = layout.JournalExtents()}, {backup, 60});
  // i_size_high, i_size
  store_little_u32(backup + 64, layout.journal_blocks() * layout.geometry.block_bytes);
}

void Render(const DiskLayout& layout, const DiskSuperBlock& block, uint8_t* bytes) {
  const Geometry& geometry = layout.geometry;
  uint8_t* const super = geometry.block_bytes > kSuperblockBytes ? bytes + kSuperblockBytes : bytes;
  const ext2_super_block base = Initialize(layout);
  std::memcpy(super, &base, sizeof(base));
  const auto put = [&](size_t offset, uint32_t value) { store_little_u32(super + offset, value); };
  for (const size_t time :
       {offsetof(ext2_super_block, s_mtime), offsetof(ext2_super_block, s_wtime),
        offsetof(ext2_super_block, s_lastcheck), offsetof(ext2_super_block, s_mkfs_time)}) {
    put(time, kTime);
  }
  for (const size_t high :
       {offsetof(ext2_super_block, s_wtime_hi), offsetof(ext2_super_block, s_mtime_hi),
        offsetof(ext2_super_block, s_mkfs_time_hi), offsetof(ext2_super_block, s_lastcheck_hi)}) {
    super[high] = 0;
  }
  put(offsetof(ext2_super_block, s_r_blocks_count), 0);
  put(offsetof(ext2_super_block, s_free_blocks_count), block.s_free_blocks_count);
  put(offsetof(ext2_super_block, s_free_inodes_count), block.s_free_inodes_count);
  put(offsetof(ext2_super_block, s_last_orphan), block.s_last_orphan);
  if (geometry.external_journal) {
    put(offsetof(ext2_super_block, s_journal_dev), kJournalDevice);
    std::memcpy(super + offsetof(ext2_super_block, s_journal_uuid), kJournalUuid,
                sizeof(kJournalUuid));
  } else {
    put(offsetof(ext2_super_block, s_journal_inum), kJournalIno);
    PutJournalBackup(layout, super);
  }
  store_little_u16(super + offsetof(ext2_super_block, s_mnt_count), 1);
  // Mounted: s_state says valid all the same, since the journal sees to it.
  store_little_u16(super + offsetof(ext2_super_block, s_state), EXT2_VALID_FS);
  put(offsetof(ext2_super_block, s_feature_incompat),
      base.s_feature_incompat | EXT3_FEATURE_INCOMPAT_RECOVER |
          (block.inline_data ? EXT4_FEATURE_INCOMPAT_INLINE_DATA : 0));
  std::memcpy(super + offsetof(ext2_super_block, s_uuid), kFileSystemUuid, sizeof(kFileSystemUuid));
  std::memcpy(super + offsetof(ext2_super_block, s_hash_seed), kFileSystemUuid,
              sizeof(kFileSystemUuid));
}

void Render(const DiskLayout& layout, const GroupDescriptors& group, uint8_t* bytes) {
  const Geometry& geometry = layout.geometry;
  store_little_u32(bytes + offsetof(ext2_group_desc, bg_block_bitmap), geometry.block_bitmap());
  store_little_u32(bytes + offsetof(ext2_group_desc, bg_inode_bitmap), geometry.inode_bitmap());
  store_little_u32(bytes + offsetof(ext2_group_desc, bg_inode_table), geometry.inode_table());
  store_little_u16(bytes + offsetof(ext2_group_desc, bg_free_blocks_count),
                   static_cast<uint16_t>(group.bg_free_blocks_count));
  store_little_u16(bytes + offsetof(ext2_group_desc, bg_free_inodes_count),
                   static_cast<uint16_t>(group.bg_free_inodes_count));
  store_little_u16(bytes + offsetof(ext2_group_desc, bg_used_dirs_count), 2);
}

// --- Bitmaps -------------------------------------------------------------------------------------

// Bit 0 is `first`; beyond what there is, all bits are set.
void RenderBitmap(const Bitmap& bitmap, uint32_t first, uint32_t end, uint32_t block_bytes,
                  uint8_t* bytes) {
  for (uint32_t bit = 0; bit < 8 * block_bytes; ++bit) {
    const bool set = first + bit >= end || bitmap.Test(first + bit);
    if (set) bytes[bit / 8] |= static_cast<uint8_t>(1 << bit % 8);
  }
}

void Render(const DiskLayout& layout, Pblk pblk, const Bitmap& bitmap, uint8_t* bytes) {
  const Geometry& geometry = layout.geometry;
  const uint32_t block_bytes = geometry.block_bytes;
  if (pblk == geometry.inode_bitmap()) {
    RenderBitmap(bitmap, 0, geometry.inodes, block_bytes, bytes);
  } else {
    // s_first_data_block is where the superblock is. Blocks of padding are the journal's: in use.
    RenderBitmap(bitmap, geometry.superblock(), geometry.blocks, block_bytes, bytes);
  }
}

// --- Inodes --------------------------------------------------------------------------------------

// "system.data" with an empty value: that the data is in i_block, and that none is behind it.
void PutInlineDataXattr(uint8_t* bytes) {
  uint8_t* const header = bytes + EXT2_GOOD_OLD_INODE_SIZE + kExtraIsize;
  store_little_u32(header, 0xEA020000);  // EXT4_XATTR_MAGIC
  header[4] = 4;                         // e_name_len
  header[5] = 7;                         // EXT4_XATTR_INDEX_SYSTEM
  std::memcpy(header + 20, "data", 4);
}

void Render(const DiskLayout& layout, const DiskInode& inode, uint8_t* bytes) {
  const uint32_t sectors_per_block = layout.geometry.sectors_per_block();
  store_little_u32(bytes + offsetof(ext2_inode_large, i_generation), inode.i_generation);
  if (inode.type == FileType::kFree) return;
  const bool directory = inode.type == FileType::kDirectory;
  store_little_u16(bytes + offsetof(ext2_inode_large, i_mode),
                   directory ? LINUX_S_IFDIR | 0755 : LINUX_S_IFREG | 0644);
  store_little_u32(bytes + offsetof(ext2_inode_large, i_size),
                   static_cast<uint32_t>(inode.i_size_bytes));
  store_little_u32(bytes + offsetof(ext2_inode_large, i_size_high),
                   static_cast<uint32_t>(inode.i_size_bytes >> 32));
  for (const size_t time :
       {offsetof(ext2_inode_large, i_atime), offsetof(ext2_inode_large, i_ctime),
        offsetof(ext2_inode_large, i_mtime), offsetof(ext2_inode_large, i_crtime)}) {
    store_little_u32(bytes + time, kTime);
  }
  store_little_u32(bytes + offsetof(ext2_inode_large, i_dtime), inode.next_orphan);
  store_little_u16(bytes + offsetof(ext2_inode_large, i_links_count), inode.i_links_count);
  store_little_u32(bytes + offsetof(ext2_inode_large, i_blocks),
                   inode.i_blocks * sectors_per_block);
  store_little_u32(bytes + offsetof(ext2_inode_large, i_flags),
                   inode.inline_data ? EXT4_INLINE_DATA_FL : EXT4_EXTENTS_FL);
  store_little_u16(bytes + offsetof(ext2_inode_large, i_extra_isize), kExtraIsize);
  if (inode.inline_data) {
    PutInlineDataXattr(bytes);
  } else {
    RenderExtentNode(inode.i_block, {bytes + offsetof(ext2_inode_large, i_block), 60});
  }
}

// Inode 8 as it is on a device with a journal of full length.
DiskInode WithFullJournal(const DiskLayout& layout, DiskInode inode) {
  inode.i_size_bytes = uint64_t{layout.journal_blocks()} * layout.geometry.block_bytes;
  inode.i_blocks = layout.journal_blocks();
  inode.i_block.extents = layout.JournalExtents();
  return inode;
}

void Render(const DiskLayout& layout, Pblk pblk, const InodeTableBlock& block, uint8_t* bytes) {
  const Geometry& geometry = layout.geometry;
  const Ino first = (pblk - geometry.inode_table()) * geometry.inodes_per_block() + 1;
  for (uint32_t slot = 0; slot < block.inodes.size(); ++slot) {
    const DiskInode& inode = block.inodes[slot];
    const bool is_journal = first + slot == kJournalIno && !geometry.external_journal;
    Render(layout, is_journal ? WithFullJournal(layout, inode) : inode, bytes + slot * kInodeBytes);
  }
}

// --- Directories ---------------------------------------------------------------------------------

class DirectoryRenderer {
 public:
  DirectoryRenderer(uint32_t block_bytes, uint8_t* bytes)
      : block_bytes_(block_bytes), bytes_(bytes) {}

  void Add(std::string_view name, Ino ino, uint8_t file_type) {
    const auto rec_len = static_cast<uint32_t>((name.size() + 8 + 3) & ~size_t{3});
    SIM_CHECK(used_ + rec_len <= block_bytes_);
    last_ = used_;
    uint8_t* const entry = bytes_ + used_;
    store_little_u32(entry, ino);
    store_little_u16(entry + 4, static_cast<uint16_t>(rec_len));
    entry[6] = static_cast<uint8_t>(name.size());
    entry[7] = file_type;
    std::memcpy(entry + 8, name.data(), name.size());
    used_ += rec_len;
  }
  // The last entry takes the rest of the block.
  void Finish() {
    store_little_u16(bytes_ + last_ + 4, static_cast<uint16_t>(block_bytes_ - last_));
  }

 private:
  uint32_t block_bytes_ = 0;
  uint8_t* bytes_ = nullptr;
  uint32_t used_ = 0;
  uint32_t last_ = 0;
};

void Render(const DiskLayout& layout, Pblk pblk, const DirectoryBlock& block, uint8_t* bytes) {
  const Geometry& geometry = layout.geometry;
  DirectoryRenderer directory(geometry.block_bytes, bytes);
  directory.Add(".", pblk == geometry.lost_found() ? kLostFoundIno : kRootIno, EXT2_FT_DIR);
  directory.Add("..", kRootIno, EXT2_FT_DIR);
  for (const auto& [name, ino] : block.entries) {
    directory.Add(name, ino, ino == kLostFoundIno ? EXT2_FT_DIR : EXT2_FT_REG_FILE);
  }
  directory.Finish();
}

}  // namespace

void RenderExtentNode(const ExtentNode& node, absl::Span<uint8_t> bytes) {
  store_little_u16(bytes.data(), EXT3_EXT_MAGIC);
  store_little_u16(bytes.data() + 2,
                   static_cast<uint16_t>(node.extents.size() + node.indexes.size()));
  store_little_u16(bytes.data() + 4, static_cast<uint16_t>((bytes.size() - 12) / 12));
  store_little_u16(bytes.data() + 6, node.eh_depth);
  size_t at = 12;
  for (const Extent& extent : node.extents) {
    store_little_u32(&bytes[at], extent.ee_block);
    const uint32_t unwritten = extent.unwritten ? EXT_INIT_MAX_LEN : 0;
    store_little_u16(&bytes[at + 4], static_cast<uint16_t>(extent.ee_len + unwritten));
    store_little_u32(&bytes[at + 8], extent.ee_start);
    at += 12;
  }
  for (const ExtentIndex& index : node.indexes) {
    store_little_u32(&bytes[at], index.ei_block);
    store_little_u32(&bytes[at + 4], index.ei_leaf);
    at += 12;
  }
}

DiskBytes RenderBlock(const DiskLayout& layout, const ImageStore& images, ImageId image) {
  const BlockContent& content = images.Get(image);
  const Pblk pblk = images.PblkOf(image);
  DiskBytes bytes(layout.geometry.block_bytes);
  if (const auto* super = std::get_if<DiskSuperBlock>(&content)) {
    Render(layout, *super, bytes.data());
  } else if (const auto* group = std::get_if<GroupDescriptors>(&content)) {
    Render(layout, *group, bytes.data());
  } else if (const auto* bitmap = std::get_if<Bitmap>(&content)) {
    Render(layout, pblk, *bitmap, bytes.data());
  } else if (const auto* inodes = std::get_if<InodeTableBlock>(&content)) {
    Render(layout, pblk, *inodes, bytes.data());
  } else if (const auto* node = std::get_if<ExtentNode>(&content)) {
    RenderExtentNode(*node, absl::MakeSpan(bytes));
  } else if (const auto* directory = std::get_if<DirectoryBlock>(&content)) {
    Render(layout, pblk, *directory, bytes.data());
  } else {
    return RenderJournalBlock(layout, images, image);
  }
  return bytes;
}

DiskBytes RenderLogCopy(const DiskLayout& layout, const ImageStore& images, ImageId image) {
  DiskBytes bytes = RenderBlock(layout, images, image);
  if (BeginsWithJournalMagic(bytes)) std::fill_n(bytes.begin(), 4, uint8_t{0});
  return bytes;
}

DiskBytes RenderJournalDevice(const DiskLayout& layout) {
  ext2_super_block param = {};
  param.s_blocks_count = layout.log_end();
  param.s_feature_incompat = EXT3_FEATURE_INCOMPAT_JOURNAL_DEV;
  ext2_super_block super = Initialize(param, layout.geometry);
  super.s_mtime = super.s_wtime = super.s_lastcheck = super.s_mkfs_time = kTime;
  super.s_wtime_hi = super.s_mtime_hi = super.s_mkfs_time_hi = super.s_lastcheck_hi = 0;
  std::memcpy(super.s_uuid, kJournalUuid, sizeof(kJournalUuid));
  DiskBytes bytes(2 * kSuperblockBytes);
  std::memcpy(&bytes[kSuperblockBytes], &super, sizeof(super));
  return bytes;
}

bool SameBytes(const Geometry& geometry, const ImageStore& images, SectorContent one,
               SectorContent other) {
  if (one == other) return true;
  const DiskLayout layout{.geometry = geometry};
  const auto sector = [&](SectorContent content) -> DiskBytes {
    if (KindOf(content) == ContentKind::kZero) return DiskBytes(kSectorBytes);
    if (KindOf(content) != ContentKind::kImage) return {};
    const DiskBytes block = RenderBlock(layout, images, ImageOf(content));
    const auto begin = block.begin() + ImageSectorOf(content) * kSectorBytes;
    return DiskBytes(begin, begin + kSectorBytes);
  };
  const DiskBytes bytes = sector(one);
  return !bytes.empty() && bytes == sector(other);
}

}  // namespace model
