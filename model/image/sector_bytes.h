// The bytes of any sector of a crash state.
//
// Data is text that says where it belongs: every 16 bytes of a file are "name:offset#write" and a
// newline, the offset in hexadecimal, the write by its number in the run's history; of a write that
// does not begin at a multiple of 16 only the part that it covers. A name that does not fit is cut,
// the write tells. What the disk held before mkfs says "STALE:" and the byte of the device.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "model/crash/history.h"
#include "model/ondisk/render.h"
#include "model/recorded/content_rules.h"

namespace model {

inline constexpr uint32_t kTagBytes = 16;
inline constexpr WriteId kMaxTaggedWrites = 0xffff;

// Of byte `pos_bytes`, a multiple of kTagBytes: kTagBytes of text.
std::string DataTag(std::string_view file_name, uint64_t pos_bytes, WriteId write);
std::string StaleTag(uint64_t device_byte);

// How data is written: as above, or with the tags of recorded workloads (see
// model/recorded/content_rules.h).
enum class DataText : uint8_t { kNamed, kTagged };

// As a tag of a recorded workload.
TaggedWrite TaggedWriteOf(const History& history, WriteId write);

class SectorBytes {
 public:
  // All must outlive it. Tagged text has room for kMaxTaggedWrites.
  SectorBytes(const DiskLayout& layout, const ImageStore& images, const History& history,
              DataText data_text = DataText::kNamed)
      : layout_(layout), images_(images), history_(history), data_text_(data_text) {}

  // kSectorBytes of them. Where the sector is matters to the log only, which escapes its copies.
  DiskBytes At(uint64_t sector, SectorContent content);

 private:
  DiskBytes Data(WriteId write, uint64_t pos_bytes) const;
  const DiskBytes& Block(ImageId image, bool in_log);
  bool InLog(uint64_t sector) const;

  const DiskLayout& layout_;
  const ImageStore& images_;
  const History& history_;
  const DataText data_text_;
  absl::flat_hash_map<uint64_t, DiskBytes> blocks_;  // by image and whether in the log
};

}  // namespace model
