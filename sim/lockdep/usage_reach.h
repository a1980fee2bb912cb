// Which usage lies before and after each node of the dependency graph: what a search for
// irq-safe and irq-unsafe classes could find at most. Most searches need not be made.
//
// Weak paths and per-CPU locks count here like any other, so the answer may be too much, never too
// little.
#pragma once

#include <vector>

#include "sim/lockdep/lock_graph.h"
#include "sim/lockdep/usage.h"

namespace sim {

class UsageReach {
 public:
  // The graph's next node has been added.
  void AddNode() { reach_.emplace_back(); }
  // The node's usage now includes `usage`.
  void Mark(const LockGraph& graph, LockNodeId node, UsageMask usage);
  // The edge from -> to has been added to the graph.
  void AddEdge(const LockGraph& graph, LockNodeId from, LockNodeId to);

  // The "used in" bits of the node and all that lead to it.
  UsageMask before(LockNodeId node) const { return reach_[node.value].before; }
  // The "enabled" bits of the node and all that it leads to.
  UsageMask after(LockNodeId node) const { return reach_[node.value].after; }

 private:
  struct Reach {
    UsageMask before = 0, after = 0;
  };

  void SpreadForwards(const LockGraph& graph, LockNodeId root, UsageMask usage);
  void SpreadBackwards(const LockGraph& graph, LockNodeId root, UsageMask usage);

  std::vector<Reach> reach_;       // by LockNodeId
  std::vector<LockNodeId> queue_;  // scratch, kept to save its allocation
};

}  // namespace sim
