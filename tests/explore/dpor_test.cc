// Partial-order reduction against the enumeration of all executions, whose traces are told apart
// here from scratch, and on the literature's programs, whose numbers of traces are known.

#include "sim/explore/dpor.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/engine/random.h"
#include "sim/engine/shared.h"
#include "sim/engine/world.h"
#include "sim/explore/depth_first.h"
#include "sim/explore/dpor_tree.h"
#include "sim/explore/random.h"
#include "sim/locking/bit_lock.h"
#include "sim/locking/mutex.h"
#include "sim/locking/rwsem.h"
#include "sim/locking/wait_event.h"
#include "tests/explore/trace_listener.h"

namespace sim {
namespace {

// What the threads of a program share, made anew for each execution.
struct Stage {
  explicit Stage(Strategy& strategy, StackPool& pool, StackTable& stacks)
      : owner(std::make_unique<World>(WorldOptions{.max_turns = 10'000}, strategy, pool, stacks)) {
    for (uint64_t i = 0; i < 8; ++i) {
      mutexes.emplace_back(world, tracker.Class("mutex"), InstanceName{"mutex", i});
      rwsems.emplace_back(world, tracker.Class("rwsem"), InstanceName{"rwsem", i});
      bits.emplace_back(world, tracker.Class("bit"), InstanceName{"bit", i});
      events.emplace_back(world, tracker.Class("event", {}), InstanceName{"event", i});
      flags.emplace_back(world, tracker.Class("flag", {}), InstanceName{"flag", i});
      completions.emplace_back(world, tracker.Class("done", {}), InstanceName{"done", i}, 2);
    }
    for (int i = 0; i < 40; ++i)
      variables.emplace_back(world, FieldType{"variable"}, InstanceName{}, 0);
  }

  // Tasks that are unwound still find their locks.
  ~Stage() { owner = nullptr; }

  Validator validator;
  std::unique_ptr<World> owner;
  World& world = *owner;
  LockTracker tracker{world, validator};
  std::deque<Mutex> mutexes;
  std::deque<RwSem> rwsems;
  std::deque<BitLock> bits;
  std::deque<WaitQueue> events;
  std::deque<WaitBit> flags;
  std::deque<Completion> completions;
  std::deque<Shared<int>> variables;
};

using Body = std::function<void(Stage&)>;
using Program = std::vector<Body>;

struct Outcome {
  std::multiset<std::string> traces;
  std::vector<std::string> order;  // the same, as they came
  std::set<std::string> states;    // final values and how it ended
  uint64_t deadlocks = 0;
  uint64_t abandoned = 0;

  std::set<std::string> distinct() const { return {traces.begin(), traces.end()}; }
};

std::string StateOf(const Stage& stage, ExecutionEnd end) {
  std::string state = absl::StrCat(static_cast<int>(end), ":");
  for (const Shared<int>& variable : stage.variables) absl::StrAppend(&state, variable.peek());
  return state;
}

void RunOne(SystematicStrategy& search, const Program& program, StackPool& pool, StackTable& stacks,
            Outcome& outcome) {
  TraceListener listener(search);
  Stage stage(listener, pool, stacks);
  for (const Body& body : program) {
    stage.world.Spawn("thread", TaskKind::kUser, [&] { body(stage); });
  }
  const ExecutionEnd end = stage.world.Run();
  if (listener.abandoned() || !search.last_counts()) {
    ++outcome.abandoned;
    return;
  }
  outcome.order.push_back(*outcome.traces.insert(listener.Trace()));
  if (end == ExecutionEnd::kDeadlock) ++outcome.deadlocks;
  outcome.states.insert(StateOf(stage, end));
}

// None: there are more executions than that.
template <class Search>
std::optional<Outcome> Explore(Search& search, const Program& program,
                               uint64_t max_executions = UINT64_MAX) {
  StackPool pool;
  StackTable stacks;
  Outcome outcome;
  for (uint64_t executions = 0; search.Next(); ++executions) {
    if (executions == max_executions) return std::nullopt;
    RunOne(search, program, pool, stacks, outcome);
  }
  return outcome;
}

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

Outcome Reduced(const Program& program) {
  DporStrategy search({.fixed_turns = true});
  return *Explore(search, program);
}

// If that can be had soon.
std::optional<Outcome> Everything(const Program& program) {
  constexpr uint64_t kMaxExecutions = 600;
  DepthFirstStrategy search;
  return Explore(search, program, kMaxExecutions);
}

// --- The literature's programs -------------------------------------------------------------------

struct Count {
  size_t traces = 0;
  uint64_t deadlocks = 0, abandoned = 0;
  bool operator==(const Count&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Count& count) {
  return out << count.traces << " traces, " << count.deadlocks << " deadlocks, " << count.abandoned
             << " abandoned";
}

Count CountedOf(const Outcome& outcome) {
  EXPECT_EQ(outcome.traces.size(), outcome.distinct().size()) << "a trace came twice";
  return {outcome.traces.size(), outcome.deadlocks, outcome.abandoned};
}
Count Counted(const Program& program) { return CountedOf(Reduced(program)); }

Program Philosophers(int count, int rounds, bool ordered) {
  Program program;
  for (int i = 0; i < count; ++i) {
    const int left = i, right = (i + 1) % count;
    const int first = ordered ? std::min(left, right) : left;
    const int second = ordered ? std::max(left, right) : right;
    program.push_back([=](Stage& stage) {
      for (int round = 0; round < rounds; ++round) {
        const MutexGuard a(stage.mutexes[first]);
        const MutexGuard b(stage.mutexes[second]);
      }
    });
  }
  return program;
}

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

// lastzero(n) [Abdulla et al. 2014]: n + 1 cells; thread i sets cell i to cell i - 1 plus one, one
// thread looks for the last zero.
Program LastZero(int n) {
  Program program = {[n](Stage& stage) {
    for (int i = n; i >= 0 && stage.variables[i].load_racy() != 0; --i) {
    }
  }};
  for (int i = 1; i <= n; ++i) {
    program.push_back([i](Stage& stage) {
      const int before = stage.variables[i - 1].load_racy();
      stage.variables[i].store_racy(before + 1);
    });
  }
  return program;
}
TEST(DporTest, LastZeroHasAsManyTracesAsPublished) {
  EXPECT_EQ(Counted(LastZero(5)), (Count{64, 0, 0}));
  EXPECT_EQ(Counted(LastZero(10)), (Count{3328, 0, 0}));
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

// --- Random programs -----------------------------------------------------------------------------

// Threads of a few operations on two of everything, which may deadlock.
struct RandomProgram {
  struct Op {
    int kind = 0, object = 0;
  };
  std::vector<std::vector<Op>> threads;

  explicit RandomProgram(std::vector<std::vector<Op>> ops) : threads(std::move(ops)) {}
  RandomProgram(uint64_t seed, int kinds) {
    RandomStream random(seed, "program");
    threads.resize(2 + random.UniformBelow(2));
    for (std::vector<Op>& ops : threads) {
      ops.resize(1 + random.UniformBelow(threads.size() == 2 ? 4 : 2));
      for (Op& op : ops) {
        op = {static_cast<int>(random.UniformBelow(static_cast<uint64_t>(kinds))),
              static_cast<int>(random.UniformBelow(2))};
      }
    }
  }

  static void Run(Stage& stage, const std::vector<Op>& ops, size_t at, int& seen) {
    if (at == ops.size()) return;
    const int object = ops[at].object;
    const auto rest = [&] { Run(stage, ops, at + 1, seen); };
    switch (ops[at].kind) {
      case 0:
        seen = seen * 3 + stage.variables[object].load_racy();
        return rest();
      case 1:
        stage.variables[object].store_racy(seen % 7 + 1);
        return rest();
      case 2: {
        if (stage.mutexes[object].held()) return rest();
        const MutexGuard guard(stage.mutexes[object]);
        return rest();
      }
      case 3: {
        const MutexGuard guard(stage.mutexes[2 + object]);
        seen = seen * 3 + stage.variables[object].load_racy();
      }
        return rest();
      case 4: {
        if (stage.rwsems[object].held_exclusive()) return rest();
        const ReadGuard guard(stage.rwsems[object]);
        return rest();
      }
      case 5: {
        if (stage.rwsems[object].held_shared()) return rest();
        if (stage.rwsems[object].held_exclusive()) return rest();
        const WriteGuard guard(stage.rwsems[object]);
        return rest();
      }
      case 6:
        if (stage.mutexes[object].held() || !stage.mutexes[object].mutex_trylock()) {
          seen += 1;
          return rest();
        } else {
          const MutexGuard guard(stage.mutexes[object], kAdoptLock);
          return rest();
        }
      case 7:
        stage.events[object].wait_event([&] { return stage.variables[10 + object].load() != 0; });
        return rest();
      case 8:
        stage.variables[10 + object].store(1);
        stage.events[object].WakeAll();
        return rest();
      case 9: {  // I/O: the bit is unlocked by its completion
        stage.bits[object].lock();
        stage.bits[object].hand_over();
        stage.world.At(
            stage.world.now() + 1'000, stage.bits[object].object(),
            [](void* self, uint64_t bit) {
              auto& on = *static_cast<Stage*>(self);
              on.variables[20 + static_cast<int>(bit)].store(1);
              on.bits[static_cast<int>(bit)].unlock();
            },
            &stage, static_cast<uint64_t>(object));
        return rest();
      }
      default:
        FAIL();
    }
  }

  Program program() const {
    Program program;
    for (size_t i = 0; i < threads.size(); ++i) {
      program.push_back([this, i](Stage& stage) {
        int seen = 0;
        Run(stage, threads[i], 0, seen);
        stage.variables[30 + static_cast<int>(i)].init(seen);
      });
    }
    return program;
  }
};

std::string Describe(const RandomProgram& program) {
  std::string text;
  for (const auto& thread : program.threads) {
    for (const auto& op : thread) absl::StrAppend(&text, op.kind, "/", op.object, " ");
    text += "| ";
  }
  return text;
}

// A writer that two readers make wait comes after both, whoever lets it in.
TEST(DporTest, AQueuedWriterComesFromAllReaders) {
  const RandomProgram program({{{5, 0}}, {{4, 0}, {0, 1}}, {{4, 0}, {0, 0}}});
  DepthFirstStrategy search;
  const Outcome all = *Explore(search, program.program());
  const Outcome reduced = Reduced(program.program());
  EXPECT_EQ(reduced.distinct(), all.distinct());
  EXPECT_EQ(reduced.traces.size(), all.distinct().size());
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
    for (const Body& body : program) {
      stage.world.Spawn("thread", TaskKind::kUser, [&] { body(stage); });
    }
    states.insert(StateOf(stage, stage.world.Run()));
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
    EXPECT_EQ(reduced.states, all.states);
    EXPECT_EQ(reduced.deadlocks, 0u);
    EXPECT_EQ(reduced.traces.size(), all.distinct().size());
    for (const std::string& state : StatesAtRandom(program))
      EXPECT_TRUE(all.states.contains(state));
    DporStrategy unknown;  // turns depend on what was there
    EXPECT_EQ(Explore(unknown, program)->states, all.states);
  }
}

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
    for (const Body& body : program) {
      stage.world.Spawn("thread", TaskKind::kUser, [&] { body(stage); });
    }
    stage.world.Run();
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

class RandomPrograms : public testing::TestWithParam<int> {};

// Nothing is missed, and nothing comes twice.
TEST_P(RandomPrograms, EachTraceComesOnce) {
  int programs = 0;
  for (uint64_t seed = 0; programs < 36; ++seed) {
    const RandomProgram random(seed, GetParam());
    const std::optional<Outcome> all = Everything(random.program());
    if (!all.has_value()) continue;
    ++programs;
    const Outcome reduced = Reduced(random.program());
    ASSERT_EQ(reduced.distinct(), all->distinct()) << "seed " << seed << ": " << Describe(random);
    ASSERT_EQ(reduced.states, all->states) << "seed " << seed;
    ASSERT_EQ(reduced.traces.size(), all->distinct().size())
        << "seed " << seed << ": " << Describe(random);
    ASSERT_EQ(reduced.abandoned, 0u) << "seed " << seed << ": " << Describe(random);
  }
}

// However small the parts that are searched at a time, together they are the search.
TEST_P(RandomPrograms, EachTraceComesOnceInParts) {
  int programs = 0;
  for (uint64_t seed = 0; programs < 12; ++seed) {
    const RandomProgram random(seed, GetParam());
    const std::optional<Outcome> all = Everything(random.program());
    if (!all.has_value()) continue;
    ++programs;
    for (const int executions : {1, 2, 3, 7}) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ": ", Describe(random), ", ", executions));
      DporTree tree({.fixed_turns = true});
      const Outcome reduced = ExploreInParts(tree, random.program(), executions);
      ASSERT_EQ(reduced.distinct(), all->distinct());
      ASSERT_EQ(reduced.states, all->states);
      ASSERT_EQ(reduced.traces.size(), all->distinct().size());
      ASSERT_EQ(reduced.abandoned, 0u);
    }
  }
}
// As in a file system.
TEST_P(RandomPrograms, NoTraceIsMissedInPartsWhereTurnsAreNotFixed) {
  int programs = 0;
  for (uint64_t seed = 0; programs < 12; ++seed) {
    const RandomProgram random(seed, GetParam());
    const std::optional<Outcome> all = Everything(random.program());
    if (!all.has_value()) continue;
    ++programs;
    for (const int executions : {1, 2, 7}) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ": ", Describe(random), ", ", executions));
      DporTree tree({.fixed_turns = false});
      const Outcome reduced = ExploreInParts(tree, random.program(), executions);
      ASSERT_EQ(reduced.distinct(), all->distinct());
      ASSERT_EQ(reduced.states, all->states);
    }
  }
}
TEST_P(RandomPrograms, EachExecutionComesOnceInParts) {
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

TEST_P(RandomPrograms, ATreeGoesOnFromItsLinesAsIfNothingHadBeen) {
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

// --- With a bound on preemptions -----------------------------------------------------------------

std::optional<Outcome> WithinBound(uint32_t bound, DepthFirstMode mode, const Program& program,
                                   uint64_t max_executions = UINT64_MAX) {
  DepthFirstStrategy search(bound, {}, mode);
  return Explore(search, program, max_executions);
}

// Programs of more threads than those above: what a bound is for.
RandomProgram LargerProgram(uint64_t seed, int kinds) {
  RandomStream random(seed, "larger program");
  std::vector<std::vector<RandomProgram::Op>> threads(3 + random.UniformBelow(2));
  for (auto& ops : threads) {
    ops.resize(1 + random.UniformBelow(threads.size() == 3 ? 4 : 3));
    for (RandomProgram::Op& op : ops) {
      op = {static_cast<int>(random.UniformBelow(static_cast<uint64_t>(kinds))),
            static_cast<int>(random.UniformBelow(2))};
    }
  }
  return RandomProgram(std::move(threads));
}

// All that brute force reaches within the bound, nothing else, each trace once; and in parts.
TEST_P(RandomPrograms, WithABoundEachTraceOfTheBruteForceComesOnce) {
  constexpr uint64_t kMaxExecutions = 400;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const RandomProgram random = LargerProgram(seed, GetParam());
    for (const uint32_t bound : {0u, 1u, 2u, 3u}) {
      SCOPED_TRACE(absl::StrCat("seed ", seed, ": ", Describe(random), ", ", bound));
      const auto all = WithinBound(bound, DepthFirstMode::kEvery, random.program(), kMaxExecutions);
      if (!all.has_value()) break;
      const auto reduced = WithinBound(bound, DepthFirstMode::kReduced, random.program());
      ASSERT_EQ(reduced->distinct(), all->distinct());
      ASSERT_EQ(reduced->traces.size(), all->distinct().size());
      ASSERT_EQ(reduced->states, all->states);
      ASSERT_LE(reduced->traces.size() + reduced->abandoned, all->traces.size());
      for (const int executions : {1, 3}) {
        DepthFirstTree tree(bound, DepthFirstMode::kReduced);
        const Outcome parts = ExploreInParts(tree, random.program(), executions);
        ASSERT_EQ(parts.distinct(), all->distinct());
        ASSERT_EQ(parts.traces.size(), all->distinct().size());
        ASSERT_EQ(parts.states, all->states);
      }
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
TEST_P(RandomPrograms, QueuesForLocksLeadNowhereElse) {
  int programs = 0;
  for (uint64_t seed = 1'000; programs < 16; ++seed) {
    const RandomProgram random(seed, GetParam());
    const std::optional<Outcome> all = Everything(random.program());
    if (!all.has_value()) continue;
    ++programs;
    Impatient impatient;
    ASSERT_EQ(Explore(impatient, random.program())->states, all->states)
        << "seed " << seed << ": " << Describe(random);
  }
}

INSTANTIATE_TEST_SUITE_P(UpTo, RandomPrograms, testing::Values(2, 4, 6, 7, 9, 10));

}  // namespace
}  // namespace sim
