// What comes of a search (search.h): what was shown is put together, and judged at the end.
#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/scenario/compile_program.h"
#include "model/scenario/search.h"
#include "model/scenario/strategies.h"
#include "sim/engine/random.h"
#include "sim/explore/depth_first.h"
#include "sim/explore/pct.h"
#include "sim/explore/replay.h"

namespace scenario {
namespace {

constexpr int64_t kProbes = 256;  // of the number of executions

}  // namespace

void Search::Join(Chunk& chunk, int64_t first) {
  model::EnumerationCount& enumerated = chunk.tally.enumerated;
  if (enumerated.disagreements > 0) {
    enumerated.first_disagreement =
        absl::StrCat("execution ", first + chunk.disagreed_in, ", ", enumerated.first_disagreement);
  }
  tally_.Merge(chunk.tally, first);
  for (const sim::Digest& one : chunk.digests) {
    digest_.Add(one.high);
    digest_.Add(one.low);
  }
  result_.executions += chunk.digests.size();
  for (auto& [number, way] : chunk.ways) ways_.emplace(first + number, std::move(way));
  std::set<int64_t> needed;
  for (const Chunk::FoundIn& found : chunk.findings) {
    const size_t known = result_.findings.size();
    Add(found.finding, {first + found.execution}, found.count);
    if (result_.findings.size() > known) needed.insert(first + found.execution);
  }
  for (const auto& [tasks, number] : chunk.deadlocks) {
    if (judge_.AddDeadlock(tasks, first + number)) needed.insert(first + number);
  }
  const bool keeps_all = MergeLocks(*chunk.locks, first, needed);
  const size_t rows = result_.guards.rows().size();
  if (options_.guards) result_.guards.Merge(chunk.guards, static_cast<uint64_t>(first));
  for (size_t row = rows; row < result_.guards.rows().size(); ++row) {
    needed.insert(static_cast<int64_t>(result_.guards.rows()[row].execution));
  }
  for (const auto& [number, way] : chunk.ways) {
    if (!keeps_all && !needed.contains(first + number)) ways_.erase(first + number);
  }
}

// Adds the executions that showed something first to `needed`. True: it may be any of them.
bool Search::MergeLocks(const sim::Validator& locks, int64_t first, std::set<int64_t>& needed) {
  const uint64_t known = locks_->events_learnt(), others = locks_->things_learnt() - known;
  locks_->Merge(locks, static_cast<uint64_t>(first));
  for (uint64_t event = known; event < locks_->events_learnt(); ++event) {
    needed.insert(static_cast<int64_t>(locks_->ExecutionOfEvent(event)));
  }
  return locks_->things_learnt() - locks_->events_learnt() > others;
}

ScenarioResult Search::Result() {
  AddLockReports();
  result_.steps = tally_.turns;
  result_.digest = digest_.Value().ToHex();
  result_.crash_families = tally_.crash_states.families();
  result_.crash_states = tally_.crash_states.States();
  if (options_.enumerate.has_value()) result_.enumerated = tally_.enumerated;
  result_.complete = complete_;
  result_.redundant = tally_.redundant;
  result_.out_of_time = out_of_time_;
  result_.interrupted = interrupted_;
  if (IsSystematic(scenario_.search.strategy) && !complete_) {
    result_.estimate = EstimateExecutions();
  }
  result_.bounds = Bounds();
  if (options_.coverage) {
    result_.coverage = tally_.coverage.Summary(*locks_, PolicyOf(scenario_));
  }
  result_.lock_stat = std::move(tally_.lock_stat);
  result_.locks = KeepWith(program_, std::move(locks_));
  return std::move(result_);
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

std::vector<std::string> Search::Bounds() const {
  const SearchConfig& search = scenario_.search;
  std::vector<std::string> bounds;
  if (search.strategy == StrategyKind::kPct) {
    Workbench bench(scenario_, program_.get());
    const uint64_t turns = std::max(ExpectedTurns(search, bench), tally_.most_turns);
    bounds.push_back(absl::StrCat(
        "pct: each execution hits a bug of depth ", search.pct_depth, " with at least ",
        sim::PctBound(tally_.most_actors, turns, static_cast<uint32_t>(search.pct_depth)), " (",
        tally_.most_actors, " actors, ", turns, " turns)"));
  }
  if (tally_.beyond_limit > 0) {
    bounds.push_back(absl::StrCat("beyond max_steps or max_time_ns, a fair scheduler went on: ",
                                  tally_.beyond_limit, " of the executions"));
  }
  if (!IsSystematic(search.strategy)) return bounds;
  if (search.max_preemptions) {
    bounds.push_back(absl::StrCat("at most ", *search.max_preemptions, " preemptions"));
  }
  if (tally_.clock_reads > 0) {
    bounds.push_back(
        "what is decided by the time (age of a transaction, of dirty pages) goes by the time it was"
        " in each execution");
  }
  return bounds;
}

void Search::AddLockReports() {
  const sim::Validator::Conclusions reports = locks_->Conclude();
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

std::string Search::WhyApart(const sim::LockReport& report) {
  if (report.kind != sim::ReportKind::kLockCycle || program_ == nullptr) return "";
  if (!instances_) instances_.emplace(*program_);
  std::vector<model::LockInstances::Wait> cycle;
  for (const sim::LockEdge& edge : report.cycle.edges) {
    cycle.emplace_back(edge.held.lock.name, edge.acquired.lock.name);
  }
  return instances_->WhyApart(cycle);
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
    sim::ReplayStrategy strategy(ways_.at(number).schedule);
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
