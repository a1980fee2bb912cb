// Where things are on disk: one layout for the running file system, recovery and oracles.
//
// Where libext2fs puts things in a file system of one group without flex_bg and resize inode
// [lib/ext2fs/initialize.c, alloc_tables.c]: superblock, descriptors, block bitmap, inode bitmap,
// inode table; then, block by block as they are allocated, the root directory, lost+found and the
// journal. tests/image/geometry_test.cc holds the two to each other. What the log's blocks have
// room for depends on the journal's checksums, so that these belong to it.
//
// A journal on a device of its own has its blocks behind those of the file system's device, in one
// row of numbers: a block is of one device or of the other.
#pragma once

#include <cstdint>

namespace model {

using Pblk = uint32_t;  // a block on disk, in units of the block size
using Lblk = uint32_t;  // a block of a file, likewise
using Ino = uint32_t;   // from 1, as in ext4
using Tid = uint32_t;   // of a jbd2 transaction; the journal's first is 1

inline constexpr uint32_t kSectorBytes = 512;
inline constexpr uint32_t kInodeBytes = 256;
inline constexpr Ino kRootIno = 2;
inline constexpr Ino kJournalIno = 8;
inline constexpr Ino kFirstIno = 11;  // the first that is not reserved
inline constexpr Ino kLostFoundIno = kFirstIno;

// Of the journal: JBD2_FEATURE_INCOMPAT_CSUM_V3, or none of its checksum features.
enum class JournalChecksum : uint8_t { kNone, kV3 };

struct Geometry {
  uint32_t block_bytes = 4096;
  uint32_t blocks = 1024;  // of the file system's device
  uint32_t inodes = 32;    // in all, a multiple of inodes_per_block() and of 8
  uint32_t journal_blocks = 64;
  JournalChecksum journal_checksum = JournalChecksum::kV3;
  bool external_journal = false;  // it has a device of its own

  uint32_t sectors_per_block() const { return block_bytes / kSectorBytes; }
  uint32_t inodes_per_block() const { return block_bytes / kInodeBytes; }

  // Blocks of metadata at fixed places. One block group: its bitmap is one block, so a device has
  // at most 8 * block_bytes blocks. The superblock starts at byte 1024: with blocks of that size
  // in the second one, and the first is nobody's.
  Pblk superblock() const { return block_bytes == 1024 ? 1 : 0; }
  Pblk group_descriptors() const { return superblock() + 1; }
  Pblk block_bitmap() const { return superblock() + 2; }
  Pblk inode_bitmap() const { return superblock() + 3; }
  Pblk inode_table() const { return superblock() + 4; }
  uint32_t inode_table_blocks() const { return inodes / inodes_per_block(); }
  Pblk root_directory() const { return inode_table() + inode_table_blocks(); }
  Pblk lost_found() const { return root_directory() + 1; }
  // The journal's blocks are contiguous; its block 0 is the journal superblock.
  Pblk journal() const { return external_journal ? blocks : lost_found() + 1; }
  Pblk journal_end() const { return journal() + journal_blocks; }
  bool InJournal(Pblk pblk) const { return pblk >= journal() && pblk < journal_end(); }
  // From here on, up to `blocks`, they are allocated to files, extent nodes and directories.
  Pblk first_data() const { return external_journal ? lost_found() + 1 : journal_end(); }
  // Of all devices.
  Pblk end() const { return external_journal ? journal_end() : blocks; }

  Pblk inode_table_block(Ino ino) const { return inode_table() + (ino - 1) / inodes_per_block(); }
  uint32_t inode_slot(Ino ino) const { return (ino - 1) % inodes_per_block(); }
  uint64_t first_sector(Pblk pblk) const { return uint64_t{pblk} * sectors_per_block(); }
  Pblk block_of_sector(uint64_t sector) const {
    return static_cast<Pblk>(sector / sectors_per_block());
  }
};

}  // namespace model
