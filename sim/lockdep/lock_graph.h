// The dependency graph: an edge A -> B says that B was waited for while A was held.
//
// A node is a lock class with a subclass (what lockdep calls a class). Each edge has the kinds in
// which it was seen: the holder exclusive or shared (E, S), the taker recursive or not (R, N).
// A recursive taker does not wait behind a shared holder, so a path that enters a node as *R may
// not leave it as S*; a path without such a joint is *strong*, and only strong cycles can
// deadlock [Documentation/locking/lockdep-design.rst, kernel/locking/lockdep.c:__bfs()].
//
// Searches are breadth first and exact: a node is visited once per way of entering it (lockdep
// visits it once, and can miss a path). They find a shortest path, and among those the one
// through the edges that were added first.
//
// Whether a new edge closes a cycle is cheaper to know than which one is the shortest. The edges
// that close none keep an order, so that most new ones cost next to nothing; for the others, the
// way back is walked depth first, always to the neighbour that comes latest in that order, since
// what it ends in comes later still. The shortest way is for who asks, at any time: WayBack().
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "sim/engine/ids.h"
#include "sim/lockdep/acyclic_order.h"
#include "sim/lockdep/lock_types.h"

namespace sim {

using LockNodeId = Id<struct LockNodeTag>;

// Bit 0: the holder is exclusive; bit 1: the taker is not recursive.
enum class EdgeKind : uint8_t { kSR = 0, kER = 1, kSN = 2, kEN = 3 };

constexpr EdgeKind KindOf(ReadMode held, ReadMode taken) {
  return static_cast<EdgeKind>((held == ReadMode::kExclusive ? 1 : 0) |
                               (taken != ReadMode::kSharedRecursive ? 2 : 0));
}

class LockGraph {
 public:
  using Tag = uint32_t;  // the caller's note on why an edge is there

  struct Edge {
    LockNodeId from, to;
    uint8_t kinds = 0;            // set of 1 << EdgeKind
    std::array<Tag, 4> tag = {};  // by kind: the first note
  };
  // One edge of a path, in the kind that makes the path strong.
  struct Hop {
    uint32_t edge = 0;
    EdgeKind kind = EdgeKind::kEN;
  };
  using Path = std::vector<Hop>;

  // Sets of 1 << EdgeKind.
  static constexpr unsigned kExclusiveHolder = 0b1010;
  static constexpr unsigned kNonRecursiveTaker = 0b1100;
  // The earliest noted of the kinds in `allowed`.
  static EdgeKind FirstSeen(const Edge& edge, unsigned allowed);

  LockNodeId AddNode();
  uint32_t node_count() const { return static_cast<uint32_t>(out_.size()); }

  bool Has(LockNodeId from, LockNodeId to, EdgeKind kind) const;
  // Adds an edge; true: it closes a strong cycle. Requires: !Has(from, to, kind), and a tag above
  // those before.
  bool Add(LockNodeId from, LockNodeId to, EdgeKind kind, Tag tag);
  // The shortest way back from `to` to `from` that made a strong cycle with the edge of this kind
  // when it was added. Requires: Add() had said that there is one.
  Path WayBack(LockNodeId from, LockNodeId to, EdgeKind kind) const;

  // In order of first sight.
  const std::vector<Edge>& edges() const { return edges_; }
  const Edge& edge(uint32_t index) const { return edges_[index]; }
  // An edge, seen from one of its ends.
  struct Link {
    LockNodeId node;  // the other end
    uint32_t edge = 0;
    uint8_t kinds = 0;  // the edge's: what a search needs is in one place
  };
  // In order of first sight. Most nodes have few.
  using Links = absl::InlinedVector<Link, 4>;
  const Links& links_from(LockNodeId node) const { return out_[node.value]; }
  const Links& links_to(LockNodeId node) const { return in_[node.value]; }

  // The shortest strong path along (or against) the edges from a root to a node for which
  // match(node, weak) holds, the root included. `weak` says that a node was reached only by
  // edges that conflict with exclusive use alone: *R on the way forwards, S* on the way
  // backwards; `root_weak` says it of the root. Nodes with skip(node) are not there. Hops come
  // in the order of the edges' direction.
  template <class Match, class Skip>
  std::optional<Path> SearchForwards(LockNodeId root, bool root_weak, Match match,
                                     Skip skip) const {
    return Search<true>(root, root_weak, match, skip, kAllKinds);
  }
  template <class Match, class Skip>
  std::optional<Path> SearchBackwards(LockNodeId root, bool root_weak, Match match,
                                      Skip skip) const {
    return Search<false>(root, root_weak, match, skip, kAllKinds);
  }

 private:
  struct State {
    LockNodeId node;
    bool weak = false;
    uint32_t parent = UINT32_MAX;  // in queue_
    uint32_t edge = 0;             // by which it was reached
  };

  static constexpr auto kAllKinds = [](uint32_t, unsigned kinds) { return kinds; };

