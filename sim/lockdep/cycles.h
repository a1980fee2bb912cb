// All elementary strong cycles of a dependency graph.
//
// lockdep stops at the first, and a validator reports as it goes the shortest one that each new
// dependency closes. When everything has been seen, this lists the others, too.
//
// Not listed: what is longer than the limit, and what lies beyond the work limit in a graph so
// dense that there are too many; the result says so.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/lockdep/lock_graph.h"

namespace sim {

struct CycleLimits {
  uint32_t length = 8;         // edges
  uint64_t steps = 1'000'000;  // edges tried
};

struct CycleList {
  // Shortest first, each once, starting at its node of the lowest number; those of one length in
  // the order of their nodes' edges. Hops are of kinds that make the cycle strong.
  std::vector<LockGraph::Path> cycles;
  bool cut_off = false;  // by a limit: there may be more
};

CycleList AllCycles(const LockGraph& graph, const CycleLimits& limits);

}  // namespace sim
