// Whole executions of a scenario: a file system is made, its threads run to their end, and every
// checker looks on.

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "model/scenario/execution.h"
#include "model/scenario/parse.h"
#include "sim/check.h"
#include "sim/explore/random.h"
#include "sim/explore/timed.h"

namespace scenario {
namespace {

// Three threads, four writes, no policy.
Scenario IomapDelalloc() {
  auto scenario =
      LoadScenario(std::string(SOURCE_ROOT) + "/scenarios/seed/iomap_delalloc.json", {});
  SIM_CHECK(scenario.ok());
  return *std::move(scenario);
}

void BM_Execution(benchmark::State& state, StrategyKind kind, CrashAt crash_at) {
  Scenario scenario = IomapDelalloc();
  scenario.search.crash_at = crash_at;
  Workbench bench;
  uint64_t number = 0;
  uint64_t turns = 0;
  for (auto _ : state) {
    const uint64_t seed = ++number;
    sim::TimedStrategy timed;
    sim::RandomStrategy random(seed);
    sim::Strategy& strategy = kind == StrategyKind::kTimed ? static_cast<sim::Strategy&>(timed)
                                                           : static_cast<sim::Strategy&>(random);
    const ExecutionResult result = RunExecution(scenario, seed, number, strategy, bench);
    SIM_CHECK(result.findings.empty());
    turns += result.turns;
  }
  state.SetItemsProcessed(static_cast<int64_t>(number));
  state.counters["turns"] = static_cast<double>(turns) / static_cast<double>(number);
}
BENCHMARK_CAPTURE(BM_Execution, timed, StrategyKind::kTimed, CrashAt::kNone);
BENCHMARK_CAPTURE(BM_Execution, timed_crash_checked, StrategyKind::kTimed, CrashAt::kEachChange);
BENCHMARK_CAPTURE(BM_Execution, random, StrategyKind::kRandom, CrashAt::kNone);
BENCHMARK_CAPTURE(BM_Execution, random_crash_checked, StrategyKind::kRandom, CrashAt::kEachChange);

}  // namespace
}  // namespace scenario
