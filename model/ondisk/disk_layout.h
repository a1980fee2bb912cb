// How a file system of the model lies on a real device.
//
// Block for block where the geometry has it, with one thing more: e2fsck and the kernel take no
// journal of less than 1024 blocks [include/linux/jbd2.h, JBD2_MIN_JOURNAL_BLOCKS], and those of
// the model may be shorter. Such a journal gets zero blocks behind the model's device, to the end
// of the log; and its inode maps the log so that what is to be recovered comes first and does not
// reach them, wherever in its ring the model has it. A journal that is long enough is left as it
// is, and wraps where the model's does.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "model/ondisk/geometry.h"
#include "model/ondisk/structures.h"

namespace model {

inline constexpr uint32_t kMinJournalBlocks = 1024;

struct DiskLayout {
  Geometry geometry;
  // The model's log block that is log block 1 on disk.
  uint32_t first_log_block = 1;
  // False: the journal stays as short as it is, which e2fsck and Linux do not take.
  bool lengthens_journal = true;

  // Of the real journal, its superblock included.
  uint32_t journal_blocks() const { return geometry.journal_blocks + padding(); }
  // Of the real device.
  uint32_t blocks() const { return geometry.blocks + padding(); }
  uint32_t padding() const {
    const bool is_short = geometry.journal_blocks < kMinJournalBlocks;
    return is_short && lengthens_journal ? kMinJournalBlocks - geometry.journal_blocks : 0;
  }
  // Where on disk the model's log block is. 0, which is none, stays 0.
  uint32_t LogBlockOnDisk(uint32_t log_block) const;
  // Where on the device the journal's blocks are: at most ExtentNode::kRootEntries extents.
  std::vector<Extent> JournalExtents() const;
};

// For a log whose journal superblock says `s_start`. Fails if the padded device is more than one
// block group.
absl::StatusOr<DiskLayout> MakeDiskLayout(const Geometry& geometry, uint32_t s_start);

}  // namespace model
