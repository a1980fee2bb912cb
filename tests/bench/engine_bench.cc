// What a turn costs, and what a world weighs.

#include <benchmark/benchmark.h>

#include <memory>
#include <utility>
#include <vector>

#include "sim/engine/world.h"
#include "sim/explore/random.h"
#include "sim/explore/timed.h"
#include "sim/lockdep/validator.h"
#include "sim/locking/lock_tracker.h"
#include "sim/locking/mutex.h"
#include "tests/bench/memory_meter.h"

namespace sim {
namespace {

struct Bench {
  static constexpr WorldOptions kOptions{
      .max_turns = UINT64_MAX, .max_time = INT64_MAX - 1, .keeps_schedule = false};

  TimedStrategy timed;
  StackPool pool;
  StackTable stacks;
  std::unique_ptr<World> world = std::make_unique<World>(kOptions, timed, pool, stacks);

  // Runs `count` tasks, of which the first takes `step` for each iteration of `state`.
  template <class StepFn>
  void Measure(benchmark::State& state, int count, StepFn step) {
    bool over = false;
    for (int i = 0; i < count; ++i) {
      world->Spawn("task", TaskKind::kUser, [&, i] {
        if (i == 0) {
          for (auto _ : state) step(*world);
          over = true;
        } else {
          while (!over) step(*world);
        }
      });
    }
    benchmark::DoNotOptimize(world->Run());
  }
};

// A choice point where the same task goes on.
void BM_StepStays(benchmark::State& state) {
  Bench bench;
  const ObjectId object = bench.world->NewObject();
  bench.Measure(state, 1, [&](World& world) { world.Step(object, Access::kWrite); });
}
BENCHMARK(BM_StepStays);

// Two tasks that go in turns, or nearly so: each iteration is about one turn of each.
void BM_StepSwitches(benchmark::State& state) {
  Bench bench;
  const ObjectId object = bench.world->NewObject();
  bench.Measure(state, 2, [&](World& world) { world.Step(object, Access::kWrite); });
  state.SetItemsProcessed(static_cast<int64_t>(bench.world->turns()));
}
BENCHMARK(BM_StepSwitches);

// Two tasks that pass a token: each iteration is one turn of each.
void BM_PingPong(benchmark::State& state) {
  struct Token final : Waitable {
    using Waitable::Waitable;
    std::string Describe() const override { return "token"; }
  };
  Bench bench;
  World& world = *bench.world;
  const Token token(world.NewObject());
  Task* waiting = nullptr;
  bool over = false;
  const auto pass = [&] {
    Task* const other = std::exchange(waiting, &world.current());
    if (other != nullptr) world.Wake(*other);
    world.Park(token);
  };
  world.Spawn("ping", TaskKind::kUser, [&] {
    for (auto _ : state) pass();
    over = true;
    if (waiting != nullptr) world.Wake(*waiting);
  });
  world.Spawn("pong", TaskKind::kUser, [&] {
    while (!over) pass();
  });
  benchmark::DoNotOptimize(world.Run());
  state.SetItemsProcessed(static_cast<int64_t>(world.turns()));
  state.counters["turns_per_iteration"] =
      static_cast<double>(world.turns()) / static_cast<double>(state.iterations());
}
BENCHMARK(BM_PingPong);

// A timer goes off and its task goes to sleep again, with so many others asleep. An iteration is a
// wake-up of any of them.
void BM_Sleepers(benchmark::State& state) {
  Bench bench;
  World& world = *bench.world;
  RandomStream random(1, "sleepers");
  auto left = benchmark::IterationCount{0};
  bool over = false;
  const auto sleep = [&] { world.SleepFor(random.UniformIn(1, 1'000'000)); };
  world.Spawn("stopwatch", TaskKind::kUser, [&] {
    world.SleepFor(2'000'000);  // until all sleep, at random
    while (state.KeepRunningBatch(left = 1 << 16)) {
      while (left > 0) sleep();
    }
    over = true;
  });
  for (int64_t i = 1; i < state.range(0); ++i) {
    world.Spawn("sleeper", TaskKind::kUser, [&] {
      while (!over) {
        sleep();
        --left;
      }
    });
  }
  benchmark::DoNotOptimize(world.Run());
}
BENCHMARK(BM_Sleepers)->Arg(100)->Arg(10'000)->MinTime(1.0);

// A whole execution of a small world: three tasks that take and release a lock ten times each, in
// random order, watched by the lock checker.
void BM_SmallWorld(benchmark::State& state) {
  StackPool pool;
  StackTable stacks;
  Validator validator;
  const LockClassId lock_class = validator.Class("lock", kSleepingLock);
  uint64_t seed = 0;
  for (auto _ : state) {
    RandomStrategy random(++seed);
    World world({.seed = seed, .keeps_schedule = false}, random, pool, stacks);
    LockTracker tracker(world, validator);
    Mutex mutex(world, lock_class, {});
    for (int task = 0; task < 3; ++task) {
      world.Spawn("task", TaskKind::kUser, [&] {
        for (int i = 0; i < 10; ++i) const MutexGuard guard(mutex);
      });
    }
    benchmark::DoNotOptimize(world.Run());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_SmallWorld);

// Resident memory of worlds with so many parked tasks each, as counters; the time is that of making
// and taking down one.
void BM_WorldMemory(benchmark::State& state) {
  constexpr int kWorlds = 200;
  TimedStrategy timed;
  struct Forever final : Waitable {
    using Waitable::Waitable;
    std::string Describe() const override { return "nothing"; }
  };
  const Forever forever{ObjectId{0}};
  for (auto _ : state) {
    StackPool pool;
    StackTable stacks;
    const MemoryMeter meter;
    std::vector<std::unique_ptr<World>> worlds;
    for (int i = 0; i < kWorlds; ++i) {
      worlds.push_back(std::make_unique<World>(WorldOptions{}, timed, pool, stacks));
      World& world = *worlds.back();
      for (int64_t task = 0; task < state.range(0); ++task) {
        world.Spawn("task", TaskKind::kUser, [&] { world.Park(forever); });
      }
      benchmark::DoNotOptimize(world.Run());
    }
    state.counters["KiB_per_world"] = meter.GrownKiB() / kWorlds;
  }
}
BENCHMARK(BM_WorldMemory)->Arg(0)->Arg(10)->Iterations(1);

}  // namespace
}  // namespace sim
