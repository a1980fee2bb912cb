#include "sim/lockdep/acyclic_order.h"

#include <algorithm>
#include <cstddef>

namespace sim {

void AcyclicOrder::AddNode() {
  position_.push_back(static_cast<uint32_t>(position_.size()));
  after_.emplace_back();
  before_.emplace_back();
  seen_.push_back(false);
}

bool AcyclicOrder::Add(uint32_t from, uint32_t to) {
  if (from == to) return false;
  if (position_[from] > position_[to]) {
    if (!ReachForwards(from, to)) return false;
    ReachBackwards(from, to);
    Reorder();
  }
  after_[from].push_back(to);
  before_[to].push_back(from);
  return true;
}

bool AcyclicOrder::ReachForwards(uint32_t from, uint32_t to) {
  bool acyclic = true;
  forwards_.assign(1, to);
  seen_[to] = true;
  for (size_t head = 0; head < forwards_.size() && acyclic; ++head) {
    for (uint32_t next : after_[forwards_[head]]) {
      if (next == from) acyclic = false;
      if (seen_[next] || position_[next] > position_[from]) continue;
      seen_[next] = true;
      forwards_.push_back(next);
    }
  }
  for (uint32_t node : forwards_) seen_[node] = false;
  return acyclic;
}

void AcyclicOrder::ReachBackwards(uint32_t from, uint32_t to) {
  backwards_.assign(1, from);
  seen_[from] = true;
  for (size_t head = 0; head < backwards_.size(); ++head) {
    for (uint32_t next : before_[backwards_[head]]) {
      if (seen_[next] || position_[next] < position_[to]) continue;
      seen_[next] = true;
      backwards_.push_back(next);
    }
  }
  for (uint32_t node : backwards_) seen_[node] = false;
}

// All of backwards_ before all of forwards_, within the positions that they have: nobody moves past
// a neighbour that was not reached.
void AcyclicOrder::Reorder() {
  const auto earlier = [&](uint32_t a, uint32_t b) { return position_[a] < position_[b]; };
  std::sort(backwards_.begin(), backwards_.end(), earlier);
  std::sort(forwards_.begin(), forwards_.end(), earlier);
  free_positions_.clear();
  for (uint32_t node : backwards_) free_positions_.push_back(position_[node]);
  for (uint32_t node : forwards_) free_positions_.push_back(position_[node]);
  std::inplace_merge(free_positions_.begin(),
                     free_positions_.begin() + static_cast<std::ptrdiff_t>(backwards_.size()),
                     free_positions_.end());
  size_t next = 0;
  for (uint32_t node : backwards_) position_[node] = free_positions_[next++];
  for (uint32_t node : forwards_) position_[node] = free_positions_[next++];
}

}  // namespace sim
