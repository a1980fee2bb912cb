// What a turn costs, and what a world weighs.

#include <benchmark/benchmark.h>

#include <fstream>
#include <memory>
#include <utility>
#include <vector>

#include "sim/engine/world.h"
#include "sim/explore/timed.h"

namespace sim {
namespace {

struct Bench {
  static constexpr WorldOptions kOptions{.max_turns = UINT64_MAX, .max_time = INT64_MAX - 1};

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

// A timer goes off and its task goes to sleep again, with so many others asleep.
void BM_Sleepers(benchmark::State& state) {
  Bench bench;
  std::vector<RandomStream> random;
  for (int i = 0; i < state.range(0); ++i) random.emplace_back(i, "sleepers");
  bench.Measure(state, static_cast<int>(state.range(0)), [&](World& world) {
    world.SleepFor(random[world.current().id().value].UniformIn(1, 1'000'000));
  });
  // One iteration is a wake-up of the first task, and on average one of each of the others.
  state.SetItemsProcessed(static_cast<int64_t>(bench.world->turns()));
}
BENCHMARK(BM_Sleepers)->Arg(100)->Arg(10'000)->MinTime(1.0);

double ResidentKiB() {
  std::ifstream statm("/proc/self/statm");
  double size_pages = 0, resident_pages = 0;
  statm >> size_pages >> resident_pages;
  return resident_pages * 4;
}

// Resident memory of worlds with so many parked tasks each, as counters; the time is that of making
// and taking down one.
void BM_WorldMemory(benchmark::State& state) {
  constexpr int kWorlds = 200;
  TimedStrategy timed;
  StackPool pool;
  StackTable stacks;
  struct Forever final : Waitable {
    using Waitable::Waitable;
    std::string Describe() const override { return "nothing"; }
  };
  const Forever forever{ObjectId{0}};
  for (auto _ : state) {
    const double before = ResidentKiB();
    std::vector<std::unique_ptr<World>> worlds;
    for (int i = 0; i < kWorlds; ++i) {
      worlds.push_back(std::make_unique<World>(WorldOptions{}, timed, pool, stacks));
      World& world = *worlds.back();
      for (int64_t task = 0; task < state.range(0); ++task) {
        world.Spawn("task", TaskKind::kUser, [&] { world.Park(forever); });
      }
      benchmark::DoNotOptimize(world.Run());
    }
    state.counters["KiB_per_world"] = (ResidentKiB() - before) / kWorlds;
  }
}
BENCHMARK(BM_WorldMemory)->Arg(0)->Arg(10)->Iterations(1);

}  // namespace
}  // namespace sim
