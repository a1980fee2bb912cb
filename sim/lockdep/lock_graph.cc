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
  queue_.resize(2 * out_.size() + 1);
  order_.AddNode();
  return LockNodeId{node_count() - 1};
}

bool LockGraph::Has(LockNodeId from, LockNodeId to, EdgeKind kind) const {
  auto it = index_.find(IndexKey(from, to));
  return it != index_.end() && (edges_[it->second].kinds & Bit(kind)) != 0;
}

bool LockGraph::Add(LockNodeId from, LockNodeId to, EdgeKind kind, Tag tag) {
  const bool closes_cycle = HasWayBack(from, to, kind);
  const auto number = static_cast<uint32_t>(edges_.size());
  const auto [it, is_new] = index_.try_emplace(IndexKey(from, to), number);
  if (is_new) {
    edges_.push_back({from, to});
    out_[from.value].push_back({to, number});
    in_[to.value].push_back({from, number});
    AddToOrder(from, to, closes_cycle);
  }
  const uint32_t index = it->second;
  Edge& edge = edges_[index];
  SIM_CHECK((edge.kinds & Bit(kind)) == 0);
  edge.kinds = static_cast<uint8_t>(edge.kinds | Bit(kind));
  edge.tag[static_cast<size_t>(kind)] = last_tag_ = tag;
  for (auto* links : {&out_[from.value], &in_[to.value]}) {
    const auto is_its = [index](const Link& link) { return link.edge == index; };
    std::find_if(links->rbegin(), links->rend(), is_its)->kinds = edge.kinds;
  }
  return closes_cycle;
}

bool LockGraph::HasWayBack(LockNodeId from, LockNodeId to, EdgeKind kind) const {
  const uint32_t last = LastOnWayBack(from);
  const bool shared = (Bit(kind) & kExclusiveHolder) == 0;
  const auto skip = [&](LockNodeId node) { return order_.position(node.value) > last; };
  const auto is_earlier = [&](const State& a, const State& b) {
    return order_.position(a.node.value) < order_.position(b.node.value);
  };
  const bool recursive = (Bit(kind) & kNonRecursiveTaker) == 0;
  State* end = Start(to, recursive, skip);
  while (end != queue_.data()) {
    const State state = *--end;
    if (state.node == from && !(state.weak && shared)) return true;
    State* const known = end;
    end = Expand<true>(state, 0, skip, kAllKinds, end);
    if (end != known) std::iter_swap(std::max_element(known, end, is_earlier), end - 1);
  }
  return false;
}

LockGraph::Path LockGraph::WayBack(LockNodeId from, LockNodeId to, EdgeKind kind) const {
  const uint32_t last = LastOnWayBack(from);
  const bool recursive = (Bit(kind) & kNonRecursiveTaker) == 0;
  const bool shared = (Bit(kind) & kExclusiveHolder) == 0;
  const Tag added = edges_[index_.at(IndexKey(from, to))].tag[static_cast<size_t>(kind)];
  const auto is_back = [=](LockNodeId node, bool weak) {
    return node == from && !(weak && shared);
  };
  const auto is_beyond = [&](LockNodeId node) { return order_.position(node.value) > last; };
  const auto kinds_before = [=, this](uint32_t edge, unsigned kinds) {
    for (unsigned i = 0; i < edges_[edge].tag.size(); ++i) {
      if (edges_[edge].tag[i] >= added) kinds &= ~(1u << i);
    }
    return kinds;
  };
  // The way ends at `from`; or passes it with what only an exclusive holder adds, which this edge's
  // is not then. So an edge that was added last is not on its own way back.
  auto way = added == last_tag_ ? Search<true>(to, recursive, is_back, is_beyond, kAllKinds)
                                : Search<true>(to, recursive, is_back, is_beyond, kinds_before);
  SIM_CHECK(way.has_value());
  return *std::move(way);
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
