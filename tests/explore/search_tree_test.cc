// A search in parts, which may be put away and gone on with: together they are the search.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/engine/random.h"
#include "sim/explore/depth_first.h"
#include "sim/explore/dpor_tree.h"
#include "tests/explore/explored.h"

namespace sim {
namespace {

// So many executions of each subtree at a time.
Outcome ExploreInParts(SearchTree& tree, const Program& program, int executions) {
  StackPool pool;
  StackTable stacks;
  Outcome outcome;
  for (;;) {
    const auto taken = tree.Take(/*most=*/5);
    if (taken.empty()) return outcome;
    // The order in which they are searched does not matter.
    for (auto search = taken.rbegin(); search != taken.rend(); ++search) {
      for (int done = 0; (*search)->Next() && done < executions; ++done) {
        RunOne(**search, program, pool, stacks, outcome);
      }
    }
    for (const auto& search : taken) tree.Join(*search);
  }
}

// The same, one part after the other; and where `breaks` says so, what is left is written down and
// read into a new tree.
Outcome ExploreWithBreaks(const std::function<std::unique_ptr<SearchTree>()>& make_tree,
                          const Program& program, int executions,
                          const std::function<bool()>& breaks) {
  StackPool pool;
  StackTable stacks;
  Outcome outcome;
  auto tree = make_tree();
  for (;;) {
    const auto taken = tree->Take(/*most=*/5);
    if (taken.empty()) return outcome;
    for (const auto& search : taken) {
      for (int done = 0; search->Next() && done < executions; ++done) {
        RunOne(*search, program, pool, stacks, outcome);
      }
      tree->Join(*search);
      if (!breaks()) continue;
      const std::vector<std::string> lines = tree->ToLines();
      tree = make_tree();
      const std::optional<BadLine> bad = tree->FromLines(lines);
      EXPECT_FALSE(bad.has_value()) << bad->index << ": " << bad->message;
      EXPECT_EQ(tree->ToLines(), lines);
      break;
    }
  }
}

TEST(DporTreeTest, ProgramsHaveTheirNumbersInParts) {
  for (const int executions : {1, 16, 300}) {
    const std::pair<Program, Count> programs[] = {{LastZero(7), {320, 0, 0}},
                                                  {Philosophers(7, 1, true), {126, 0, 0}},
                                                  {Philosophers(3, 2, true), {90, 0, 0}},
                                                  {Philosophers(5, 1, false), {31, 1, 0}}};
    for (const auto& [program, count] : programs) {
      DporTree tree({.fixed_turns = true});
      EXPECT_EQ(CountedOf(ExploreInParts(tree, program, executions)), count) << executions;
    }
  }
}

class SearchTreeTest : public testing::TestWithParam<int> {};

// However small the parts that are searched at a time, together they are the search.
TEST_P(SearchTreeTest, EachTraceComesOnce) {
  ForPrograms(12, 0, GetParam(), [](const Program& program, const Outcome& all) {
    for (const int executions : {1, 2, 3, 7}) {
      SCOPED_TRACE(executions);
      DporTree tree({.fixed_turns = true});
      const Outcome reduced = ExploreInParts(tree, program, executions);
      ExpectEachTraceOnce(reduced, all);
      EXPECT_EQ(reduced.abandoned, 0u);
    }
  });
}

// As in a file system.
TEST_P(SearchTreeTest, NoTraceIsMissedWhereTurnsAreNotFixed) {
  ForPrograms(12, 0, GetParam(), [](const Program& program, const Outcome& all) {
    for (const int executions : {1, 2, 7}) {
      SCOPED_TRACE(executions);
      DporTree tree({.fixed_turns = false});
      const Outcome reduced = ExploreInParts(tree, program, executions);
      EXPECT_EQ(reduced.distinct(), all.distinct());
      EXPECT_EQ(reduced.states, all.states);
    }
  });
}

TEST_P(SearchTreeTest, EachExecutionComesOnce) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const RandomProgram random(seed, GetParam());
    for (const uint32_t preemptions : {0u, 1u}) {
      DepthFirstStrategy depth_first(preemptions);
      const Outcome whole = *Explore(depth_first, random.program());
      for (const int executions : {1, 2, 3, 7}) {
        DepthFirstTree tree(preemptions);
        ASSERT_EQ(ExploreInParts(tree, random.program(), executions).traces, whole.traces)
            << "seed " << seed << ": " << Describe(random) << ", " << executions;
      }
    }
  }
}

// Against the whole search, which is held to brute force in depth_first_test.cc.
TEST_P(SearchTreeTest, WithABoundEachTraceComesOnce) {
  constexpr uint64_t kMaxExecutions = 400;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const RandomProgram random = LargerProgram(seed, GetParam());
    for (const uint32_t bound : {0u, 1u, 2u, 3u}) {
      DepthFirstStrategy search(bound, {}, DepthFirstMode::kReduced);
      const auto whole = Explore(search, random.program(), kMaxExecutions);
      if (!whole.has_value()) break;
      for (const int executions : {1, 3}) {
        SCOPED_TRACE(
            absl::StrCat("seed ", seed, ": ", Describe(random), ", ", bound, ", ", executions));
        DepthFirstTree tree(bound, DepthFirstMode::kReduced);
        ExpectEachTraceOnce(ExploreInParts(tree, random.program(), executions), *whole);
      }
    }
  }
}

TEST_P(SearchTreeTest, ATreeGoesOnFromItsLinesAsIfNothingHadBeen) {
  const std::function<std::unique_ptr<SearchTree>()> kinds[] = {
      [] { return std::make_unique<DporTree>(DporOptions{.fixed_turns = true}); },
      [] { return std::make_unique<DporTree>(DporOptions{.fixed_turns = false}); },
      [] { return std::make_unique<DepthFirstTree>(1); },
      [] { return std::make_unique<DepthFirstTree>(1, DepthFirstMode::kReduced); },
  };
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const RandomProgram random(seed, GetParam());
    RandomStream breaks(seed, "breaks");
    for (size_t kind = 0; kind < std::size(kinds); ++kind) {
      for (const int executions : {1, 3}) {
        SCOPED_TRACE(
            absl::StrCat("seed ", seed, ": ", Describe(random), ", ", kind, ", ", executions));
        const Outcome whole =
            ExploreWithBreaks(kinds[kind], random.program(), executions, [] { return false; });
        const Outcome broken = ExploreWithBreaks(kinds[kind], random.program(), executions,
                                                 [&] { return breaks.UniformBelow(3) == 0; });
        ASSERT_EQ(broken.order, whole.order);
        ASSERT_EQ(broken.abandoned, whole.abandoned);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(UpTo, SearchTreeTest, testing::Values(2, 4, 6, 7, 9, 10));

}  // namespace
}  // namespace sim
