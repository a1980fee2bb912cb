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
  order_.AddNode();
  return LockNodeId{node_count() - 1};
}

bool LockGraph::Has(LockNodeId from, LockNodeId to, EdgeKind kind) const {
  auto it = index_.find(IndexKey(from, to));
  return it != index_.end() && (edges_[it->second].kinds & Bit(kind)) != 0;
}

std::optional<LockGraph::Path> LockGraph::Add(LockNodeId from, LockNodeId to, EdgeKind kind,
                                              Tag tag) {
  std::optional<Path> way_back = FindWayBack(from, to, kind);
  const auto number = static_cast<uint32_t>(edges_.size());
  const auto [it, is_new] = index_.try_emplace(IndexKey(from, to), number);
  if (is_new) {
    edges_.push_back({from, to});
    out_[from.value].push_back({to, number});
    in_[to.value].push_back({from, number});
    AddToOrder(from, to, way_back.has_value());
  }
  Edge& edge = edges_[it->second];
  SIM_CHECK((edge.kinds & Bit(kind)) == 0);
  edge.kinds = static_cast<uint8_t>(edge.kinds | Bit(kind));
  edge.tag[static_cast<size_t>(kind)] = tag;
  return way_back;
}

// A way back runs forwards in the order, but for the edges kept out of it: no node on it lies
// behind both `from` and the last source of those.
std::optional<LockGraph::Path> LockGraph::FindWayBack(LockNodeId from, LockNodeId to,
                                                      EdgeKind kind) const {
  const uint32_t limit = std::max(order_.position(from.value), back_limit_);
  const bool recursive = (Bit(kind) & kNonRecursiveTaker) == 0;
  const bool shared = (Bit(kind) & kExclusiveHolder) == 0;
  return SearchForwards(
      to, recursive, [=](LockNodeId node, bool weak) { return node == from && !(weak && shared); },
      [&](LockNodeId node) { return order_.position(node.value) > limit; });
}

void LockGraph::AddToOrder(LockNodeId from, LockNodeId to, bool closes_cycle) {
  const bool agrees = order_.position(from.value) < order_.position(to.value);
  const bool in_order = (agrees || !closes_cycle) && order_.Add(from.value, to.value);
  if (!in_order) back_sources_.push_back(from);
  if (agrees) return;  // no position has changed
  for (LockNodeId source : back_sources_) {
    back_limit_ = std::max(back_limit_, order_.position(source.value));
  }
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
