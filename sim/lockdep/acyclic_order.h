// A growing graph without cycles, and an order in which every edge leads forwards.
//
// An edge that agrees with the order costs a comparison. For one that does not, only what lies
// between its two ends is looked at, and put in order anew [D. J. Pearce, P. H. J. Kelly, "A
// Dynamic Topological Sort Algorithm for Directed Acyclic Graphs"].
#pragma once

#include <cstdint>
#include <vector>

namespace sim {

class AcyclicOrder {
 public:
  void AddNode();  // numbers from 0 on
  // False: it would close a cycle, and is not there.
  [[nodiscard]] bool Add(uint32_t from, uint32_t to);

  // Smaller than that of each node that `node` leads to. All are different.
  uint32_t position(uint32_t node) const { return position_[node]; }

 private:
  // Puts what `to` leads to, up to the position of `from`, into forwards_. False: `from` is there.
  bool ReachForwards(uint32_t from, uint32_t to);
  void ReachBackwards(uint32_t from, uint32_t to);
  void Reorder();

  std::vector<std::vector<uint32_t>> after_, before_;  // by node
  std::vector<uint32_t> position_;                     // by node

  // Scratch of Add(), kept to save its allocation.
  std::vector<uint32_t> forwards_, backwards_, free_positions_;
  std::vector<bool> seen_;  // by node
};

}  // namespace sim
