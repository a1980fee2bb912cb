// All executions, with a bound on preemptions or none; how many they are.

#include "sim/explore/depth_first.h"

#include <cstdint>
#include <optional>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/explore/explored.h"

namespace sim {
namespace {

// Executions of a program with at most so many preemptions: all, counted; and as probes see them.
double CountedWith(const Program& program, uint32_t max_preemptions) {
  DepthFirstStrategy search(max_preemptions);
  return static_cast<double>(Explore(search, program)->traces.size());
}
double EstimatedWith(const Program& program, uint32_t max_preemptions) {
  constexpr int kProbes = 4'000;
  StackPool pool;
  StackTable stacks;
  double sum = 0;
  for (int seed = 0; seed < kProbes; ++seed) {
    DepthFirstProbe probe(static_cast<uint64_t>(seed), max_preemptions);
    Stage stage(probe, pool, stacks);
    stage.Run(program);
    sum += probe.executions();
  }
  return sum / kProbes;
}

TEST(DepthFirstTest, ProbesEstimateHowManyExecutionsThereAre) {
  const RandomProgram queued({{{5, 0}}, {{4, 0}, {0, 1}}, {{4, 0}, {0, 0}}});
  for (const Program& program : {Philosophers(2, 1, true), queued.program()}) {
    for (const uint32_t preemptions : {0u, 1u, DepthFirstStrategy::kAnyNumber}) {
      const double all = CountedWith(program, preemptions);
      EXPECT_NEAR(EstimatedWith(program, preemptions), all, 0.05 * all);
    }
  }
}

std::optional<Outcome> WithinBound(uint32_t bound, DepthFirstMode mode, const Program& program,
                                   uint64_t max_executions = UINT64_MAX) {
  DepthFirstStrategy search(bound, {}, mode);
  return Explore(search, program, max_executions);
}

class BoundTest : public testing::TestWithParam<int> {};

// All that brute force reaches within the bound, nothing else, each trace once.
TEST_P(BoundTest, WithABoundEachTraceOfTheBruteForceComesOnce) {
  constexpr uint64_t kMaxExecutions = 400;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const RandomProgram random = LargerProgram(seed, GetParam());
    for (const uint32_t bound : {0u, 1u, 2u, 3u}) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ": ", Describe(random), ", ", bound));
      const auto all = WithinBound(bound, DepthFirstMode::kEvery, random.program(), kMaxExecutions);
      if (!all.has_value()) break;
      const auto reduced = WithinBound(bound, DepthFirstMode::kReduced, random.program());
      ExpectEachTraceOnce(*reduced, *all);
      EXPECT_LE(reduced->traces.size() + reduced->abandoned, all->traces.size());
    }
  }
}

// Of the literature's programs: executions within the bound; traces; executions begun to see these.
TEST(DepthFirstTest, WithABoundFewerExecutionsAreBegunThanThereAre) {
  struct Row {
    Program program;
    uint32_t bound = 0;
    size_t every = 0, traces = 0, begun = 0;
  };
  const Row rows[] = {{Philosophers(5, 1, true), 0, 120, 30, 105},
                      {Philosophers(5, 1, true), 1, 3'064, 30, 1'226},
                      {Philosophers(3, 2, true), 1, 84, 24, 78},
                      {Philosophers(3, 2, true), 3, 2'395, 90, 754},
                      {Philosophers(3, 3, true), 2, 1'272, 192, 841},
                      {LastZero(5), 0, 720, 64, 415}};
  for (const Row& row : rows) {
    const Outcome every = *WithinBound(row.bound, DepthFirstMode::kEvery, row.program);
    const Outcome reduced = *WithinBound(row.bound, DepthFirstMode::kReduced, row.program);
    EXPECT_EQ(every.traces.size(), row.every);
    EXPECT_EQ(reduced.distinct(), every.distinct());
    EXPECT_EQ(reduced.traces.size(), row.traces);
    EXPECT_EQ(reduced.traces.size() + reduced.abandoned, row.begun);
  }
}

INSTANTIATE_TEST_SUITE_P(UpTo, BoundTest, testing::Values(2, 4, 6, 7, 9, 10));

}  // namespace
}  // namespace sim
