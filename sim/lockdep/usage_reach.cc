#include "sim/lockdep/usage_reach.h"

namespace sim {

void UsageReach::Mark(const LockGraph& graph, LockNodeId node, UsageMask usage) {
  SpreadForwards(graph, node, usage & kUsageInIrq);
  SpreadBackwards(graph, node, usage & kUsageIrqOn);
}

void UsageReach::AddEdge(const LockGraph& graph, LockNodeId from, LockNodeId to) {
  SpreadForwards(graph, to, before(from));
  SpreadBackwards(graph, from, after(to));
}

void UsageReach::SpreadForwards(const LockGraph& graph, LockNodeId root, UsageMask usage) {
  const auto spread = [&](LockNodeId node) {
    UsageMask& before = reach_[node.value].before;
    if ((usage & ~before) == 0) return;
    before = static_cast<UsageMask>(before | usage);
    queue_.push_back(node);
  };
  queue_.clear();
  spread(root);
  for (size_t head = 0; head < queue_.size(); ++head) {
    for (const auto& link : graph.links_from(queue_[head])) spread(link.node);
  }
}

void UsageReach::SpreadBackwards(const LockGraph& graph, LockNodeId root, UsageMask usage) {
  const auto spread = [&](LockNodeId node) {
    UsageMask& after = reach_[node.value].after;
    if ((usage & ~after) == 0) return;
    after = static_cast<UsageMask>(after | usage);
    queue_.push_back(node);
  };
  queue_.clear();
  spread(root);
  for (size_t head = 0; head < queue_.size(); ++head) {
    for (const auto& link : graph.links_to(queue_[head])) spread(link.node);
  }
}

}  // namespace sim
