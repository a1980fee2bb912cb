// Whole executions of a scenario: a file system is mounted, its threads run to their end, and the
// checkers look on. And what a mounted file system weighs.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/ext4/mkfs.h"
#include "model/scenario/execution.h"
#include "sim/check.h"
#include "sim/explore/random.h"
#include "sim/explore/timed.h"
#include "tests/bench/clean_scenario.h"
#include "tests/bench/memory_meter.h"

namespace scenario {
namespace {

using sim::MemoryMeter;

void BM_Execution(benchmark::State& state, StrategyKind kind, CrashAt crash_at, bool checks_locks) {
  Scenario scenario = IomapDelalloc();
  scenario.search.crash_at = crash_at;
  Workbench bench(scenario, nullptr);
  sim::Validator locks;
  uint64_t number = 0;
  uint64_t turns = 0;
  for (auto _ : state) {
    const uint64_t seed = ++number;
    sim::TimedStrategy timed;
    sim::RandomStrategy random(seed);
    sim::Strategy& strategy = kind == StrategyKind::kTimed ? static_cast<sim::Strategy&>(timed)
                                                           : static_cast<sim::Strategy&>(random);
    const ExecutionResult result = RunExecution(
        bench, {.number = number, .seed = seed, .checks_locks = checks_locks}, strategy, locks);
    SIM_CHECK(result.findings.empty());
    turns += result.turns;
  }
  state.counters["turns"] = static_cast<double>(turns) / static_cast<double>(number);
}
BENCHMARK_CAPTURE(BM_Execution, timed_unchecked, StrategyKind::kTimed, CrashAt::kNone, false);
BENCHMARK_CAPTURE(BM_Execution, timed, StrategyKind::kTimed, CrashAt::kNone, true);
BENCHMARK_CAPTURE(BM_Execution, timed_crash_checked, StrategyKind::kTimed, CrashAt::kEachChange,
                  true);
BENCHMARK_CAPTURE(BM_Execution, random, StrategyKind::kRandom, CrashAt::kNone, true);
BENCHMARK_CAPTURE(BM_Execution, random_crash_checked, StrategyKind::kRandom, CrashAt::kEachChange,
                  true);

// A file system that is mounted, with its daemons and so many tasks, all of them asleep.
class IdleWorld {
 public:
  IdleWorld(sim::StackPool& pool, sim::StackTable& stacks, sim::Validator& locks,
            std::shared_ptr<const std::vector<model::SectorContent>> disk,
            const model::ImageStore& images, int64_t tasks)
      : images_(&images),
        history_(granules_),
        world_(std::make_unique<sim::World>(sim::WorldOptions{}, timed_, pool, stacks)),
        tracker_(*world_, locks),
        device_(*world_, {}, std::move(disk)),
        forever_(*world_, tracker_.Class("forever"), {}),
        sbi_(*world_, device_, images_, granules_, history_, {}, {}) {
    sbi_.s_bdi.StartFlusher();
    for (int64_t i = 0; i < tasks; ++i) {
      world_->Spawn("task", sim::TaskKind::kUser,
                    [this] { forever_.wait_event([] { return false; }); });
    }
    SIM_CHECK((world_->Run() == sim::ExecutionEnd::kDeadlock) == (tasks > 0));
  }
  ~IdleWorld() { world_ = nullptr; }

 private:
  sim::TimedStrategy timed_;
  model::ImageStore images_;
  model::GranuleTable granules_;
  model::History history_;
  std::unique_ptr<sim::World> world_;
  sim::LockTracker tracker_;
  sim::BlockDevice device_;
  sim::WaitQueue forever_;
  model::Ext4SbInfo sbi_;
};

// Resident memory of such worlds; the time is that of making and taking down all.
void BM_MountedMemory(benchmark::State& state) {
  constexpr int kWorlds = 200;
  model::ImageStore images;
  model::GranuleTable granules;
  model::History history(granules);
  auto disk = model::MakeFilesystem({}, {}, images, granules, history);
  SIM_CHECK(disk.ok());
  const auto shared = std::make_shared<const std::vector<model::SectorContent>>(*std::move(disk));
  for (auto _ : state) {
    sim::StackPool pool;
    sim::StackTable stacks;
    sim::Validator locks;
    const MemoryMeter meter;
    std::vector<std::unique_ptr<IdleWorld>> worlds;
    for (int i = 0; i < kWorlds; ++i) {
      worlds.push_back(
          std::make_unique<IdleWorld>(pool, stacks, locks, shared, images, state.range(0)));
    }
    state.counters["KiB_per_world"] = meter.GrownKiB() / kWorlds;
  }
}
BENCHMARK(BM_MountedMemory)->Arg(1)->Arg(11)->Iterations(1);

}  // namespace
}  // namespace scenario
