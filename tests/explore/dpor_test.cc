// Partial-order reduction against the enumeration of all executions, whose traces are told apart
// here from scratch, and on the literature's programs, whose numbers of traces are known.

#include "sim/explore/dpor.h"

#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "sim/explore/random.h"
#include "tests/explore/explored.h"

namespace sim {
namespace {

inline Outcome Reduced(const Program& program) {
  DporStrategy search({.fixed_turns = true});
  return *Explore(search, program);
}

Count Counted(const Program& program) { return CountedOf(Reduced(program)); }

TEST(DporTest, OrderedPhilosophersHaveAsManyTracesAsTheForksHaveOrders) {
  EXPECT_EQ(Counted(Philosophers(3, 1, true)), (Count{6, 0, 0}));
  EXPECT_EQ(Counted(Philosophers(5, 1, true)), (Count{30, 0, 0}));
  EXPECT_EQ(Counted(Philosophers(7, 1, true)), (Count{126, 0, 0}));
  EXPECT_EQ(Counted(Philosophers(3, 2, true)), (Count{90, 0, 0}));
}

TEST(DporTest, InvertedPhilosophersHaveOneTraceThatDeadlocks) {
  EXPECT_EQ(Counted(Philosophers(3, 1, false)), (Count{7, 1, 0}));
  EXPECT_EQ(Counted(Philosophers(5, 1, false)), (Count{31, 1, 0}));
  EXPECT_EQ(Counted(Philosophers(7, 1, false)), (Count{127, 1, 0}));
}

// readers(n) [Flanagan, Godefroid 2005]: one writes x, n read it.
TEST(DporTest, EachReaderReadsBeforeOrAfterTheWriter) {
  for (int n = 1; n <= 8; ++n) {
    Program program = {[](Stage& stage) { stage.variables[0].store_racy(1); }};
    for (int i = 1; i <= n; ++i) {
      program.push_back([i](Stage& stage) {
        const int read = stage.variables[0].load_racy();
        stage.variables[i].init(read);
      });
    }
    EXPECT_EQ(Counted(program), (Count{size_t{1} << n, 0, 0})) << n;
  }
}

TEST(DporTest, LastZeroHasAsManyTracesAsPublished) {
  EXPECT_EQ(Counted(LastZero(5)), (Count{64, 0, 0}));
  EXPECT_EQ(Counted(LastZero(10)), (Count{3328, 0, 0}));
}

// --- Random programs -----------------------------------------------------------------------------

// A writer that two readers make wait comes after both, whoever lets it in.
TEST(DporTest, AQueuedWriterComesFromAllReaders) {
  const RandomProgram program({{{5, 0}}, {{4, 0}, {0, 1}}, {{4, 0}, {0, 0}}});
  DepthFirstStrategy search;
  const Outcome all = *Explore(search, program.program());
  const Outcome reduced = Reduced(program.program());
  ExpectEachTraceOnce(reduced, all);
  EXPECT_EQ(reduced.abandoned, 0u);
}

// What comes of `x` tells in which order it was changed.
void Change(Stage& stage, size_t x, int by) {
  const int before = stage.variables[x].load_racy();
  stage.variables[x].store(3 * before + by);
}

// Of executions in which who waits parks whenever it comes too early.
std::set<std::string> StatesAtRandom(const Program& program) {
  StackPool pool;
  StackTable stacks;
  std::set<std::string> states;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    RandomStrategy strategy(seed);
    Stage stage(strategy, pool, stacks);
    const ExecutionEnd end = stage.Run(program);
    states.insert(StateOf(stage, end));
  }
  return states;
}

// That a waiter could have come before, and parked, leads nowhere else.
TEST(DporTest, WaitsThatAreTakenWhenTheyAreOverLeadEverywhere) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    RandomStream random(seed, "program");
    const auto change = [&random] {
      const size_t x = random.UniformBelow(2);
      return [x](Stage& stage, int by) { Change(stage, x, by); };
    };
    const auto a = change(), b = change(), c = change(), d = change(), e = change();
    const bool flag = random.OneIn(2);
    const Program program = {[=](Stage& stage) {
                               if (flag) stage.flags[0].set_bit();
                               a(stage, 1);
                               stage.completions[0].complete();
                               if (flag) stage.flags[0].clear_and_wake_up_bit();
                               b(stage, 1);
                             },
                             [=](Stage& stage) {
                               c(stage, 2);
                               stage.completions[0].complete();
                             },
                             [=](Stage& stage) {
                               d(stage, 0);
                               if (flag) stage.flags[0].wait_on_bit();
                               stage.completions[0].wait_for_completion();
                               e(stage, 0);
                             }};
    DepthFirstStrategy search;
    const Outcome all = *Explore(search, program);
    const Outcome reduced = Reduced(program);
    ExpectEachTraceOnce(reduced, all);
    EXPECT_EQ(reduced.deadlocks, 0u);
    EXPECT_THAT(all.states, testing::IsSupersetOf(StatesAtRandom(program)));
    DporStrategy unknown;  // turns depend on what was there
    EXPECT_EQ(Explore(unknown, program)->states, all.states);
  }
}

class DporRandomTest : public testing::TestWithParam<int> {};

TEST_P(DporRandomTest, EachTraceComesOnce) {
  ForPrograms(36, 0, GetParam(), [](const Program& program, const Outcome& all) {
    const Outcome reduced = Reduced(program);
    ExpectEachTraceOnce(reduced, all);
    EXPECT_EQ(reduced.abandoned, 0u);
  });
}

// Lets tasks queue for locks that they will not get at once.
class Impatient final : public SystematicStrategy {
 public:
  [[nodiscard]] bool Next() override { return search_.Next(); }
  size_t Choose(const ChoicePoint& point) override {
    std::vector<Candidate> candidates(point.candidates.begin(), point.candidates.end());
    for (Candidate& candidate : candidates) candidate.blocked = false;
    ChoicePoint all = point;
    all.candidates = candidates;
    return search_.Choose(all);
  }

 private:
  DepthFirstStrategy search_;
};

// That blocked tasks are not let run hides no deadlock and no final state.
TEST_P(DporRandomTest, QueuesForLocksLeadNowhereElse) {
  ForPrograms(16, 1'000, GetParam(), [](const Program& program, const Outcome& all) {
    Impatient impatient;
    EXPECT_EQ(Explore(impatient, program)->states, all.states);
  });
}

INSTANTIATE_TEST_SUITE_P(UpTo, DporRandomTest, testing::Values(2, 4, 6, 7, 9, 10));

}  // namespace
}  // namespace sim
