// The contents of metadata and journal blocks, block by block as on disk
// [fs/ext4/ext4.h, ext4_extents.h, include/linux/jbd2.h].
//
// Fields have the kernel's names and hold what matters to ordering, size and space. Checksums are
// taken as given: a block with sectors of different images has a wrong one (metadata_csum, and
// journal checksum v3 if there is one; both are defaults). Left out: times other than i_dtime's use
// as orphan link, permissions, extended attributes, htree.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "model/ondisk/content.h"
#include "model/ondisk/geometry.h"

namespace model {

struct DiskSuperBlock {
  Ino s_last_orphan = 0;  // head of the orphan list; 0: empty
  // As of the mount: while mounted, the group descriptors count.
  uint32_t s_free_blocks_count = 0;
  uint32_t s_free_inodes_count = 0;
  bool inline_data = false;  // EXT4_FEATURE_INCOMPAT_INLINE_DATA
  bool operator==(const DiskSuperBlock&) const = default;
};

// Of the one block group.
struct GroupDescriptors {
  uint32_t bg_free_blocks_count = 0;
  uint32_t bg_free_inodes_count = 0;
  bool operator==(const GroupDescriptors&) const = default;
};

struct Bitmap {
  std::vector<uint64_t> words;

  explicit Bitmap(uint32_t bits = 0) : words((bits + 63) / 64) {}
  bool Test(uint32_t bit) const { return words[bit / 64] >> bit % 64 & 1; }
  void Set(uint32_t bit) { words[bit / 64] |= uint64_t{1} << bit % 64; }
  void Clear(uint32_t bit) { words[bit / 64] &= ~(uint64_t{1} << bit % 64); }
  bool operator==(const Bitmap&) const = default;
};

struct Extent {
  Lblk ee_block = 0;
  uint32_t ee_len = 0;
  Pblk ee_start = 0;
  bool unwritten = false;

  Lblk end() const { return ee_block + ee_len; }
  bool operator==(const Extent&) const = default;
};

// `ei_leaf` holds the node whose extents start at or after `ei_block`.
struct ExtentIndex {
  Lblk ei_block = 0;
  Pblk ei_leaf = 0;
  bool operator==(const ExtentIndex&) const = default;
};

// The root, in an inode (at most kRootEntries), or a node in a block of its own (at most
// ExtentNodeCapacity()). Depth 0 has extents, others have indexes; ascending by block.
struct ExtentNode {
  static constexpr uint32_t kRootEntries = 4;
  uint16_t eh_depth = 0;
  std::vector<Extent> extents;
  std::vector<ExtentIndex> indexes;
  bool operator==(const ExtentNode&) const = default;
};
constexpr uint32_t ExtentNodeCapacity(uint32_t block_bytes) { return (block_bytes - 12) / 12; }

enum class FileType : uint8_t { kFree, kRegular, kDirectory };

struct DiskInode {
  FileType type = FileType::kFree;
  uint16_t i_links_count = 0;
  uint32_t i_generation = 0;
  uint64_t i_size_bytes = 0;  // the in-core i_disksize
  uint32_t i_blocks = 0;      // in file system blocks, extent nodes included
  Ino next_orphan = 0;        // i_dtime, while on the orphan list
  bool inline_data = false;   // EXT4_INLINE_DATA_FL: no extents
  ExtentNode i_block;         // the root of the extent tree
  bool operator==(const DiskInode&) const = default;
};

struct InodeTableBlock {
  std::vector<DiskInode> inodes;
  bool operator==(const InodeTableBlock&) const = default;
};

struct DirectoryBlock {
  std::map<std::string, Ino> entries;
  bool operator==(const DirectoryBlock&) const = default;
};

// --- The journal [include/linux/jbd2.h] --------------------------------------------------------

// journal_superblock_t. Log blocks are numbered 1 .. journal_blocks - 1 and wrap around.
struct JournalSuperblock {
  uint32_t s_start = 0;  // log block where the log's first transaction starts; 0: log is empty
  Tid s_sequence = 1;    // the first transaction to expect there
  bool operator==(const JournalSuperblock&) const = default;
};

// journal_block_tag3_t: the next log block is a copy of `blocknr`.
struct JournalTag {
  Pblk blocknr = 0;
  ImageId checksum = 0;  // stands for t_checksum: the image that the copy must be
  bool operator==(const JournalTag&) const = default;
};

struct JournalDescriptor {
  Tid h_sequence = 0;
  std::vector<JournalTag> tags;
  bool operator==(const JournalDescriptor&) const = default;
};
// The space of a descriptor or revoke block is followed by a checksum, if there are any.
constexpr uint32_t JournalTailBytes(JournalChecksum checksum) {
  return checksum == JournalChecksum::kNone ? 0 : 4;
}
// journal_tag_bytes(), with 64 bits.
constexpr uint32_t JournalTagBytes(JournalChecksum checksum) {
  return checksum == JournalChecksum::kNone ? 12 : 16;
}
// Tags that fit into one descriptor block: behind a header, the first one with a UUID; 16 bytes
// are left free [jbd2_descriptor_blocks_per_trans()].
constexpr uint32_t JournalTagsPerBlock(const Geometry& geometry) {
  return (geometry.block_bytes - 12 - 16 - 16 - JournalTailBytes(geometry.journal_checksum)) /
         JournalTagBytes(geometry.journal_checksum);
}

struct JournalRevoke {
  Tid h_sequence = 0;
  std::vector<Pblk> blocks;
  bool operator==(const JournalRevoke&) const = default;
};
constexpr uint32_t JournalRevokesPerBlock(const Geometry& geometry) {
  return (geometry.block_bytes - 16 - JournalTailBytes(geometry.journal_checksum)) / 8;
}

struct JournalCommit {
  Tid h_sequence = 0;
  bool operator==(const JournalCommit&) const = default;
};

using BlockContent = std::variant<std::monostate, DiskSuperBlock, GroupDescriptors, Bitmap,
                                  InodeTableBlock, ExtentNode, DirectoryBlock, JournalSuperblock,
                                  JournalDescriptor, JournalRevoke, JournalCommit>;

// One of jbd2's own, as opposed to a block of metadata or its copy.
inline bool IsJournalBlock(const BlockContent& content) {
  return std::holds_alternative<JournalSuperblock>(content) ||
         std::holds_alternative<JournalDescriptor>(content) ||
         std::holds_alternative<JournalRevoke>(content) ||
         std::holds_alternative<JournalCommit>(content);
}

// "inode table block", for reports.
const char* BlockContentName(const BlockContent& content);

}  // namespace model
