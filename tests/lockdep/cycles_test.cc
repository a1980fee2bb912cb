#include "sim/lockdep/cycles.h"

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "gtest/gtest.h"

namespace sim {
namespace {

using Nodes = std::vector<uint32_t>;

bool IsShared(unsigned kind) { return (kind & 1) == 0; }
bool IsRecursive(unsigned kind) { return (kind & 2) == 0; }

// Is there a choice of kinds without a weak joint? All choices are tried.
bool HasStrongKinds(const std::vector<unsigned>& kinds_of, std::vector<unsigned>& chosen) {
  const size_t i = chosen.size();
  if (i == kinds_of.size()) return !(IsRecursive(chosen.back()) && IsShared(chosen.front()));
  for (unsigned kind = 0; kind < 4; ++kind) {
    if ((kinds_of[i] & (1u << kind)) == 0) continue;
    if (i > 0 && IsRecursive(chosen.back()) && IsShared(kind)) continue;
    chosen.push_back(kind);
    if (HasStrongKinds(kinds_of, chosen)) return true;
    chosen.pop_back();
  }
  return false;
}

// All sequences of different nodes that start with their smallest, one by one.
void BruteForce(const std::vector<std::vector<unsigned>>& kinds, Nodes& path, size_t limit,
                std::set<Nodes>& found) {
  std::vector<unsigned> kinds_of;
  for (size_t i = 0; i < path.size(); ++i) {
    kinds_of.push_back(kinds[path[i]][path[(i + 1) % path.size()]]);
  }
  std::vector<unsigned> chosen;
  if (path.size() > 1 && HasStrongKinds(kinds_of, chosen)) found.insert(path);
  if (path.size() == limit) return;
  for (uint32_t next = path.front() + 1; next < kinds.size(); ++next) {
    if (std::find(path.begin(), path.end(), next) != path.end()) continue;
    path.push_back(next);
    BruteForce(kinds, path, limit, found);
    path.pop_back();
  }
}

TEST(CyclesTest, AreThoseOfBruteForceEachOnceAndShortestFirst) {
  std::mt19937 random(1);
  size_t all = 0;
  for (int round = 0; round < 300; ++round) {
    const uint32_t nodes = 2 + static_cast<uint32_t>(random() % 5);
    const uint32_t limit = 2 + static_cast<uint32_t>(random() % 5);
    LockGraph graph;
    for (uint32_t i = 0; i < nodes; ++i) graph.AddNode();
    std::vector<std::vector<unsigned>> kinds(nodes, std::vector<unsigned>(nodes, 0));
    for (uint32_t step = 0; step < 3 * nodes; ++step) {
      const LockNodeId from{static_cast<uint32_t>(random() % nodes)};
      const LockNodeId to{static_cast<uint32_t>(random() % nodes)};
      const auto kind = static_cast<EdgeKind>(random() % 4);
      if (from == to || graph.Has(from, to, kind)) continue;
      (void)graph.Add(from, to, kind, step);
      kinds[from.value][to.value] |= 1u << static_cast<unsigned>(kind);
    }
    std::set<Nodes> want;
    for (uint32_t first = 0; first < nodes; ++first) {
      Nodes path = {first};
      BruteForce(kinds, path, limit, want);
    }
    const CycleList list = AllCycles(graph, {.length = limit});
    std::set<Nodes> got;
    for (size_t i = 0; i < list.cycles.size(); ++i) {
      const LockGraph::Path& cycle = list.cycles[i];
      ASSERT_GE(cycle.size(), list.cycles[i == 0 ? 0 : i - 1].size());
      Nodes path;
      for (size_t j = 0; j < cycle.size(); ++j) {
        const LockGraph::Edge& edge = graph.edge(cycle[j].edge);
        const auto kind = static_cast<unsigned>(cycle[j].kind);
        const auto before =
            static_cast<unsigned>(cycle[(j + cycle.size() - 1) % cycle.size()].kind);
        ASSERT_NE(edge.kinds & (1u << kind), 0);
        ASSERT_FALSE(IsRecursive(before) && IsShared(kind)) << "a weak joint";
        path.push_back(edge.from.value);
      }
      ASSERT_TRUE(got.insert(path).second) << "twice";
    }
    ASSERT_EQ(got, want) << "round " << round;
    all += want.size();
  }
  EXPECT_GT(all, 400u);
}

TEST(CyclesTest, SayWhenALimitCutSomethingOff) {
  LockGraph graph;
  for (int i = 0; i < 3; ++i) graph.AddNode();
  for (uint32_t i = 0; i < 3; ++i) {
    (void)graph.Add(LockNodeId{i}, LockNodeId{(i + 1) % 3}, EdgeKind::kEN, i);
  }
  EXPECT_TRUE(AllCycles(graph, {.length = 2}).cut_off);
  EXPECT_TRUE(AllCycles(graph, {.steps = 1}).cut_off);
  const CycleList list = AllCycles(graph, {});
  EXPECT_FALSE(list.cut_off);
  EXPECT_EQ(list.cycles.size(), 1u);
}

}  // namespace
}  // namespace sim
