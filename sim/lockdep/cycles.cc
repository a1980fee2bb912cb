#include "sim/lockdep/cycles.h"

#include <algorithm>
#include <optional>

namespace sim {
namespace {

constexpr uint32_t kFar = UINT32_MAX;

// Walks from each node in turn over nodes of higher numbers, and back to it.
class CycleSearch {
 public:
  CycleSearch(const LockGraph& graph, const CycleLimits& limits)
      : graph_(graph),
        limits_(limits),
        excluded_(graph.node_count(), false),
        on_path_(graph.node_count(), false) {}

  CycleList Run() {
    ExcludeDeadEnds<true>();
    ExcludeDeadEnds<false>();
    for (uint32_t i = 0; i < graph_.node_count(); ++i) {
      if (excluded_[i]) continue;
      start_ = LockNodeId{i};
      MeasureWaysBack();
      Extend(start_);
    }
    std::stable_sort(list_.cycles.begin(), list_.cycles.end(),
                     [](const auto& a, const auto& b) { return a.size() < b.size(); });
    return std::move(list_);
  }

 private:
  // Nodes from which (or to which) every path ends: in a graph without cycles these are all.
  template <bool kForwards>
  void ExcludeDeadEnds() {
    std::vector<size_t> open(graph_.node_count());
    std::vector<LockNodeId> queue;
    const auto links = [&](LockNodeId node, bool forwards) -> const auto& {
      return forwards ? graph_.links_from(node) : graph_.links_to(node);
    };
    for (uint32_t i = 0; i < graph_.node_count(); ++i) {
      open[i] = links(LockNodeId{i}, kForwards).size();
      if (open[i] == 0) queue.push_back(LockNodeId{i});
    }
    for (size_t head = 0; head < queue.size(); ++head) {
      excluded_[queue[head].value] = true;
      for (const LockGraph::Link& link : links(queue[head], !kForwards)) {
        if (--open[link.node.value] == 0) queue.push_back(link.node);
      }
    }
  }

  // How many edges each node is from start_, over nodes of higher numbers.
  void MeasureWaysBack() {
    distance_.assign(graph_.node_count(), kFar);
    distance_[start_.value] = 0;
    std::vector<LockNodeId> queue = {start_};
    for (size_t head = 0; head < queue.size(); ++head) {
      for (const LockGraph::Link& link : graph_.links_to(queue[head])) {
        if (excluded_[link.node.value] || link.node.value < start_.value) continue;
        if (distance_[link.node.value] != kFar) continue;
        distance_[link.node.value] = distance_[queue[head].value] + 1;
        queue.push_back(link.node);
      }
    }
  }

  void Extend(LockNodeId node) {
    on_path_[node.value] = true;
    for (const LockGraph::Link& link : graph_.links_from(node)) {
      if (distance_[link.node.value] == kFar) continue;
      const bool closes = link.node == start_;
      if (!closes && on_path_[link.node.value]) continue;
      if (edges_.size() + 1 + distance_[link.node.value] > limits_.length ||
          steps_ == limits_.steps) {
        list_.cut_off = true;
        continue;
      }
      ++steps_;
      edges_.push_back(link.edge);
      if (!closes) {
        Extend(link.node);
      } else if (auto path = StrongKinds(false)) {
        list_.cycles.push_back(*std::move(path));
      } else if (path = StrongKinds(true); path.has_value()) {
        list_.cycles.push_back(*std::move(path));
      }
      edges_.pop_back();
    }
    on_path_[node.value] = false;
  }

  // A kind for each edge so that the cycle is strong. It may end with a recursive taker only if its
  // first holder is exclusive. Of the kinds allowed, one whose taker is not recursive leaves the
  // most open.
  std::optional<LockGraph::Path> StrongKinds(bool first_exclusive) const {
    LockGraph::Path path;
    bool recursive = first_exclusive;
    for (uint32_t edge : edges_) {
      const unsigned allowed =
          graph_.edge(edge).kinds & (recursive ? LockGraph::kExclusiveHolder : 0b1111u);
      if (allowed == 0) return std::nullopt;
      recursive = (allowed & LockGraph::kNonRecursiveTaker) == 0;
      const unsigned kinds = recursive ? allowed : allowed & LockGraph::kNonRecursiveTaker;
      path.push_back({edge, LockGraph::FirstSeen(graph_.edge(edge), kinds)});
    }
    if (recursive && !first_exclusive) return std::nullopt;
    return path;
  }

  const LockGraph& graph_;
  const CycleLimits limits_;
  LockNodeId start_;
  std::vector<uint32_t> distance_;
  std::vector<bool> excluded_, on_path_;
  std::vector<uint32_t> edges_;
  uint64_t steps_ = 0;
  CycleList list_;
};

}  // namespace

CycleList AllCycles(const LockGraph& graph, const CycleLimits& limits) {
  return CycleSearch(graph, limits).Run();
}

}  // namespace sim
