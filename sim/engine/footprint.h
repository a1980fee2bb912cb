// What a step touches: the currency of partial-order reduction and of the race checker.
#pragma once

#include "sim/engine/ids.h"

namespace sim {

enum class Access : uint8_t { kRead, kWrite };

struct Footprint {
  ObjectId object;
  Access access = Access::kWrite;
};

// True if the order of two steps with these footprints can matter.
inline bool Conflict(const Footprint& a, const Footprint& b) {
  return a.object == b.object && (a.access == Access::kWrite || b.access == Access::kWrite);
}

}  // namespace sim
