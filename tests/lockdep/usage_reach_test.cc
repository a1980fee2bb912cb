#include "sim/lockdep/usage_reach.h"

#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace sim {
namespace {

// Against reachability as Warshall computes it.
TEST(UsageReachTest, IsWhatLiesBeforeAndAfterEachNode) {
  std::mt19937 random(1);
  for (int round = 0; round < 100; ++round) {
    const uint32_t nodes = 2 + random() % 9;
    LockGraph graph;
    UsageReach reach;
    std::vector<UsageMask> usage(nodes, 0);
    std::vector<std::vector<bool>> leads(nodes, std::vector<bool>(nodes, false));
    for (uint32_t i = 0; i < nodes; ++i) {
      graph.AddNode();
      reach.AddNode();
      leads[i][i] = true;
    }
    for (uint32_t step = 0; step < 3 * nodes; ++step) {
      const LockNodeId from{static_cast<uint32_t>(random() % nodes)};
      const LockNodeId to{static_cast<uint32_t>(random() % nodes)};
      if (random() % 3 == 0) {
        const UsageMask bit = Mask(static_cast<UsageBit>(random() % 8));
        usage[from.value] = static_cast<UsageMask>(usage[from.value] | bit);
        reach.Mark(graph, from, bit);
      } else if (from != to && !graph.Has(from, to, EdgeKind::kEN)) {
        graph.Add(from, to, EdgeKind::kEN, step);
        reach.AddEdge(graph, from, to);
        for (uint32_t a = 0; a < nodes; ++a) {
          for (uint32_t b = 0; b < nodes; ++b) {
            if (leads[a][from.value] && leads[to.value][b]) leads[a][b] = true;
          }
        }
      }
      for (uint32_t a = 0; a < nodes; ++a) {
        UsageMask before = 0, after = 0;
        for (uint32_t b = 0; b < nodes; ++b) {
          if (leads[b][a]) before = static_cast<UsageMask>(before | (usage[b] & kUsageInIrq));
          if (leads[a][b]) after = static_cast<UsageMask>(after | (usage[b] & kUsageIrqOn));
        }
        ASSERT_EQ(reach.before(LockNodeId{a}), before) << "round " << round;
        ASSERT_EQ(reach.after(LockNodeId{a}), after) << "round " << round;
      }
    }
  }
}

}  // namespace
}  // namespace sim
