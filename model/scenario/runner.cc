#include "model/scenario/runner.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "model/scenario/compile_program.h"
#include "model/scenario/execution.h"
#include "model/scenario/search.h"
#include "model/scenario/strategies.h"
#include "model/scenario/trace_file.h"
#include "sim/explore/timed.h"

namespace scenario {

uint64_t ExpectedTurns(const SearchConfig& search, Workbench& bench) {
  if (bench.expected_turns_ == 0) {
    sim::TimedStrategy strategy;
    sim::Validator locks;
    bench.expected_turns_ = 2 * RunExecution(bench, {.seed = search.seed}, strategy, locks).turns;
  }
  return bench.expected_turns_;
}

ExecutionResult RunNumber(const SearchConfig& search, int64_t number, Workbench& bench,
                          sim::Validator& locks, ExecutionOptions options) {
  options.number = static_cast<uint64_t>(number);
  options.seed = SeedOf(search, number);
  const uint64_t turns = search.strategy == StrategyKind::kPct ? ExpectedTurns(search, bench) : 0;
  const auto strategy = MakeStrategy(search, options.seed, turns);
  return RunExecution(bench, options, *strategy, locks);
}

Scenario WithOptions(Scenario scenario, const RunOptions& options) {
  if (options.strategy.has_value()) scenario.search.strategy = *options.strategy;
  if (options.seed.has_value()) scenario.search.seed = *options.seed;
  if (options.executions.has_value()) scenario.search.executions = *options.executions;
  if (options.pct_depth.has_value()) scenario.search.pct_depth = *options.pct_depth;
  if (options.complete) {
    scenario.search.strategy = StrategyKind::kDpor;
    scenario.search.executions = options.executions;
    scenario.search.max_preemptions.reset();
  }
  if (options.max_preemptions.has_value()) {
    scenario.search.max_preemptions = *options.max_preemptions;
  }
  return scenario;
}

sim::Finding FindingOf(const sim::LockReport& report) {
  sim::Finding finding;
  finding.kind = sim::FindingKind(report.kind);
  finding.message = sim::Message(report);
  finding.detail = sim::RenderText(report);
  return finding;
}

std::vector<int64_t> ExecutionsOf(const sim::LockReport& report) {
  std::set<int64_t> executions = {static_cast<int64_t>(report.actor.execution)};
  for (const sim::LockEdge& edge : report.cycle.edges) {
    executions.insert(static_cast<int64_t>(edge.actor.execution));
  }
  for (const sim::LockEdge& edge : report.irq.path) {
    executions.insert(static_cast<int64_t>(edge.actor.execution));
  }
  return {executions.begin(), executions.end()};
}

ScenarioResult RunScenario(const Scenario& original, const RunOptions& options,
                           ProgressFn progress) {
  return *RunKeptScenario(original, options, nullptr, progress);
}

absl::StatusOr<ScenarioResult> RunKeptScenario(const Scenario& original, const RunOptions& options,
                                               SearchKeeper* keeper, ProgressFn progress) {
  const Scenario scenario = WithOptions(original, options);
  return Search(scenario, options, keeper, progress).Run();
}

absl::StatusOr<Recording> RecordExecution(const Scenario& original, const RunOptions& options,
                                          int64_t number) {
  Scenario scenario = WithOptions(original, options);
  scenario.search = AsSample(scenario.search);
  const auto program = CompiledProgram(scenario);
  Workbench bench(scenario, program.get());
  sim::Validator locks;
  sim::GuardTable guards;
  ExecutionResult execution =
      RunNumber(scenario.search, number, bench, locks, {.keeps_schedule = true, .guards = &guards});
  for (const sim::LockReport& report : locks.Conclude().found) {
    execution.findings.push_back(FindingOf(report));
  }
  if (!execution.findings.empty()) {
    const sim::Finding& first = execution.findings.front();
    return absl::FailedPreconditionError(
        absl::StrCat("execution ", number, " finds ", first.kind, ": ", first.message));
  }
  TracedRun run;
  run.execution = number;
  run.seed = SeedOf(scenario.search, number);
  run.schedule = std::move(execution.schedule);
  run.digest = execution.digest;
  return Recording{run.digest.ToHex(), execution.turns, MakeTrace(scenario, sim::Finding(), {run})};
}

}  // namespace scenario
