#include "model/scenario/runner.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "model/ext4/policy.h"
#include "model/scenario/compile_program.h"
#include "model/scenario/execution.h"
#include "model/scenario/parse.h"
#include "model/scenario/trace_file.h"
#include "sim/check.h"
#include "sim/explore/random.h"
#include "sim/explore/timed.h"

namespace scenario {
namespace {

// Executions are shared out in chunks, each with a lock graph of its own; what comes out must not
// depend on how many threads there are, so neither may the size of a chunk.
constexpr int64_t kChunkExecutions = 64;

std::unique_ptr<sim::Strategy> MakeStrategy(StrategyKind kind, uint64_t seed) {
  if (kind == StrategyKind::kRandom) return std::make_unique<sim::RandomStrategy>(seed);
  return std::make_unique<sim::TimedStrategy>();
}

// Seeds of one search are unrelated, and the first execution has the search's own.
uint64_t SeedOf(uint64_t seed, int64_t index) {
  if (index == 0) return seed;
  return sim::RandomStream(seed ^ static_cast<uint64_t>(index) << 32, "executions").Next();
}

struct FoundIn {
  sim::Finding finding;
  int64_t execution = 0;
};

// What a chunk of executions has seen.
struct Chunk {
  std::unique_ptr<sim::Validator> locks = std::make_unique<sim::Validator>();
  sim::GuardTable guards;
  std::vector<FoundIn> findings;
  std::vector<sim::Digest> digests;
  uint64_t turns = 0;
  model::StateCount crash_states;
};

class Search {
 public:
  Search(const Scenario& scenario, const RunOptions& options, ProgressFn progress)
      : scenario_(scenario),
        options_(options),
        progress_(progress),
        program_(CompiledProgram(scenario)),
        chunks_((scenario.search.executions + kChunkExecutions - 1) / kChunkExecutions) {}

  ScenarioResult Run() {
    std::vector<std::thread> others;
    const int threads =
        static_cast<int>(std::min<size_t>(chunks_.size(), std::max(options_.jobs, 1)));
    for (int i = 1; i < threads; ++i) others.emplace_back([this] { Work(); });
    Work();
    for (std::thread& thread : others) thread.join();
    return Join();
  }

 private:
  void Work() {
    Workbench bench(scenario_, program_.get());
    for (size_t i = next_chunk_++; i < chunks_.size(); i = next_chunk_++) {
      const int64_t first = static_cast<int64_t>(i) * kChunkExecutions;
      const int64_t end = std::min(first + kChunkExecutions, scenario_.search.executions);
      for (int64_t execution = first; execution < end; ++execution) {
        RunOne(execution, bench, chunks_[i]);
        progress_(++executions_done_, static_cast<uint64_t>(scenario_.search.executions));
      }
    }
  }

  void RunOne(int64_t index, Workbench& bench, Chunk& chunk) {
    ExecutionResult result = RunNumber(scenario_.search, index, bench, *chunk.locks,
                                       {.guards = options_.races ? &chunk.guards : nullptr});
    for (sim::Finding& finding : result.findings) {
      chunk.findings.push_back({std::move(finding), index});
    }
    chunk.digests.push_back(result.digest);
    chunk.turns += result.turns;
    chunk.crash_states.Merge(result.crash_states);
  }

  ScenarioResult Join() {
    ScenarioResult result;
    sim::Digest128 digest;
    model::StateCount crash_states;
    auto locks = std::make_shared<sim::Validator>();
    for (Chunk& chunk : chunks_) {
      for (const sim::Digest& one : chunk.digests) {
        digest.Add(one.high);
        digest.Add(one.low);
      }
      result.executions += chunk.digests.size();
      result.steps += chunk.turns;
      crash_states.Merge(chunk.crash_states);
      for (const FoundIn& found : chunk.findings) Add(found.finding, {found.execution}, result);
      locks->Merge(*chunk.locks);
      if (options_.guards) result.guards.Merge(chunk.guards);
    }
    const LockReports reports = LockReportsOf(*locks);
    result.more_cycles = reports.more_cycles;
    for (const sim::LockReport& report : reports.found) {
      Add(FindingOf(report), ExecutionsOf(report), result);
    }
    for (const sim::LockReport& report : reports.excluded) {
      result.excluded_cycles.push_back(
          {sim::Message(report), sim::VerdictName(report.cycle.verdict), report.cycle.why});
    }
    result.locks = KeepWith(program_, std::move(locks));
    result.digest = digest.Value().ToHex();
    result.crash_families = crash_states.families();
    result.crash_states = crash_states.States();
    return result;
  }