  // A path that has got to a node weakly goes on in these kinds, and strongly by those.
  static constexpr unsigned kEveryKind = 0b1111;
  template <bool kForwards>
  static constexpr unsigned kAfterWeak = kForwards ? kExclusiveHolder : kNonRecursiveTaker;
  template <bool kForwards>
  static constexpr unsigned kMakesStrong = kForwards ? kNonRecursiveTaker : kExclusiveHolder;

  // kinds(edge, all): those of all its kinds that are there.
  template <bool kForwards, class Match, class Skip, class Kinds>
  std::optional<Path> Search(LockNodeId root, bool root_weak, Match match, Skip skip,
                             Kinds kinds) const;
  // Puts at `end` what the links of a state, queue_[at], lead to for the first time in this search;
  // a state more may be written over. Returns the new end.
  template <bool kForwards, class Skip, class Kinds>
  State* Expand(const State& state, uint32_t at, Skip skip, Kinds kinds, State* end) const;
  template <bool kForwards, class Kinds>
  Path PathTo(const State& last, Kinds kinds) const;
  bool HasWayBack(LockNodeId from, LockNodeId to, EdgeKind kind) const;
  // No node at a greater position in order_ is on a way back to `from`.
  uint32_t LastOnWayBack(LockNodeId from) const {
    return std::max(order_.position(from.value), back_limit_);
  }
  void AddToOrder(LockNodeId from, LockNodeId to, bool closes_cycle);
  // How a node is reached in this search. What was reached like this or in a stronger way is no new
  // state: reached strongly, everything can follow that could after reaching it weakly.
  uint64_t Reached(bool strongly) const { return search_ * 2 + (strongly ? 1 : 0); }
  // Begins a search; returns the end of its states.
  template <class Skip>
  State* Start(LockNodeId root, bool weak, Skip skip) const {
    ++search_;
    if (skip(root)) return queue_.data();
    visited_[root.value] = Reached(!weak);
    queue_[0] = {.node = root, .weak = weak};
    return queue_.data() + 1;
  }

  std::vector<Edge> edges_;
  std::vector<Links> out_, in_;                    // by node: edges in order of first sight
  absl::flat_hash_map<uint64_t, uint32_t> index_;  // from, to -> edge; look-up only
  AcyclicOrder order_;                             // of all edges but those from back_sources_
  std::vector<LockNodeId> back_sources_;
  uint32_t back_limit_ = 0;  // the greatest position of back_sources_; 0: there are none
  Tag last_tag_ = 0;

  // Scratch of Search(), kept to save its allocation.
  // For each node twice: reached weakly, then strongly; and one that Expand() may write over.
  mutable std::vector<State> queue_;
  mutable std::vector<uint64_t> visited_;  // by node: search number * 2 + (reached strongly)
  mutable uint64_t search_ = 0;
};

template <bool kForwards, class Match, class Skip, class Kinds>
std::optional<LockGraph::Path> LockGraph::Search(LockNodeId root, bool root_weak, Match match,
                                                 Skip skip, Kinds kinds) const {
  State* end = Start(root, root_weak, skip);
  uint32_t at = 0;
  for (const State* state = queue_.data(); state != end; ++state) {
    if (match(state->node, state->weak)) return PathTo<kForwards>(*state, kinds);
    end = Expand<kForwards>(*state, at++, skip, kinds, end);
  }
  return std::nullopt;
}

template <bool kForwards, class Skip, class Kinds>
LockGraph::State* LockGraph::Expand(const State& state, uint32_t at, Skip skip, Kinds kinds,
                                    State* end) const {
  const unsigned passable = state.weak ? kAfterWeak<kForwards> : kEveryKind;
  const uint64_t weakly = Reached(false);
  uint64_t* const visited = visited_.data();
  // Which links lead to something new cannot be foretold, so nothing branches on it.
  for (const Link& link : kForwards ? out_[state.node.value] : in_[state.node.value]) {
    const unsigned allowed = kinds(link.edge, link.kinds) & passable;
    const bool strong = (allowed & kMakesStrong<kForwards>) != 0;
    uint64_t how = allowed != 0 ? weakly + (strong ? 1 : 0) : 0;
    how = skip(link.node) ? 0 : how;
    const uint64_t before = visited[link.node.value];
    visited[link.node.value] = std::max(before, how);
    end->node = link.node;
    end->parent = at;
    end->edge = link.edge;
    end->weak = !strong;
    end += before < how ? 1 : 0;
  }
  return end;
}

template <bool kForwards, class Kinds>
LockGraph::Path LockGraph::PathTo(const State& last, Kinds kinds) const {
  Path path;
  for (const State* at = &last; at->parent != UINT32_MAX;) {
    const State& parent = queue_[at->parent];
    const Edge& edge = edges_[at->edge];
    const unsigned allowed = kinds(at->edge, edge.kinds) &
                             (parent.weak ? kAfterWeak<kForwards> : kEveryKind) &
                             (at->weak ? kEveryKind : kMakesStrong<kForwards>);
    path.push_back({at->edge, FirstSeen(edge, allowed)});
    at = &parent;
  }
  if (kForwards) std::reverse(path.begin(), path.end());
  return path;
}

}  // namespace sim
