// What a sector holds, in the one 64-bit word that the device keeps of it.
//
// File data is not kept as bytes: a granule (one sector) says which write put it there and which
// part of that write's file it is. So that unaligned writes stay exact to the byte, a granule with
// bytes of several writes is a list of runs, interned in a GranuleTable. Metadata is kept as the
// number of an immutable block image (see image_store.h).
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/ondisk/geometry.h"
#include "sim/block/block_device.h"

namespace model {

using sim::SectorContent;

inline constexpr uint32_t kGranuleBytes = kSectorBytes;

// A write(2) call, or what was in a file from the start; dense, in order of start. 0 is no write.
using WriteId = uint32_t;

enum class ContentKind : uint8_t {
  kZero = 0,         // the whole word is 0
  kStale = 1,        // left by a former owner of the disk, before this file system was made
  kImage = 2,        // one sector of a metadata or journal block image
  kData = 3,         // one granule, all of one write
  kMixed = 4,        // one granule with bytes of several writes; index into the GranuleTable
  kUnreadable = 15,  // of a failing sector, whatever was written: sim::kUnreadable
};

using ImageId = uint32_t;

constexpr ContentKind KindOf(SectorContent content) {
  return static_cast<ContentKind>(content >> 60);
}

static_assert(KindOf(sim::kUnreadable) == ContentKind::kUnreadable);

constexpr SectorContent MakeContent(ContentKind kind, uint64_t high28, uint64_t low32) {
  return static_cast<uint64_t>(kind) << 60 | high28 << 32 | low32;
}

constexpr SectorContent kZeroContent = 0;
// What `sector` held before mkfs.
constexpr SectorContent StaleContent(uint64_t sector) {
  return MakeContent(ContentKind::kStale, 0, sector);
}
constexpr SectorContent ImageContent(ImageId image, uint32_t sector_in_block) {
  return MakeContent(ContentKind::kImage, sector_in_block, image);
}
constexpr ImageId ImageOf(SectorContent content) { return static_cast<ImageId>(content); }
constexpr uint32_t ImageSectorOf(SectorContent content) { return content >> 32 & 0xfffffff; }
// Granule `index` of its file (byte offset / kGranuleBytes), all written by `write`.
constexpr SectorContent DataContent(WriteId write, uint32_t index) {
  return MakeContent(ContentKind::kData, write, index);
}
constexpr WriteId WriteOf(SectorContent content) { return content >> 32 & 0xfffffff; }
constexpr uint32_t GranuleIndexOf(SectorContent content) { return static_cast<uint32_t>(content); }

// `end_byte` (exclusive, within the granule) and what the bytes up to there are: a SectorContent
// that is kZero, kStale, kImage or kData.
struct GranuleRun {
  uint16_t end_byte = 0;
  SectorContent content = 0;

  auto operator<=>(const GranuleRun&) const = default;
};

class GranuleTable {
 public:
  GranuleTable() = default;
  GranuleTable(const GranuleTable& from);  // has the same granules
  GranuleTable& operator=(const GranuleTable&) = delete;

  // `granule` with bytes [begin, end) replaced by the same bytes of `with`, which is not kMixed.
  SectorContent Overlay(SectorContent granule, uint32_t begin, uint32_t end, SectorContent with);
  // Ascending, gapless, the last ending at kGranuleBytes.
  std::vector<GranuleRun> Runs(SectorContent granule) const;

 private:
  SectorContent Intern(const std::vector<GranuleRun>& runs);

  std::map<std::vector<GranuleRun>, uint32_t> ids_;
  std::vector<const std::vector<GranuleRun>*> mixed_;  // by id: the keys of ids_
};

}  // namespace model
