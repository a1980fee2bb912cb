#include "model/crash/recovery.h"

namespace model {
namespace {

// The disk that led to `outcome`, and what recovery has written to it since.
class RecoveringDisk : public DiskView {
 public:
  RecoveringDisk(const DiskView& disk, const Geometry& geometry, const Outcome& outcome,
                 const ReplayMap& replay, bool flushed)
      : disk_(disk), geometry_(geometry), outcome_(outcome), replay_(replay), flushed_(flushed) {}

  Possible At(uint64_t sector) const override {
    const Pblk pblk = geometry_.block_of_sector(sector);
    const auto index = static_cast<uint32_t>(sector - geometry_.first_sector(pblk));
    if (const ImageId image = replay_.ImageAt(pblk); image != 0) {
      const SectorContent home = ImageContent(image, index);
      Possible contents = disk_.At(sector);
      if (contents.front() == sim::kUnreadable) return contents;
      if (flushed_) return {home};
      if (!absl::c_linear_search(contents, home)) contents.push_back(home);
      return contents;
    }
    for (const LogBlock& block : outcome_.found) {
      if (block.pblk == pblk) return {ImageContent(block.image, index)};
    }
    Possible contents = disk_.At(sector);
    if (pblk == outcome_.missing.pblk && contents.size() > 1) {
      const auto missing = absl::c_find(contents, ImageContent(outcome_.missing.image, index));
      if (missing != contents.end()) contents.erase(missing);
    }
    return contents;
  }

 private:
  const DiskView& disk_;
  const Geometry& geometry_;
  const Outcome& outcome_;
  const ReplayMap& replay_;
  bool flushed_ = false;
};

}  // namespace

bool RecoveryMayBeInterrupted(const DiskView& disk, const Geometry& geometry,
                              const ImageStore& images, const Outcome& outcome,
                              const ReplayMap& replay, const RecoveryRules& rules) {
  const RecoveringDisk writing(disk, geometry, outcome, replay, /*flushed=*/false);
  const std::vector<Outcome> again = ScanJournal(writing, geometry, images);
  if (again.size() != 1 || !again[0].SameAs(outcome)) return false;
  const RecoveringDisk written(disk, geometry, outcome, replay, rules.flush_before_superblock);
  return absl::c_all_of(replay.copies_read(), [&](const LogCopy& copy) {
    const ImageId image = replay.ImageAt(copy.blocknr);
    return IsUnreadable(written, geometry, copy.blocknr) ||
           PresenceOf(written, geometry, images, copy.blocknr, image) == Presence::kCertain;
  });
}

}  // namespace model
