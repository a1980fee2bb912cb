// What an execution costs in a search: a small program of locks, made, run and looked at.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <deque>

#include "sim/explore/dpor.h"
#include "sim/explore/random.h"
#include "sim/locking/mutex.h"

namespace sim {
namespace {

// Philosophers who take the fork with the lower number first.
struct Table {
  Table(Strategy& strategy, StackPool& pool, StackTable& stacks, Validator& validator, int count)
      : world({}, strategy, pool, stacks), tracker(world, validator) {
    for (int i = 0; i < count; ++i) {
      forks.emplace_back(world, tracker.Class("fork"), InstanceName{"fork", uint64_t(i)});
    }
    for (int i = 0; i < count; ++i) {
      world.Spawn("philosopher", TaskKind::kUser, [this, i, count] {
        const MutexGuard first(forks[std::min(i, (i + 1) % count)]);
        const MutexGuard second(forks[std::max(i, (i + 1) % count)]);
      });
    }
  }

  World world;
  LockTracker tracker;
  std::deque<Mutex> forks;
};

void BM_PhilosophersRandom(benchmark::State& state) {
  StackPool pool;
  StackTable stacks;
  Validator validator;
  uint64_t seed = 0;
  for (auto _ : state) {
    RandomStrategy random(++seed);
    Table table(random, pool, stacks, validator, static_cast<int>(state.range(0)));
    benchmark::DoNotOptimize(table.world.Run());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_PhilosophersRandom)->Arg(3)->Arg(7);

// The whole search, as executions a second.
void BM_PhilosophersReduced(benchmark::State& state) {
  StackPool pool;
  StackTable stacks;
  Validator validator;
  int64_t executions = 0;
  for (auto _ : state) {
    DporStrategy search({.fixed_turns = true});
    while (search.Next()) {
      Table table(search, pool, stacks, validator, static_cast<int>(state.range(0)));
      benchmark::DoNotOptimize(table.world.Run());
    }
    executions += static_cast<int64_t>(search.executions());
  }
  state.SetItemsProcessed(executions);
}
BENCHMARK(BM_PhilosophersReduced)->Arg(3)->Arg(7);

}  // namespace
}  // namespace sim
