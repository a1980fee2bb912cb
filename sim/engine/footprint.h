// What a step touches: the currency of partial-order reduction and of the race checker.
#pragma once

#include "sim/engine/ids.h"

namespace sim {

enum class Access : uint8_t {
  kRead,
  kWrite,
  // A lock is got and given up: what a write or, shared, a read of it comes to.
  kTake,
  kGive,
  kTakeShared,
  kGiveShared,
};

inline bool Writes(Access access) {
  return access == Access::kWrite || access == Access::kTake || access == Access::kGive;
}

struct Footprint {
  ObjectId object;
  Access access = Access::kWrite;
};

// True if the order of two steps with these footprints can matter.
inline bool Conflict(const Footprint& a, const Footprint& b) {
  return a.object == b.object && (Writes(a.access) || Writes(b.access));
}

}  // namespace sim
