#include "sim/lockdep/lock_graph.h"

#include <map>
#include <random>
#include <vector>

#include "gtest/gtest.h"
#include "sim/lockdep/acyclic_order.h"

namespace sim {
namespace {

// Strong paths by their definition: all walks over (node, entered as *R), one step at a time.
class Oracle {
 public:
  void Add(uint32_t from, uint32_t to, EdgeKind kind) { edges_.push_back({from, to, kind}); }

  // The number of edges on the shortest strong way back; 0: none.
  size_t WayBack(uint32_t from, uint32_t to, EdgeKind closing, uint32_t nodes) const {
    std::vector<bool> now(2 * nodes, false);
    now[2 * to + (IsRecursive(closing) ? 1 : 0)] = true;
    for (size_t length = 1; length <= 2 * nodes; ++length) {
      std::vector<bool> next(2 * nodes, false);
      for (const Edge& edge : edges_) {
        const bool strongly = now[2 * edge.from];
        const bool weakly = now[2 * edge.from + 1] && !IsShared(edge.kind);
        if (strongly || weakly) next[2 * edge.to + (IsRecursive(edge.kind) ? 1 : 0)] = true;
      }
      if (next[2 * from] || (next[2 * from + 1] && !IsShared(closing))) return length;
      now = next;
    }
    return 0;
  }

 private:
  struct Edge {
    uint32_t from, to;
    EdgeKind kind;
  };
  static bool IsShared(EdgeKind kind) { return (static_cast<unsigned>(kind) & 1) == 0; }
  static bool IsRecursive(EdgeKind kind) { return (static_cast<unsigned>(kind) & 2) == 0; }

  std::vector<Edge> edges_;
};

// The path is made of edges that are there, in kinds that are there, and is strong throughout.
bool IsStrongCycle(const LockGraph& graph, LockNodeId from, LockNodeId to, EdgeKind closing,
                   const LockGraph::Path& path) {
  LockNodeId at = to;
  EdgeKind into = closing;
  for (const LockGraph::Hop& hop : path) {
    const LockGraph::Edge& edge = graph.edge(hop.edge);
    const unsigned kind = static_cast<unsigned>(hop.kind);
    if (edge.from != at || (edge.kinds & (1u << kind)) == 0) return false;
    if ((static_cast<unsigned>(into) & 2) == 0 && (kind & 1) == 0) return false;
    at = edge.to;
    into = hop.kind;
  }
  const bool weak_joint =
      (static_cast<unsigned>(into) & 2) == 0 && (static_cast<unsigned>(closing) & 1) == 0;
  return at == from && !weak_joint;
}

TEST(LockGraphTest, KnowsWhatClosesAStrongCycleAndTheShortestLikeTheOracle) {
  struct Closing {
    LockNodeId from, to;
    EdgeKind kind = EdgeKind::kEN;
    LockGraph::Path path;
  };
  const auto tags = [](const LockGraph& graph, const LockGraph::Path& path) {
    std::vector<LockGraph::Tag> list;
    for (const LockGraph::Hop& hop : path) {
      list.push_back(graph.edge(hop.edge).tag[static_cast<size_t>(hop.kind)]);
    }
    return list;
  };
  std::mt19937 random(1);
  int cycles = 0;
  for (int round = 0; round < 300; ++round) {
    const uint32_t nodes = 2 + random() % 9;
    LockGraph graph;
    Oracle oracle;
    std::vector<Closing> closing;
    for (uint32_t i = 0; i < nodes; ++i) graph.AddNode();
    for (uint32_t step = 0; step < 3 * nodes; ++step) {
      const LockNodeId from{static_cast<uint32_t>(random() % nodes)};
      const LockNodeId to{static_cast<uint32_t>(random() % nodes)};
      const EdgeKind kind = static_cast<EdgeKind>(random() % 4);
      if (from == to || graph.Has(from, to, kind)) continue;
      const size_t want = oracle.WayBack(from.value, to.value, kind, nodes);
      oracle.Add(from.value, to.value, kind);
      ASSERT_EQ(graph.Add(from, to, kind, step), want > 0) << "round " << round << " step " << step;
      if (want == 0) continue;
      closing.push_back({from, to, kind, graph.WayBack(from, to, kind)});
      ASSERT_EQ(closing.back().path.size(), want) << "round " << round << " step " << step;
      ASSERT_TRUE(IsStrongCycle(graph, from, to, kind, closing.back().path));
    }
    // What came later changes nothing.
    for (const Closing& one : closing) {
      ASSERT_EQ(tags(graph, graph.WayBack(one.from, one.to, one.kind)), tags(graph, one.path));
      ++cycles;
    }
  }
  EXPECT_GT(cycles, 500);
}

// Against reachability as Warshall computes it.
TEST(AcyclicOrderTest, EdgesLeadForwardsAndNoneClosesACycle) {
  std::mt19937 random(2);
  int refused = 0;
  for (int round = 0; round < 300; ++round) {
    const uint32_t nodes = 2 + random() % 14;
    AcyclicOrder order;
    for (uint32_t i = 0; i < nodes; ++i) order.AddNode();
    std::vector<std::vector<bool>> reach(nodes, std::vector<bool>(nodes, false));
    for (uint32_t i = 0; i < nodes; ++i) reach[i][i] = true;
    for (uint32_t step = 0; step < 3 * nodes; ++step) {
      const uint32_t from = random() % nodes, to = random() % nodes;
      const bool acyclic = !reach[to][from];
      ASSERT_EQ(order.Add(from, to), acyclic) << "round " << round;
      if (!acyclic) ++refused;
      for (uint32_t a = 0; acyclic && a < nodes; ++a) {
        for (uint32_t b = 0; b < nodes; ++b) {
          if (reach[a][from] && reach[to][b]) reach[a][b] = true;
          if (a == b || !reach[a][b]) continue;
          ASSERT_LT(order.position(a), order.position(b)) << "round " << round;
        }
      }
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace sim
