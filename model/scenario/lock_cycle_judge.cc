#include "model/scenario/lock_cycle_judge.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/scenario/strategies.h"
#include "sim/engine/random.h"
#include "sim/explore/directed.h"
#include "sim/explore/dpor.h"
#include "sim/explore/replay.h"

namespace scenario {
namespace {

constexpr int64_t kDirectedExecutions = 4'000;
constexpr uint64_t kDirectedTurns = 1'500'000;  // and no more executions once so many are done
// Of a scenario without a file system, of one with.
constexpr uint64_t kMostProgramExecutions = 20'000, kMostFsExecutions = 500;

std::vector<sim::CycleWait> WaitsOf(const sim::LockReport& report) {
  std::vector<sim::CycleWait> waits;
  for (const sim::LockEdge& edge : report.cycle.edges) {
    waits.push_back({edge.held.lock.Text(), edge.acquired.lock.Text(), edge.learnt});
  }
  return waits;
}

// One task cannot deadlock with itself, but two that do what it does might.
bool AreOneTasks(const std::vector<sim::LockEdge>& edges) {
  return std::all_of(edges.begin(), edges.end(), [&](const sim::LockEdge& edge) {
    return edge.actor.name == edges.front().actor.name;
  });
}

bool AllAreWaitedFor(const sim::LockReport& report) {
  return std::none_of(report.cycle.edges.begin(), report.cycle.edges.end(),
                      [](const sim::LockEdge& edge) { return edge.acquired.lock.checker_only; });
}

}  // namespace

bool LockCycleJudge::AddDeadlock(const std::vector<sim::HoldAndWait>& tasks, int64_t execution) {
  const bool known = std::any_of(deadlocks_.begin(), deadlocks_.end(),
                                 [&](const Deadlock& other) { return other.tasks == tasks; });
  if (known) return false;
  deadlocks_.push_back({.tasks = tasks,
                        .source = absl::StrCat("execution ", execution, " of the search"),
                        .run = {.execution = execution},
                        .is_searched = true});
  return true;
}

CycleOutcome LockCycleJudge::Judge(const sim::LockReport& report, RunOfFn run_of) {
  const std::vector<sim::CycleWait> cycle = WaitsOf(report);
  if (const Deadlock* found = Find(cycle)) return Confirmed(*found, run_of);
  int64_t directed = 0;
  if (RunDirected(cycle, directed)) return Confirmed(deadlocks_.back(), run_of);
  if (!whole_) RunAll();
  if (const Deadlock* found = Find(cycle)) return Confirmed(*found, run_of);
  CycleOutcome outcome;
  const std::string tried =
      absl::StrCat(directed, " directed executions and ", whole_->complete ? "all " : "the first ",
                   whole_->executions, whole_->complete ? " that there are" : " of all",
                   " end without its deadlock");
  const bool one_task = AreOneTasks(report.cycle.edges);
  if (whole_->complete && !whole_->clock_read && !one_task && AllAreWaitedFor(report)) {
    outcome.kind = CycleOutcome::Kind::kRefuted;
    outcome.why = absl::StrCat("in this scenario: all ", whole_->executions,
                               " executions end without its deadlock");
  } else if (one_task) {
    outcome.why = absl::StrCat(tried, "; its waits were seen of one task only");
  } else if (!AllAreWaitedFor(report)) {
    outcome.why = absl::StrCat(tried, "; in simulation nobody waits for one of its classes");
  } else if (whole_->complete) {
    outcome.why = absl::StrCat(tried, "; some decisions in them depend on the time");
  } else {
    outcome.why = tried;
  }
  return outcome;
}

const LockCycleJudge::Deadlock* LockCycleJudge::Find(
    const std::vector<sim::CycleWait>& cycle) const {
  const auto found = std::find_if(
      deadlocks_.begin(), deadlocks_.end(),
      [&](const Deadlock& deadlock) { return sim::IsDeadlockOf(cycle, deadlock.tasks); });
  return found == deadlocks_.end() ? nullptr : &*found;
}

CycleOutcome LockCycleJudge::Confirmed(const Deadlock& deadlock, RunOfFn run_of) {
  CycleOutcome outcome;
  outcome.kind = CycleOutcome::Kind::kConfirmed;
  outcome.run = deadlock.is_searched ? run_of(deadlock.run.execution) : deadlock.run;
  outcome.run.log = {};
  sim::ReplayStrategy strategy(outcome.run.schedule);
  sim::Validator locks;
  const ExecutionResult again =
      RunExecution(bench_,
                   {.number = static_cast<uint64_t>(outcome.run.execution),
                    .seed = outcome.run.seed,
                    .log = &outcome.run.log},
                   strategy, locks);
  const auto finding =
      std::find_if(again.findings.begin(), again.findings.end(),
                   [](const sim::Finding& candidate) { return candidate.kind == "deadlock"; });
  if (finding != again.findings.end()) outcome.deadlock = *finding;
  outcome.why = absl::StrCat(deadlock.source, " ends in it: ", outcome.deadlock.message);
  return outcome;
}

bool LockCycleJudge::RunDirected(const std::vector<sim::CycleWait>& cycle, int64_t& number) {
  sim::RandomStream seeds(scenario_.search.seed, "directed");
  uint64_t turns = 0;
  for (; number < kDirectedExecutions && turns < kDirectedTurns; ++number) {
    TracedRun run{.execution = number, .seed = seeds.Next()};
    sim::DirectedStrategy strategy(run.seed, cycle);
    sim::Validator locks;
    ExecutionResult result = RunExecution(
        bench_, {.number = static_cast<uint64_t>(number), .seed = run.seed, .keeps_schedule = true},
        strategy, locks);
    turns += result.turns;
    if (!sim::IsDeadlockOf(cycle, result.deadlocked)) continue;
    run.schedule = std::move(result.schedule);
    run.digest = result.digest;
    deadlocks_.push_back({.tasks = std::move(result.deadlocked),
                          .source = absl::StrCat("directed execution ", number),
                          .run = std::move(run)});
    return true;
  }
  return false;
}

void LockCycleJudge::RunAll() {
  whole_ = WholeSearch{.executions = 0, .complete = false, .clock_read = false};
  SearchConfig search = scenario_.search;
  search.strategy = StrategyKind::kDpor;
  search.max_preemptions.reset();
  const auto strategy = MakeSystematic(search, is_program_);
  sim::Validator locks;
  const uint64_t limit = is_program_ ? kMostProgramExecutions : kMostFsExecutions;
  for (int64_t number = 0; strategy->Next(); ++number) {
    if (static_cast<uint64_t>(number) == limit) return;
    ExecutionResult result = RunExecution(
        bench_,
        {.number = static_cast<uint64_t>(number), .seed = search.seed, .keeps_schedule = true},
        *strategy, locks);
    whole_->clock_read |= result.clock_read;
    whole_->executions += result.abandoned ? 0 : 1;
    if (result.deadlocked.empty()) continue;
    deadlocks_.push_back({.tasks = std::move(result.deadlocked),
                          .source = absl::StrCat("execution ", number, " of all"),
                          .run = {.execution = number,
                                  .seed = search.seed,
                                  .schedule = std::move(result.schedule),
                                  .digest = result.digest}});
  }
  whole_->complete = true;
}

}  // namespace scenario
