#include "sim/lockdep/lock_graph.h"

#include "sim/check.h"

namespace sim {
namespace {

uint64_t IndexKey(LockNodeId from, LockNodeId to) {
  return (static_cast<uint64_t>(from.value) << 32) | to.value;
}

unsigned Bit(EdgeKind kind) { return 1u << static_cast<unsigned>(kind); }

}  // namespace

LockNodeId LockGraph::AddNode() {
  out_.emplace_back();
  in_.emplace_back();
  visited_.push_back(0);
  return LockNodeId{node_count() - 1};
}

bool LockGraph::Has(LockNodeId from, LockNodeId to, EdgeKind kind) const {
  auto it = index_.find(IndexKey(from, to));
  return it != index_.end() && (edges_[it->second].kinds & Bit(kind)) != 0;
}

void LockGraph::Add(LockNodeId from, LockNodeId to, EdgeKind kind, Tag tag) {
  auto [it, is_new] = index_.try_emplace(IndexKey(from, to), static_cast<uint32_t>(edges_.size()));
  if (is_new) {
    edges_.push_back({from, to});
    out_[from.value].push_back(it->second);
    in_[to.value].push_back(it->second);
  }
  Edge& edge = edges_[it->second];
  SIM_CHECK((edge.kinds & Bit(kind)) == 0);
  edge.kinds = static_cast<uint8_t>(edge.kinds | Bit(kind));
  edge.tag[static_cast<size_t>(kind)] = tag;
}

std::optional<LockGraph::Path> LockGraph::FindWayBack(LockNodeId from, LockNodeId to,
                                                      EdgeKind kind) const {
  const bool recursive = (Bit(kind) & kNonRecursiveTaker) == 0;
  const bool shared = (Bit(kind) & kExclusiveHolder) == 0;
  return SearchForwards(
      to, recursive, [=](LockNodeId node, bool weak) { return node == from && !(weak && shared); },
      [](LockNodeId) { return false; });
}

bool LockGraph::Visit(LockNodeId node, bool weak) const {
  // Reached strongly, everything can follow that could after reaching it weakly.
  const uint64_t mark = search_ * 2 + (weak ? 0 : 1);
  if (visited_[node.value] >= mark) return false;
  visited_[node.value] = mark;
  return true;
}

EdgeKind LockGraph::FirstSeen(const Edge& edge, unsigned allowed) {
  EdgeKind first = EdgeKind::kSR;
  Tag best = UINT32_MAX;
  for (EdgeKind kind : {EdgeKind::kEN, EdgeKind::kSN, EdgeKind::kER, EdgeKind::kSR}) {
    if ((allowed & Bit(kind)) == 0 || edge.tag[static_cast<size_t>(kind)] >= best) continue;
    best = edge.tag[static_cast<size_t>(kind)];
    first = kind;
  }
  return first;
}

}  // namespace sim
