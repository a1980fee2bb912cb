// What each sector may hold after a power cut, and what that means for whole blocks.
#pragma once

#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/inlined_vector.h"
#include "model/ondisk/content.h"
#include "model/ondisk/geometry.h"
#include "model/ondisk/image_store.h"
#include "sim/block/block_device.h"

namespace model {

// Distinct, the durable one first.
using Possible = absl::InlinedVector<SectorContent, 4>;

class DiskView {
 public:
  virtual ~DiskView() = default;
  virtual Possible At(uint64_t sector) const = 0;
};

class DeviceView : public DiskView {
 public:
  explicit DeviceView(const sim::BlockDevice& device) : device_(device) {}
  Possible At(uint64_t sector) const override {
    Possible contents = {device_.durable(sector)};
    for (const sim::PendingVersion& version : device_.pending(sector)) {
      if (!absl::c_linear_search(contents, version.content)) contents.push_back(version.content);
    }
    return contents;
  }

 private:
  const sim::BlockDevice& device_;
};

// One state: what each sector of the device holds.
using DiskState = std::vector<SectorContent>;

class StateView : public DiskView {
 public:
  // `state` must outlive the view.
  explicit StateView(const DiskState& state) : state_(state) {}
  Possible At(uint64_t sector) const override { return {state_[sector]}; }

 private:
  const DiskState& state_;
};

// Some sector of the block is a failing one: all that it may hold is that it cannot be read.
bool IsUnreadable(const DiskView& disk, const Geometry& geometry, Pblk pblk);

// How many sectors of a block, from the first on, tell whether it is the image with this content.
// All of them, as anything else fails its checksum, but for two kinds. Of the journal superblock,
// all that ever changes, and the checksum, is in the first sector. Of a descriptor, revoke or
// commit block without a checksum it is those that have something to say: the tags, or the records.
uint32_t SectorsThatTell(const Geometry& geometry, const BlockContent& content);

enum class Presence : uint8_t { kImpossible, kPossible, kCertain };
Presence PresenceOf(const DiskView& disk, const Geometry& geometry, const ImageStore& images,
                    Pblk pblk, ImageId image);

// Some image that the block may be, for which `wanted(const BlockContent&)` holds; 0 if none. Going
// by the first sector, the latest written first.
template <class Wanted>
ImageId FindImage(const DiskView& disk, const Geometry& geometry, const ImageStore& images,
                  Pblk pblk, Wanted wanted) {
  const Possible contents = disk.At(geometry.first_sector(pblk));
  for (auto content = contents.rbegin(); content != contents.rend(); ++content) {
    if (KindOf(*content) != ContentKind::kImage || ImageSectorOf(*content) != 0) continue;
    if (wanted(images.Get(ImageOf(*content)))) return ImageOf(*content);
  }
  return 0;
}

}  // namespace model
