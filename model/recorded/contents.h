// What a unit of a real device may hold, and names for it.
//
// A unit is what the device writes whole or not at all: a sector, unless the user knows better.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace model {

// Dense, in order of first sight; equal bytes have equal ids.
using ContentId = uint32_t;

class ContentTable {
 public:
  explicit ContentTable(uint32_t unit_bytes) : unit_bytes_(unit_bytes) {}
  ContentTable(const ContentTable&) = delete;
  ContentTable& operator=(const ContentTable&) = delete;

  // `bytes` are at most unit_bytes() of them; what is missing is zero.
  ContentId Intern(std::string_view bytes);
  // The reference lasts as long as this.
  const std::string& Bytes(ContentId id) const { return contents_[id]; }
  uint32_t unit_bytes() const { return unit_bytes_; }

 private:
  uint32_t unit_bytes_;
  std::deque<std::string> contents_;
  absl::flat_hash_map<absl::string_view, ContentId> ids_;
};

// Where the superblock of the file system is: 1024 bytes from byte 1024 on.
struct SuperblockUnits {
  explicit SuperblockUnits(uint32_t unit_bytes)
      : first(1024 / unit_bytes),
        count(unit_bytes < 1024 ? 1024 / unit_bytes : 1),
        skip_bytes(1024 % unit_bytes) {}

  uint64_t first = 0;
  uint32_t count = 0;
  uint32_t skip_bytes = 0;  // before it, in the first unit
};

// For each unit, what a power cut may have left there: at least one, each once, the newest last.
// Units are independent of each other.
class UnitSets {
 public:
  virtual ~UnitSets() = default;
  virtual absl::Span<const ContentId> At(uint64_t unit) const = 0;
};

// "Unit `unit` holds `content`": a part of what makes a state the one it is.
struct Pin {
  uint64_t unit = 0;
  ContentId content = 0;

  bool operator==(const Pin&) const = default;
};

// Calls use(bytes, pins) for all that `units` units from `first` on may hold together; the pins are
// those of the units with a choice. False, and no call: more than kMaxCombinations.
inline constexpr uint64_t kMaxCombinations = 1 << 16;
template <class Use>
bool EachCombination(const UnitSets& sets, const ContentTable& contents, uint64_t first,
                     uint32_t units, Use use) {
  uint64_t combinations = 1;
  for (uint32_t i = 0; i < units; ++i) {
    combinations *= sets.At(first + i).size();
    if (combinations > kMaxCombinations) return false;
  }
  for (uint64_t n = 0; n < combinations; ++n) {
    std::string bytes;
    std::vector<Pin> pins;
    uint64_t rest = n;
    for (uint32_t i = 0; i < units; ++i) {
      const absl::Span<const ContentId> choice = sets.At(first + i);
      const ContentId content = choice[choice.size() - 1 - rest % choice.size()];
      rest /= choice.size();
      bytes += contents.Bytes(content);
      if (choice.size() > 1) pins.push_back({first + i, content});
    }
    use(bytes, pins);
  }
  return true;
}

}  // namespace model
