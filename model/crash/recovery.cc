#include "model/crash/recovery.h"

namespace model {
namespace {

// The disk that led to `outcome`, and what recovery has written to it since, but not flushed.
class RecoveringDisk : public DiskView {
 public:
  RecoveringDisk(const DiskView& disk, const Geometry& geometry, const ImageStore& images,
                 const Outcome& outcome, const ReplayMap& replay)
      : disk_(disk), geometry_(geometry), images_(images), outcome_(outcome), replay_(replay) {}

  Possible At(uint64_t sector) const override {
    const Pblk pblk = geometry_.block_of_sector(sector);
    const auto index = static_cast<uint32_t>(sector - geometry_.first_sector(pblk));
    Possible contents = disk_.At(sector);
    if (const LogCopy* copy = replay_.CopyFor(pblk); copy != nullptr) {
      if (contents.front() == sim::kUnreadable) return contents;
      for (const SectorContent home : ReplayedContents(disk_, geometry_, *copy, index)) {
        if (!absl::c_linear_search(contents, home)) contents.push_back(home);
      }
      return contents;
    }
    for (const LogBlock& block : outcome_.found) {
      if (Tells(block, pblk, index)) return {ImageContent(block.image, index)};
    }
    if (Tells(outcome_.missing, pblk, index) && contents.size() > 1) {
      const auto missing = absl::c_find(contents, ImageContent(outcome_.missing.image, index));
      if (missing != contents.end()) contents.erase(missing);
    }
    return contents;
  }

 private:
  bool Tells(const LogBlock& block, Pblk pblk, uint32_t index) const {
    return block.pblk == pblk && pblk != 0 &&
           index < SectorsThatTell(geometry_, images_.Get(block.image));
  }

  const DiskView& disk_;
  const Geometry& geometry_;
  const ImageStore& images_;
  const Outcome& outcome_;
  const ReplayMap& replay_;
};

// All that recovery writes to the block of `copy` is there already.
bool IsAtHome(const DiskView& disk, const Geometry& geometry, const LogCopy& copy) {
  if (IsUnreadable(disk, geometry, copy.blocknr)) return true;
  for (uint32_t i = 0; i < geometry.sectors_per_block(); ++i) {
    const Possible is = disk.At(geometry.first_sector(copy.blocknr) + i);
    if (is.size() > 1 || is != ReplayedContents(disk, geometry, copy, i)) return false;
  }
  return true;
}

}  // namespace

bool RecoveryMayBeInterrupted(const DiskView& disk, const Geometry& geometry,
                              const ImageStore& images, const Outcome& outcome,
                              const ReplayMap& replay, const RecoveryRules& rules) {
  const RecoveringDisk writing(disk, geometry, images, outcome, replay);
  const std::vector<Outcome> again = ScanJournal(writing, geometry, images);
  if (again.size() != 1 || !again[0].SameAs(outcome)) return false;
  // With the flush, all is at home when the log is marked empty.
  return rules.flush_before_superblock ||
         absl::c_all_of(replay.copies_read(), [&](const LogCopy& copy) {
           return IsAtHome(disk, geometry, *replay.CopyFor(copy.blocknr));
         });
}

}  // namespace model
