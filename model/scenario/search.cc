#include "model/scenario/search.h"

#include <algorithm>
#include <set>
#include <thread>
#include <utility>

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
// What so many have shown is put together before the next begin: memory must not depend on how many
// executions there are.
constexpr int64_t kRoundExecutions = 256 * kChunkExecutions;
// The same for the parts of a systematic search.
constexpr int64_t kMostParts = 64;

constexpr int64_t kProbes = 256;  // of the number of executions

}  // namespace

Search::Search(const Scenario& scenario, const RunOptions& options, ProgressFn progress)
    : scenario_(scenario),
      options_(options),
      progress_(progress),
      program_(CompiledProgram(scenario)),
      judge_(scenario, program_.get()) {
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
  return Result();
}

bool Search::OutOfTime() {
  if (deadline_.has_value() && std::chrono::steady_clock::now() >= *deadline_) out_of_time_ = true;
  return out_of_time_;
}

void Search::RunSampled() {
  const int64_t limit = ExecutionLimit(scenario_.search);
  for (int64_t first = 0; first < limit && !out_of_time_; first += kRoundExecutions) {
    RunRound(first, std::min(first + kRoundExecutions, limit));
  }
}

void Search::RunRound(int64_t first, int64_t end) {
  const int64_t chunks = (end - first + kChunkExecutions - 1) / kChunkExecutions;
  RunChunks(static_cast<size_t>(chunks), [&](Workbench& bench, size_t i) {
    const int64_t begin = first + static_cast<int64_t>(i) * kChunkExecutions;
    RunChunk(bench, begin, std::min(begin + kChunkExecutions, end), chunks_[i]);
  });
  for (Chunk& chunk : chunks_) Join(chunk, 0);
}

void Search::RunChunks(size_t count, const std::function<void(Workbench&, size_t)>& run) {
  chunks_ = std::vector<Chunk>(count);
  std::atomic<size_t> next = 0;
  const auto work = [&](Workbench& bench) {
    for (size_t i = next++; i < count; i = next++) run(bench, i);
  };
  const size_t threads = std::min(count, static_cast<size_t>(std::max(options_.jobs, 1)));
  while (benches_.size() < threads) {
    benches_.push_back(std::make_unique<Workbench>(scenario_, program_.get()));
  }
  std::vector<std::thread> others;
  for (size_t i = 1; i < threads; ++i) others.emplace_back([&, i] { work(*benches_[i]); });
  work(*benches_[0]);
  for (std::thread& thread : others) thread.join();
}

void Search::RunChunk(Workbench& bench, int64_t first, int64_t end, Chunk& chunk) {
  const auto limit = static_cast<uint64_t>(ExecutionLimit(scenario_.search));
  for (int64_t number = first; number < end && !OutOfTime(); ++number) {
    std::optional<model::EnumerationCheck> check = NewEnumerationCheck();
    ExecutionResult result =
        RunNumber(scenario_.search, number, bench, *chunk.locks,
                  {.guards = options_.races ? &chunk.guards : nullptr,
                   .lock_stat = options_.lock_stat ? &chunk.lock_stat : nullptr,
                   .watcher = check.has_value() ? &*check : nullptr,
                   .covers = options_.coverage});
    Keep(result, number, chunk);
    KeepEnumerated(check, number, chunk);
    progress_(++executions_done_, limit);
  }
}

// Near the limit, so few parts are taken that they cannot go beyond it.
void Search::RunSystematic() {
  const auto tree = MakeSearchTree(scenario_.search, program_ != nullptr);
  const int64_t limit = ExecutionLimit(scenario_.search);
  int64_t runs = 0;
  for (;;) {
    const int64_t left = limit - static_cast<int64_t>(result_.executions);
    const int64_t most = std::clamp(left / options_.part_executions, int64_t{1}, kMostParts);
    const auto parts = tree->Take(static_cast<size_t>(most));
    complete_ = parts.empty();
    if (complete_ || left == 0 || OutOfTime()) return;
    RunChunks(parts.size(),
              [&](Workbench& bench, size_t i) { RunPart(bench, *parts[i], left, chunks_[i]); });
    for (size_t i = 0; i < parts.size(); ++i) {
      Join(chunks_[i], runs);
      runs += chunks_[i].runs();
    }
    if (out_of_time_) return;
    for (const auto& part : parts) tree->Join(*part);
  }
}

