#include "model/ondisk/disk_layout.h"

#include "absl/strings/str_format.h"

namespace model {

uint32_t DiskLayout::LogBlockOnDisk(uint32_t log_block) const {
  if (log_block == 0) return 0;
  const uint32_t ring = geometry.journal_blocks - 1;
  return journal_superblock() + 1 + (log_block + ring - first_log_block) % ring;
}

std::vector<Extent> DiskLayout::JournalExtents() const {
  std::vector<Extent> extents;
  const auto add = [&](uint32_t len, Pblk pblk) {
    const Lblk lblk = extents.empty() ? 0 : extents.back().end();
    if (len == 0) return;
    if (!extents.empty() && extents.back().ee_start + extents.back().ee_len == pblk) {
      extents.back().ee_len += len;
    } else {
      extents.push_back({lblk, len, pblk, false});
    }
  };
  add(1, geometry.journal());
  add(geometry.journal_blocks - first_log_block, geometry.journal() + first_log_block);
  add(first_log_block - 1, geometry.journal() + 1);
  add(padding(), geometry.blocks);
  return extents;
}

absl::StatusOr<DiskLayout> MakeDiskLayout(const Geometry& geometry, uint32_t s_start) {
  DiskLayout layout{.geometry = geometry};
  if (layout.padding() != 0 && s_start != 0) layout.first_log_block = s_start;
  const uint32_t max_blocks = geometry.superblock() + 8 * geometry.block_bytes;
  if (layout.blocks() > max_blocks) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "an image needs a journal of at least %d blocks, and this device has no room for %d more: "
        "it has %d of at most %d blocks",
        kMinJournalBlocks, layout.padding(), geometry.blocks, max_blocks));
  }
  return layout;
}

}  // namespace model