  // `executions`: those that lead to it, ascending.
  void Add(const sim::Finding& finding, const std::vector<int64_t>& executions,
           ScenarioResult& result) {
    const auto [it, is_new] =
        index_.try_emplace({finding.kind, finding.message}, result.findings.size());
    if (is_new) {
      result.findings.push_back({finding.kind, finding.message, finding.detail, 0,
                                 MakeTrace(scenario_, finding, RunsOf(executions))});
    }
    ++result.findings[it->second].count;
  }

  // Runs the executions again, for their schedules and events.
  std::vector<TracedRun> RunsOf(const std::vector<int64_t>& executions) {
    std::vector<TracedRun> runs;
    Workbench bench(scenario_, program_.get());
    sim::Validator locks;
    for (const int64_t index : executions) {
      TracedRun run;
      run.execution = index;
      run.seed = SeedOf(scenario_.search.seed, index);
      const ExecutionResult again = RunNumber(scenario_.search, index, bench, locks,
                                              {.keeps_schedule = true, .log = &run.log});
      run.schedule = again.schedule;
      run.digest = again.digest;
      runs.push_back(std::move(run));
    }
    return runs;
  }

  const Scenario& scenario_;
  const RunOptions& options_;
  ProgressFn progress_;
  std::shared_ptr<const model::LockProgram> program_;  // null: there is a file system
  std::vector<Chunk> chunks_;
  std::atomic<size_t> next_chunk_ = 0;
  std::atomic<uint64_t> executions_done_ = 0;
  std::map<std::pair<std::string, std::string>, size_t> index_;
};

}  // namespace

ExecutionResult RunNumber(const SearchConfig& search, int64_t number, Workbench& bench,
                          sim::Validator& locks, ExecutionOptions options) {
  options.number = static_cast<uint64_t>(number);
  options.seed = SeedOf(search.seed, number);
  const auto strategy = MakeStrategy(search.strategy, options.seed);
  return RunExecution(bench, options, *strategy, locks);
}

Scenario WithOptions(Scenario scenario, const RunOptions& options) {
  if (options.strategy.has_value()) scenario.search.strategy = *options.strategy;
  if (options.seed.has_value()) scenario.search.seed = *options.seed;
  if (options.executions.has_value()) scenario.search.executions = *options.executions;
  return scenario;
}

sim::Finding FindingOf(const sim::LockReport& report) {
  sim::Finding finding;
  finding.kind = sim::FindingKind(report.kind);
  finding.message = sim::Message(report);
  finding.detail = sim::RenderText(report);
  return finding;
}

LockReports LockReportsOf(const sim::Validator& validator) {
  LockReports reports;
  for (const sim::LockReport& report : validator.reports()) {
    if (report.kind != sim::ReportKind::kLockCycle) reports.found.push_back(report);
  }
  sim::Validator::CycleReports cycles = validator.Cycles();
  reports.more_cycles = cycles.cut_off;
  for (sim::LockReport& report : cycles.cycles) {
    const bool possible = report.cycle.verdict == sim::CycleVerdict::kPossible;
    (possible ? reports.found : reports.excluded).push_back(std::move(report));
  }
  return reports;
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
  const Scenario scenario = WithOptions(original, options);
  SIM_CHECK(scenario.search.executions > 0);
  return Search(scenario, options, progress).Run();
}

absl::StatusOr<Recording> RecordExecution(const Scenario& original, const RunOptions& options,
                                          int64_t number) {
  const Scenario scenario = WithOptions(original, options);
  const auto program = CompiledProgram(scenario);
  Workbench bench(scenario, program.get());
  sim::Validator locks;
  sim::GuardTable guards;
  ExecutionResult execution =
      RunNumber(scenario.search, number, bench, locks, {.keeps_schedule = true, .guards = &guards});
  for (const sim::LockReport& report : LockReportsOf(locks).found) {
    execution.findings.push_back(FindingOf(report));
  }
  if (!execution.findings.empty()) {
    const sim::Finding& first = execution.findings.front();
    return absl::FailedPreconditionError(
        absl::StrCat("execution ", number, " finds ", first.kind, ": ", first.message));
  }
  TracedRun run;
  run.execution = number;
  run.seed = SeedOf(scenario.search.seed, number);
  run.schedule = std::move(execution.schedule);
  run.digest = execution.digest;
  return Recording{run.digest.ToHex(), execution.turns, MakeTrace(scenario, sim::Finding(), {run})};
}

}  // namespace scenario