void Search::RunPart(Workbench& bench, sim::SystematicStrategy& part, int64_t limit, Chunk& chunk) {
  while (!OutOfTime() && part.Next()) {
    const int64_t number = chunk.runs();
    const auto complete = static_cast<int64_t>(chunk.digests.size());
    if (number == options_.part_executions || complete == limit) return;
    std::optional<model::EnumerationCheck> check = NewEnumerationCheck();
    const uint64_t learnt_before = chunk.locks->events_learnt();
    ExecutionResult result =
        RunExecution(bench,
                     {.number = static_cast<uint64_t>(number),
                      .seed = SeedOf(scenario_.search, number),
                      .keeps_schedule = true,
                      .guards = options_.races ? &chunk.guards : nullptr,
                      .lock_stat = options_.lock_stat ? &chunk.lock_stat : nullptr,
                      .watcher = check.has_value() ? &*check : nullptr,
                      .covers = options_.coverage},
                     part, *chunk.locks);
    result.abandoned |= !part.last_counts();
    const bool shows_more = Keep(result, number, chunk);
    KeepEnumerated(check, number, chunk);
    if (shows_more || chunk.locks->events_learnt() > learnt_before) {
      chunk.schedules.emplace(number, std::move(result.schedule));
    }
    progress_(++executions_done_, 0);
  }
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

bool Search::Keep(ExecutionResult& result, int64_t number, Chunk& chunk) {
  bool shows_more = false;
  for (sim::Finding& finding : result.findings) {
    const auto [it, is_new] =
        chunk.index.try_emplace({finding.kind, finding.message}, chunk.findings.size());
    if (is_new) chunk.findings.push_back({std::move(finding), number});
    ++chunk.findings[it->second].count;
    shows_more |= is_new;
  }
  const bool is_new_deadlock =
      !result.deadlocked.empty() &&
      std::none_of(chunk.deadlocks.begin(), chunk.deadlocks.end(),
                   [&](const auto& known) { return known.first == result.deadlocked; });
  if (is_new_deadlock) chunk.deadlocks.emplace_back(std::move(result.deadlocked), number);
  chunk.turns += result.turns;
  chunk.most_turns = std::max(chunk.most_turns, result.turns);
  chunk.most_actors = std::max(chunk.most_actors, result.actors);
  chunk.clock_reads += result.clock_read ? 1 : 0;
  chunk.beyond_limit += result.beyond_limit ? 1 : 0;
  chunk.crash_states.Merge(result.crash_states);
  if (options_.coverage) chunk.coverage.Add(number, result.coverage);
  if (result.abandoned) {
    ++chunk.redundant;
  } else {
    chunk.digests.push_back(result.digest);
  }
  return shows_more || is_new_deadlock;
}

std::optional<model::EnumerationCheck> Search::NewEnumerationCheck() const {
  if (!options_.enumerate.has_value() || program_ != nullptr) return std::nullopt;
  return model::EnumerationCheck(*options_.enumerate, scenario_.fs.data == DataMode::kWriteback);
}

void Search::KeepEnumerated(const std::optional<model::EnumerationCheck>& check, int64_t number,
                            Chunk& chunk) {
  if (!check.has_value()) return;
  const model::EnumerationCount& count = check->count();
  if (chunk.enumerated.disagreements == 0) chunk.disagreed_in = number;
  chunk.enumerated.Merge(count);
}

void Search::Join(Chunk& chunk, int64_t first) {
  if (chunk.enumerated.disagreements > 0) {
    chunk.enumerated.first_disagreement = absl::StrCat("execution ", first + chunk.disagreed_in,
                                                       ", ", chunk.enumerated.first_disagreement);
  }
  all_.enumerated.Merge(chunk.enumerated);
  for (const sim::Digest& one : chunk.digests) {
    digest_.Add(one.high);
    digest_.Add(one.low);
  }
  result_.executions += chunk.digests.size();
  all_.redundant += chunk.redundant;
  all_.turns += chunk.turns;
  all_.most_turns = std::max(all_.most_turns, chunk.most_turns);
  all_.most_actors = std::max(all_.most_actors, chunk.most_actors);
  all_.clock_reads += chunk.clock_reads;
  all_.beyond_limit += chunk.beyond_limit;
  all_.crash_states.Merge(chunk.crash_states);
  for (auto& [number, schedule] : chunk.schedules) {
    all_.schedules.emplace(first + number, std::move(schedule));
  }
  for (const FoundIn& found : chunk.findings) {
    Add(found.finding, {first + found.execution}, found.count);
  }
  std::set<int64_t> needed;
  for (const auto& [tasks, number] : chunk.deadlocks) {
    if (judge_.AddDeadlock(tasks, first + number)) needed.insert(first + number);
  }
  const uint64_t known = all_.locks->events_learnt();
  all_.locks->Merge(*chunk.locks, static_cast<uint64_t>(first));
  for (uint64_t event = known; event < all_.locks->events_learnt(); ++event) {
    needed.insert(static_cast<int64_t>(all_.locks->ExecutionOfEvent(event)));
  }
  for (const auto& [number, schedule] : chunk.schedules) {
    if (!needed.contains(first + number)) all_.schedules.erase(first + number);
  }
  if (options_.guards) result_.guards.Merge(chunk.guards, static_cast<uint64_t>(first));
  result_.lock_stat.Merge(chunk.lock_stat);
  all_.coverage.Merge(chunk.coverage, first);
}

ScenarioResult Search::Result() {
  AddLockReports();
  result_.steps = all_.turns;
  result_.digest = digest_.Value().ToHex();
  result_.crash_families = all_.crash_states.families();
  result_.crash_states = all_.crash_states.States();
  if (options_.enumerate.has_value()) result_.enumerated = all_.enumerated;
  result_.complete = complete_;
  result_.redundant = all_.redundant;
  result_.out_of_time = out_of_time_;
  if (IsSystematic(scenario_.search.strategy) && !complete_) {
    result_.estimate = EstimateExecutions();
  }
  result_.bounds = Bounds();
  if (options_.coverage) {
    result_.coverage = all_.coverage.Summary(*all_.locks, PolicyOf(scenario_));
  }
  result_.locks = KeepWith(program_, std::move(all_.locks));
  return std::move(result_);
}

void Search::AddLockReports() {
  const sim::Validator::Conclusions reports = all_.locks->Conclude();
  result_.more_cycles = reports.more_cycles;
  for (const sim::LockReport& report : reports.found) {
    const std::string apart = WhyApart(report);
    if (!apart.empty()) {
      result_.excluded_cycles.push_back({sim::Message(report), "disjoint instances", apart});
    } else if (report.kind == sim::ReportKind::kLockCycle && options_.confirms) {
      AddCycle(report);
    } else {
      Add(FindingOf(report), ExecutionsOf(report));
    }
  }
  for (const sim::LockReport& report : reports.excluded) {
    result_.excluded_cycles.push_back(
        {sim::Message(report), sim::VerdictName(report.cycle.verdict), report.cycle.why});
  }
}

std::string Search::WhyApart(const sim::LockReport& report) {
  if (report.kind != sim::ReportKind::kLockCycle || program_ == nullptr) return "";
  if (!instances_) instances_.emplace(*program_);
  std::vector<model::LockInstances::Wait> cycle;
  for (const sim::LockEdge& edge : report.cycle.edges) {
    cycle.emplace_back(edge.held.lock.name, edge.acquired.lock.name);
  }
  return instances_->WhyApart(cycle);
}

void Search::AddCycle(const sim::LockReport& report) {
  CycleOutcome outcome =
      judge_.Judge(report, [this](int64_t number) { return RunOf(number, nullptr); });
  if (outcome.kind == CycleOutcome::Kind::kRefuted) {
    result_.excluded_cycles.push_back({sim::Message(report), "refuted", outcome.why});
    return;
  }
  FoundFinding& finding = Add(FindingOf(report), ExecutionsOf(report));
  finding.why = outcome.why;
  if (outcome.kind == CycleOutcome::Kind::kConfirmed) {
    finding.verdict = "confirmed";
    finding.trace = MakeTrace(scenario_, outcome.deadlock, {outcome.run});
  } else {
    finding.verdict = "open";
  }
}

std::vector<std::string> Search::Bounds() const {
  const SearchConfig& search = scenario_.search;
  std::vector<std::string> bounds;
  if (search.strategy == StrategyKind::kPct) {
    Workbench bench(scenario_, program_.get());
    const uint64_t turns = std::max(ExpectedTurns(search, bench), all_.most_turns);
    bounds.push_back(absl::StrCat(
        "pct: each execution hits a bug of depth ", search.pct_depth, " with at least ",
        sim::PctBound(all_.most_actors, turns, static_cast<uint32_t>(search.pct_depth)), " (",
        all_.most_actors, " actors, ", turns, " turns)"));
  }
  if (all_.beyond_limit > 0) {
    bounds.push_back(absl::StrCat("beyond max_steps or max_time_ns, a fair scheduler went on: ",
                                  all_.beyond_limit, " of the executions"));
  }
  if (!IsSystematic(search.strategy)) return bounds;
  if (search.max_preemptions) {
    bounds.push_back(absl::StrCat("at most ", *search.max_preemptions, " preemptions"));
  }
  if (all_.clock_reads > 0) {
    bounds.push_back(
        "what is decided by the time (age of a transaction, of dirty pages) goes by the time it was"
        " in each execution");
  }
  return bounds;
}

FoundFinding& Search::Add(const sim::Finding& finding, const std::vector<int64_t>& executions,
                          uint64_t count) {
  const auto [it, is_new] =
      index_.try_emplace({finding.kind, finding.message}, result_.findings.size());
  if (is_new) {
    std::vector<TracedRun> runs;
    sim::Finding told = finding;
    for (const int64_t number : executions) runs.push_back(RunOf(number, &told));
    result_.findings.push_back({.kind = told.kind,
                                .message = told.message,
                                .detail = told.detail,
                                .trace = MakeTrace(scenario_, told, runs)});
  }
  FoundFinding& found = result_.findings[it->second];
  found.count += count;
  return found;
}

TracedRun Search::RunOf(int64_t number, sim::Finding* finding) const {
  TracedRun run{.execution = number, .seed = SeedOf(scenario_.search, number)};
  Workbench bench(scenario_, program_.get());
  sim::Validator locks;
  ExecutionOptions options = {.keeps_schedule = true, .log = &run.log, .tells_stories = true};
  ExecutionResult again;
  if (IsSystematic(scenario_.search.strategy)) {
    // One that was given up goes on to its end here.
    sim::ReplayStrategy strategy(all_.schedules.at(number));
    options.number = static_cast<uint64_t>(number);
    options.seed = run.seed;
    again = RunExecution(bench, options, strategy, locks);
  } else {
    again = RunNumber(scenario_.search, number, bench, locks, options);
  }
  run.schedule = std::move(again.schedule);
  run.digest = again.digest;
  for (sim::Finding& found : again.findings) {
    if (finding == nullptr || !finding->detail.empty()) break;
    if (found.kind == finding->kind && found.message == finding->message) {
      finding->detail = std::move(found.detail);
    }
  }
  return run;
}

}  // namespace scenario
