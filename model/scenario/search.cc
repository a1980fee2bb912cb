#include "model/scenario/search.h"

#include <algorithm>
#include <thread>

#include "absl/strings/str_cat.h"
#include "model/scenario/compile_program.h"
#include "model/scenario/strategies.h"
#include "sim/engine/random.h"
#include "sim/explore/depth_first.h"
#include "sim/explore/pct.h"
#include "sim/explore/replay.h"

namespace scenario {
namespace {

// Executions are shared out in chunks; what comes out must not depend on how many threads there
// are, so neither may the size of a chunk.
constexpr int64_t kChunkExecutions = 64;

constexpr int64_t kProbes = 256;  // of the number of executions

}  // namespace

Search::Search(const Scenario& scenario, const RunOptions& options, ProgressFn progress)
    : scenario_(scenario),
      options_(options),
      progress_(progress),
      program_(CompiledProgram(scenario)) {
  if (options.max_seconds) {
    deadline_ = std::chrono::steady_clock::now() + std::chrono::seconds(*options.max_seconds);
  }
}

ScenarioResult Search::Run() {
  if (IsSystematic(scenario_.search.strategy)) {
    RunSystematic();
  } else {
    RunSampled();
  }
  return Join();
}

bool Search::OutOfTime() const {
  return deadline_.has_value() && std::chrono::steady_clock::now() >= *deadline_;
}

void Search::RunSampled() {
  const int64_t limit = ExecutionLimit(scenario_.search);
  chunks_ = std::vector<Chunk>((limit + kChunkExecutions - 1) / kChunkExecutions);
  const size_t threads = std::min<size_t>(chunks_.size(), std::max(options_.jobs, 1));
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back([this] { WorkOnChunks(); });
  WorkOnChunks();
  for (std::thread& thread : others) thread.join();
}

void Search::WorkOnChunks() {
  const int64_t limit = ExecutionLimit(scenario_.search);
  Workbench bench(scenario_, program_.get());
  for (size_t i = next_chunk_++; i < chunks_.size(); i = next_chunk_++) {
    const int64_t first = static_cast<int64_t>(i) * kChunkExecutions;
    const int64_t end = std::min(first + kChunkExecutions, limit);
    for (int64_t number = first; number < end; ++number) {
      if (out_of_time_ || OutOfTime()) {
        out_of_time_ = true;
        return;
      }
      Chunk& chunk = chunks_[i];
      Keep(RunNumber(scenario_.search, number, bench, *chunk.locks,
                     {.guards = options_.races ? &chunk.guards : nullptr,
                      .lock_stat = options_.lock_stat ? &chunk.lock_stat : nullptr}),
           number, chunk);
      progress_(++executions_done_, static_cast<uint64_t>(limit));
    }
  }
}

void Search::RunSystematic() {
  const int64_t limit = ExecutionLimit(scenario_.search);
  chunks_ = std::vector<Chunk>(1);
  Chunk& chunk = chunks_.front();
  Workbench bench(scenario_, program_.get());
  const auto strategy = MakeSystematic(scenario_.search, program_ != nullptr);
  for (int64_t number = 0; strategy->Next(); ++number) {
    if (static_cast<int64_t>(chunk.digests.size()) == limit) return;
    if (OutOfTime()) {
      out_of_time_ = true;
      return;
    }
    const uint64_t learnt_before = chunk.locks->events_learnt();
    ExecutionResult result =
        RunExecution(bench,
                     {.number = static_cast<uint64_t>(number),
                      .seed = SeedOf(scenario_.search, number),
                      .keeps_schedule = true,
                      .guards = options_.races ? &chunk.guards : nullptr,
                      .lock_stat = options_.lock_stat ? &chunk.lock_stat : nullptr},
                     *strategy, *chunk.locks);
    if (!result.findings.empty() || chunk.locks->events_learnt() > learnt_before) {
      schedules_.emplace(number, std::move(result.schedule));
    }
    Keep(std::move(result), number, chunk);
    progress_(++executions_done_, 0);
  }
  complete_ = true;
}

double Search::EstimateExecutions() const {
  const SearchConfig& search = scenario_.search;
  Workbench bench(scenario_, program_.get());
  sim::RandomStream seeds(search.seed, "estimate");
  double sum = 0;
  for (int64_t i = 0; i < kProbes; ++i) {
    sim::DepthFirstProbe probe(seeds.Next(), MaxPreemptions(search));
    sim::Validator locks;
    RunExecution(bench, {.seed = SeedOf(search, i)}, probe, locks);
    sum += probe.executions();
  }
  return sum / kProbes;
}

void Search::Keep(ExecutionResult result, int64_t number, Chunk& chunk) {
  for (sim::Finding& finding : result.findings) {
    chunk.findings.push_back({std::move(finding), number});
  }
  if (!result.deadlocked.empty()) {
    chunk.deadlocks.emplace_back(std::move(result.deadlocked), number);
  }
  chunk.turns += result.turns;
  chunk.most_turns = std::max(chunk.most_turns, result.turns);
  chunk.most_actors = std::max(chunk.most_actors, result.actors);
  chunk.clock_reads += result.clock_read ? 1 : 0;
  chunk.crash_states.Merge(result.crash_states);
  if (result.abandoned) {
    ++redundant_;
  } else {
    chunk.digests.push_back(result.digest);
  }
}

ScenarioResult Search::Join() {
  ScenarioResult result;
  sim::Digest128 digest;
  Chunk all;
  for (Chunk& chunk : chunks_) {
    for (const sim::Digest& one : chunk.digests) {
      digest.Add(one.high);
      digest.Add(one.low);
    }
    result.executions += chunk.digests.size();
    all.turns += chunk.turns;
    all.most_turns = std::max(all.most_turns, chunk.most_turns);
    all.most_actors = std::max(all.most_actors, chunk.most_actors);
    all.clock_reads += chunk.clock_reads;
    all.crash_states.Merge(chunk.crash_states);
    for (const FoundIn& found : chunk.findings) Add(found.finding, {found.execution}, result);
    all.locks->Merge(*chunk.locks);
    if (options_.guards) result.guards.Merge(chunk.guards);
    result.lock_stat.Merge(chunk.lock_stat);
  }
  AddLockReports(*all.locks, result);
  result.steps = all.turns;
  result.digest = digest.Value().ToHex();
  result.crash_families = all.crash_states.families();
  result.crash_states = all.crash_states.States();
  result.complete = complete_;
  result.redundant = redundant_;
  result.out_of_time = out_of_time_;
  if (IsSystematic(scenario_.search.strategy) && !complete_) {
    result.estimate = EstimateExecutions();
  }
  result.bounds = Bounds(all);
  result.locks = KeepWith(program_, std::move(all.locks));
  return result;
}

void Search::AddLockReports(const sim::Validator& locks, ScenarioResult& result) {
  const sim::Validator::Conclusions reports = locks.Conclude();
  result.more_cycles = reports.more_cycles;
  LockCycleJudge judge(scenario_, program_.get());
  for (const Chunk& chunk : chunks_) {
    for (const auto& [tasks, number] : chunk.deadlocks) judge.AddDeadlock(tasks, number);
  }
  for (const sim::LockReport& report : reports.found) {
    if (report.kind == sim::ReportKind::kLockCycle && options_.confirms) {
      AddCycle(report, judge, result);
    } else {
      Add(FindingOf(report), ExecutionsOf(report), result);
    }
  }
  for (const sim::LockReport& report : reports.excluded) {
    result.excluded_cycles.push_back(
        {sim::Message(report), sim::VerdictName(report.cycle.verdict), report.cycle.why});
  }
}

void Search::AddCycle(const sim::LockReport& report, LockCycleJudge& judge,
                      ScenarioResult& result) {
  CycleOutcome outcome = judge.Judge(report, [this](int64_t number) { return RunOf(number); });
  if (outcome.kind == CycleOutcome::Kind::kRefuted) {
    result.excluded_cycles.push_back({sim::Message(report), "refuted", outcome.why});
    return;
  }
  FoundFinding& finding = Add(FindingOf(report), ExecutionsOf(report), result);
  finding.why = outcome.why;
  if (outcome.kind == CycleOutcome::Kind::kConfirmed) {
    finding.verdict = "confirmed";
    finding.trace = MakeTrace(scenario_, outcome.deadlock, {outcome.run});
  } else {
    finding.verdict = "open";
  }
}

std::vector<std::string> Search::Bounds(const Chunk& all) const {
  const SearchConfig& search = scenario_.search;
  std::vector<std::string> bounds;
  if (search.strategy == StrategyKind::kPct) {
    Workbench bench(scenario_, program_.get());
    const uint64_t turns = std::max(ExpectedTurns(search, bench), all.most_turns);
    bounds.push_back(absl::StrCat(
        "pct: each execution hits a bug of depth ", search.pct_depth, " with at least ",
        sim::PctBound(all.most_actors, turns, static_cast<uint32_t>(search.pct_depth)), " (",
        all.most_actors, " actors, ", turns, " turns)"));
  }
  if (!IsSystematic(search.strategy)) return bounds;
  if (search.strategy == StrategyKind::kDepthFirst && search.max_preemptions) {
    bounds.push_back(absl::StrCat("at most ", *search.max_preemptions, " preemptions"));
  }
  if (all.clock_reads > 0) {
    bounds.push_back(
        "what is decided by the time (age of a transaction, of dirty pages) goes by the time it was"
        " in each execution");
  }
  return bounds;
}

FoundFinding& Search::Add(const sim::Finding& finding, const std::vector<int64_t>& executions,
                          ScenarioResult& result) {
  const auto [it, is_new] =
      index_.try_emplace({finding.kind, finding.message}, result.findings.size());
  if (is_new) {
    std::vector<TracedRun> runs;
    for (const int64_t number : executions) runs.push_back(RunOf(number));
    result.findings.push_back({.kind = finding.kind,
                               .message = finding.message,
                               .detail = finding.detail,
                               .trace = MakeTrace(scenario_, finding, runs)});
  }
  FoundFinding& found = result.findings[it->second];
  ++found.count;
  return found;
}

TracedRun Search::RunOf(int64_t number) const {
  TracedRun run{.execution = number, .seed = SeedOf(scenario_.search, number)};
  Workbench bench(scenario_, program_.get());
  sim::Validator locks;
  ExecutionOptions options = {.keeps_schedule = true, .log = &run.log};
  ExecutionResult again;
  if (IsSystematic(scenario_.search.strategy)) {
    // One that was given up goes on to its end here.
    sim::ReplayStrategy strategy(schedules_.at(number));
    options.number = static_cast<uint64_t>(number);
    options.seed = run.seed;
    again = RunExecution(bench, options, strategy, locks);
  } else {
    again = RunNumber(scenario_.search, number, bench, locks, options);
  }
  run.schedule = std::move(again.schedule);
  run.digest = again.digest;
  return run;
}

}  // namespace scenario
