// How a file system of the model lies on a real device.
//
// Block for block where the geometry has it, with one thing more: e2fsck and the kernel take no
// journal of less than 1024 blocks [include/linux/jbd2.h, JBD2_MIN_JOURNAL_BLOCKS], and those of
// the model may be shorter. Such a journal gets zero blocks behind the model's device, to the end
// of the log; and its inode maps the log so that what is to be recovered comes first and does not
// reach them, wherever in its ring the model has it. A journal that is long enough is left as it
// is, and wraps where the model's does.
//
// A journal on a device of its own comes behind that device's superblock [lib/ext2fs/mkjournal.c,
// ext2fs_journal_sb_start()], and log blocks are numbered as on that device. No inode maps it: its
// blocks are turned and padded in place.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "model/ondisk/geometry.h"
#include "model/ondisk/structures.h"

namespace model {

inline constexpr uint32_t kMinJournalBlocks = 1024;

struct DiskLayout {
  Geometry geometry;
  // The model's log block that comes first on disk.
  uint32_t first_log_block = 1;
  // False: the journal stays as short as it is, which e2fsck and Linux do not take.
  bool lengthens_journal = true;

  // Of the real journal, its superblock included.
  uint32_t journal_blocks() const { return geometry.journal_blocks + padding(); }
  // Of the file system's real device.
  uint32_t blocks() const { return geometry.blocks + (geometry.external_journal ? 0 : padding()); }
  uint32_t padding() const {
    const bool is_short = geometry.journal_blocks < kMinJournalBlocks;
    return is_short && lengthens_journal ? kMinJournalBlocks - geometry.journal_blocks : 0;
  }
  // Which log block has the journal's superblock. Of a device of its own it is that block.
  uint32_t journal_superblock() const {
    if (!geometry.external_journal) return 0;
    return geometry.block_bytes == 1024 ? 2 : 1;
  }
  // Where the log ends: s_maxlen. Of a device of its own it is the end of that.
  uint32_t log_end() const { return journal_superblock() + journal_blocks(); }
  // Where on disk the model's log block is. 0, which is none, stays 0.
  uint32_t LogBlockOnDisk(uint32_t log_block) const;
  // Where on the file system's device the journal's blocks are, if they are there: at most
  // ExtentNode::kRootEntries extents.
  std::vector<Extent> JournalExtents() const;
};

// For a log whose journal superblock says `s_start`. Fails if the padded device is more than one
// block group.
absl::StatusOr<DiskLayout> MakeDiskLayout(const Geometry& geometry, uint32_t s_start);

}  // namespace model
