#include "model/scenario/shrink.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "model/scenario/compile_program.h"
#include "model/scenario/execution.h"
#include "model/scenario/model_policies.h"
#include "model/scenario/parse.h"
#include "model/scenario/runner.h"
#include "model/scenario/shrink_target.h"
#include "model/scenario/strategies.h"
#include "model/scenario/trace_file.h"
#include "model/scenario/writer.h"
#include "sim/explore/depth_first.h"
#include "sim/explore/guided.h"
#include "sim/explore/replay.h"

namespace scenario {
namespace {

using Schedule = std::vector<sim::ScheduleRun>;

constexpr int64_t kLeastExecutions = 256, kMostExecutions = 4'096;  // of one search
constexpr uint64_t kBudget = 200'000;                               // executions of all
constexpr uint64_t kTurnBudget = 50'000'000;                        // turns of all
constexpr int64_t kMostPreemptions = 2, kPreemptionExecutions = 1'000;
constexpr int64_t kMostScheduleTries = 4'000;

// Only if every value makes sense, as if it came from a file.
std::optional<Scenario> Checked(const Scenario& scenario) {
  auto parsed = ParseScenario("shrunk", ToJson(scenario).dump(), ModelPolicies());
  if (!parsed.ok() || !CheckFits(*parsed).ok()) return std::nullopt;
  return *std::move(parsed);
}

TraceSize SizeOf(const Scenario& scenario, const std::vector<TracedRun>& runs) {
  TraceSize size;
  size.threads = scenario.threads.size();
  for (const ThreadConfig& thread : scenario.threads) {
    size.operations += thread.ops.size();
    for (const Op& op : thread.ops) size.bytes += op.pos_bytes + op.len_bytes + op.size_bytes;
  }
  for (const FileConfig& file : scenario.files) size.bytes += file.size_bytes;
  for (const TracedRun& run : runs) {
    for (const sim::ScheduleRun& stretch : run.schedule) size.turns += stretch.turns;
    if (!run.schedule.empty()) size.switches += run.schedule.size() - 1;
  }
  return size;
}

class Shrinker {
 public:
  Shrinker(Trace trace, int jobs)
      : target_(trace.kind, trace.message),
        jobs_(jobs),
        scenario_(std::move(trace.scenario)),
        message_(std::move(trace.message)),
        runs_(std::move(trace.runs)) {
    executions_ = std::clamp(scenario_.search.executions.value_or(kMostExecutions),
                             kLeastExecutions, kMostExecutions);
  }

  // `replayed`: what a replay of the trace finds.
  absl::StatusOr<ShrinkResult> Shrink(const std::vector<FoundFinding>& replayed) {
    result_.before = SizeOf(scenario_, runs_);
    if (absl::Status status = LookAtOriginal(replayed); !status.ok()) return status;
    while (DropOperations()) continue;
    while (DropDeclarations()) continue;
    ShrinkSchedule();
    while (ReduceSizes()) continue;
    ShrinkSchedule();
    return Result();
  }

 private:
  // --- What a scenario shows ---------------------------------------------------------------------

  // The trace at hand, run again: what the target is in full, and what else the scenario shows.
  absl::Status LookAtOriginal(const std::vector<FoundFinding>& replayed) {
    kinds_.insert(target_.kind());
    for (const FoundFinding& finding : replayed) kinds_.insert(finding.kind);
    if (runs_.size() == 1) {
      sim::ReplayStrategy strategy(runs_.front().schedule);
      const ExecutionResult result = RunOne(strategy, runs_.front(), {});
      if (target_.IsDeadlock()) target_.SetDeadlock(result.deadlocked);
      if (!Has(last_findings_)) return NotAgain();
    } else if (!Has(replayed)) {
      return NotAgain();
    }
    // What its search shows beside.
    for (const FoundFinding& found : SearchOf(scenario_, executions_).findings) {
      kinds_.insert(found.kind);
    }
    return absl::OkStatus();
  }

  template <class Findings>
  bool Has(const Findings& findings) const {
    return std::any_of(findings.begin(), findings.end(), [&](const auto& finding) {
      return finding.kind == target_.kind() && finding.message == message_;
    });
  }

  static absl::Status NotAgain() {
    return absl::FailedPreconditionError(
        "the finding does not come again (see crashdep replay): there is nothing to shrink");
  }

  ScenarioResult SearchOf(const Scenario& scenario, int64_t executions) {
    RunOptions options;
    options.executions = executions;
    options.jobs = jobs_;
    options.races = target_.kind() == "data_race";
    options.confirms = false;
    ScenarioResult found =
        RunScenario(WithOptions(scenario, options), options, [](uint64_t, uint64_t) {});
    result_.executions += found.executions + found.redundant;
    turns_ += found.steps;
    return found;
  }

  // One execution of the scenario at hand; its findings, those of locks included, are then in
  // last_findings_.
  ExecutionResult RunOne(sim::Strategy& strategy, const TracedRun& like, ExecutionOptions options) {
    return RunOneOf(*BenchOf(), strategy, like, options);
  }

  ExecutionResult RunOneOf(Workbench& bench, sim::Strategy& strategy, const TracedRun& like,
                           ExecutionOptions options) {
    ++result_.executions;
    sim::Validator locks;
    sim::GuardTable guards;
    options.number = static_cast<uint64_t>(like.execution);
    options.seed = like.seed;
    options.keeps_schedule = true;
    if (target_.kind() == "data_race") options.guards = &guards;
    ExecutionResult result = RunExecution(bench, options, strategy, locks);
    turns_ += result.turns;
    last_findings_ = result.findings;
    for (const sim::LockReport& report : locks.Conclude().found) {
      last_findings_.push_back(FindingOf(report));
    }
    return result;
  }

  // The execution at hand is now this one.
  void Take(ExecutionResult result, std::string message) {
    message_ = std::move(message);
    runs_.front().schedule = std::move(result.schedule);
    runs_.front().digest = result.digest;
  }

  // What the last execution has of the target: one of last_findings_, or its end.
  std::vector<sim::Finding>::const_iterator FindTarget(const ExecutionResult& result) const {
    if (!target_.MatchesDeadlock(result.deadlocked)) return last_findings_.end();
    return std::find_if(last_findings_.begin(), last_findings_.end(),
                        [&](const sim::Finding& candidate) {
                          return target_.Matches(candidate.kind, candidate.message);
                        });
  }

  Workbench* BenchOf() {
    if (bench_ == nullptr) {
      program_ = CompiledProgram(scenario_);
      bench_ = std::make_unique<Workbench>(scenario_, program_.get());
    }
    return bench_.get();
  }

  // --- Smaller scenarios -------------------------------------------------------------------------

  // Takes `smaller` if the finding is there, too.
  bool Try(const Scenario& smaller) {
    if (OutOfBudget()) return false;
    const std::optional<Scenario> candidate = Checked(smaller);
    if (!candidate || ToJson(*candidate) == ToJson(scenario_)) return false;
    ++result_.scenarios;
    for (int64_t executions = 16;; executions *= 4) {
      executions = std::min(executions, executions_);
      ScenarioResult found = SearchOf(*candidate, executions);
      for (const FoundFinding& finding : found.findings) {
        if (!kinds_.contains(finding.kind)) return false;
      }
      for (const FoundFinding& finding : found.findings) {
        if (Accept(*candidate, executions, finding)) return true;
      }
      if (found.complete) return false;
      if (executions == executions_) return TryGuided(*candidate);
    }
  }

  // The way at hand, as far as it can be gone in the smaller scenario: for what a search would need
  // luck to meet.
  bool TryGuided(const Scenario& candidate) {
    if (runs_.size() != 1) return false;
    const auto program = CompiledProgram(candidate);
    Workbench bench(candidate, program.get());
    sim::GuidedStrategy strategy(runs_.front().schedule);
    ExecutionResult result = RunOneOf(bench, strategy, runs_.front(), {});
    const auto finding = FindTarget(result);
    if (finding == last_findings_.end()) return false;
    bench_ = nullptr;
    scenario_ = candidate;
    Take(std::move(result), std::string(finding->message));
    return true;
  }

  bool Accept(const Scenario& candidate, int64_t executions, const FoundFinding& finding) {
    if (!target_.Matches(finding.kind, finding.message)) return false;
    absl::StatusOr<Trace> trace = ReadTrace(finding.trace);
    if (!trace.ok()) return false;
    if (target_.IsDeadlock() && !IsTheDeadlock(candidate, trace->runs.front())) return false;
    bench_ = nullptr;
    scenario_ = candidate;
    scenario_.search.executions = executions;
    message_ = finding.message;
    runs_ = std::move(trace->runs);
    return true;
  }

  bool IsTheDeadlock(const Scenario& candidate, const TracedRun& run) {
    const auto program = CompiledProgram(candidate);
    Workbench bench(candidate, program.get());
    sim::ReplayStrategy strategy(run.schedule);
    return target_.MatchesDeadlock(RunOneOf(bench, strategy, run, {}).deadlocked);
  }

  // Stretches of a thread's operations, long ones first; a thread without any goes, too.
  bool DropOperations() {
    bool dropped = false;
    for (size_t t = scenario_.threads.size(); t-- > 0;) {
      for (size_t length = scenario_.threads[t].ops.size(); length > 0; length /= 2) {
        if (DropStretches(t, length)) dropped = true;
        if (t >= scenario_.threads.size()) break;  // was the last, and is gone
      }
      if (scenario_.program && t < scenario_.threads.size() && DropPairs(t)) dropped = true;
    }
    return dropped;
  }

  bool DropStretches(size_t t, size_t length) {
    bool dropped = false;
    const size_t threads = scenario_.threads.size();
    for (size_t end = scenario_.threads[t].ops.size(); end >= length;) {
      Scenario smaller = scenario_;
      std::vector<Op>& ops = smaller.threads[t].ops;
      ops.erase(ops.begin() + static_cast<ptrdiff_t>(end - length),
                ops.begin() + static_cast<ptrdiff_t>(end));
      if (ops.empty()) smaller.threads.erase(smaller.threads.begin() + static_cast<ptrdiff_t>(t));
      if (Try(smaller)) {
        dropped = true;
        if (scenario_.threads.size() < threads) return true;
        end -= length;
      } else {
        --end;
      }
    }
    return dropped;
  }

  // What opens and what closes, such as a lock and its unlock.
  bool DropPairs(size_t t) {
    for (size_t first = 0; first < scenario_.threads[t].ops.size(); ++first) {
      for (size_t second = first + 1; second < scenario_.threads[t].ops.size(); ++second) {
        Scenario smaller = scenario_;
        std::vector<Op>& ops = smaller.threads[t].ops;
        ops.erase(ops.begin() + static_cast<ptrdiff_t>(second));
        ops.erase(ops.begin() + static_cast<ptrdiff_t>(first));
        if (Try(smaller)) return true;
      }
    }
    return false;
  }

  // What is not needed any longer.
  bool DropDeclarations() {
    bool dropped = DropFrom([](Scenario & s) -> auto& { return s.files; });
    dropped |= DropFrom([](Scenario & s) -> auto& { return s.policy; });
    if (!scenario_.program) return dropped;
    dropped |= DropFrom([](Scenario & s) -> auto& { return s.program->locks; });
    dropped |= DropFrom([](Scenario & s) -> auto& { return s.program->events; });
    dropped |= DropFrom([](Scenario & s) -> auto& { return s.program->variables; });
    dropped |= DropFrom([](Scenario & s) -> auto& { return s.program->works; });
    return dropped | DropFrom([](Scenario & s) -> auto& { return s.program->queues; });
  }

  template <class ListOf>
  bool DropFrom(ListOf list_of) {
    bool dropped = false;
    for (size_t i = list_of(scenario_).size(); i-- > 0;) {
      Scenario smaller = scenario_;
      list_of(smaller).erase(list_of(smaller).begin() + static_cast<ptrdiff_t>(i));
      dropped |= Try(smaller);
    }
    return dropped;
  }

  // --- Sizes -------------------------------------------------------------------------------------

  bool ReduceSizes() {
    bool reduced = false;
    for (size_t t = 0; t < scenario_.threads.size(); ++t) {
      reduced |= Reduce(1, [t](Scenario& s) -> int64_t& { return s.threads[t].repeat; });
      for (size_t i = 0; i < scenario_.threads[t].ops.size(); ++i) {
        const auto op = [t, i](Scenario& s) -> Op& { return s.threads[t].ops[i]; };
        reduced |= Reduce(0, [op](Scenario& s) -> int64_t& { return op(s).pos_bytes; });
        reduced |= Reduce(0, [op](Scenario& s) -> int64_t& { return op(s).len_bytes; });
        reduced |= Reduce(0, [op](Scenario& s) -> int64_t& { return op(s).size_bytes; });
        reduced |= Reduce(1, [op](Scenario& s) -> int64_t& { return op(s).on.times; });
      }
    }
    for (size_t f = 0; f < scenario_.files.size(); ++f) {
      reduced |= Reduce(0, [f](Scenario& s) -> int64_t& { return s.files[f].size_bytes; });
    }
    return reduced;
  }

  // The least value first, then less and less bold.
  template <class ValueOf>
  bool Reduce(int64_t least, ValueOf value_of) {
    const int64_t block = scenario_.fs.block_bytes;
    const int64_t value = value_of(scenario_);
    for (const int64_t less : {least, block, value / 2 / block * block, value - block, value / 2}) {
      if (less < least || less >= value) continue;
      Scenario smaller = scenario_;
      value_of(smaller) = less;
      for (ThreadConfig& thread : smaller.threads) {
        for (Op& op : thread.ops) FollowLength(op, value);
      }
      if (Try(smaller)) return true;
    }
    return false;
  }

  // A call that was to return its whole length still is.
  static void FollowLength(Op& op, int64_t length_before) {
    if (op.returns && op.returns->errno_name.empty() && op.returns->value == length_before &&
        op.len_bytes < length_before) {
      op.returns->value = op.len_bytes;
    }
  }

  // --- Shorter ways ------------------------------------------------------------------------------

  // Only of a finding that one execution shows: what others do on their ways is of no interest.
  void ShrinkSchedule() {
    if (runs_.size() != 1) return;
    TryFewPreemptions();
    for (int64_t tries = 0; tries < kMostScheduleTries && !OutOfBudget();) {
      if (!DropRest(tries) && !JoinStretches(tries)) return;
    }
  }

  void TryFewPreemptions() {
    for (int64_t most = 0; most <= kMostPreemptions; ++most) {
      sim::DepthFirstStrategy strategy(static_cast<uint32_t>(most));
      for (int64_t n = 0; n < kPreemptionExecutions && !OutOfBudget() && strategy.Next(); ++n) {
        if (IsShorter(strategy)) return;
      }
    }
  }

  // The end of the schedule may not matter: half of it, a quarter, ...
  bool DropRest(int64_t& tries) {
    const Schedule& schedule = runs_.front().schedule;
    for (size_t drop = schedule.size() / 2; drop > 0; drop /= 2) {
      ++tries;
      sim::GuidedStrategy strategy(
          Schedule(schedule.begin(), schedule.end() - static_cast<ptrdiff_t>(drop)));
      if (IsShorter(strategy)) return true;
    }
    return false;
  }

  // Two stretches of one actor become one, at the earlier place or at the later.
  bool JoinStretches(int64_t& tries) {
    for (size_t i = 0; i < runs_.front().schedule.size(); ++i) {
      for (const bool earlier : {true, false}) {
        Schedule schedule = runs_.front().schedule;
        const auto same = [&](const sim::ScheduleRun& run) {
          return run.actor == schedule[i].actor;
        };
        const auto next =
            std::find_if(schedule.begin() + static_cast<ptrdiff_t>(i) + 1, schedule.end(), same);
        if (next == schedule.end()) break;
        const auto first = schedule.begin() + static_cast<ptrdiff_t>(i);
        (earlier ? first : next)->turns += (earlier ? next : first)->turns;
        schedule.erase(earlier ? next : first);
        ++tries;
        sim::GuidedStrategy strategy(std::move(schedule));
        if (IsShorter(strategy)) return true;
        if (tries >= kMostScheduleTries) return false;
      }
    }
    return false;
  }

  // Takes the execution that `strategy` leads to if it shows the finding with fewer switches.
  bool IsShorter(sim::Strategy& strategy) {
    ExecutionResult result = RunOne(strategy, runs_.front(), {});
    if (result.abandoned || result.schedule.size() >= runs_.front().schedule.size()) return false;
    const auto finding = FindTarget(result);
    if (finding == last_findings_.end()) return false;
    Take(std::move(result), std::string(finding->message));
    return true;
  }

  bool OutOfBudget() {
    result_.out_of_budget = result_.executions >= kBudget || turns_ >= kTurnBudget;
    return result_.out_of_budget;
  }

  // --- Result ------------------------------------------------------------------------------------

  ShrinkResult Result() {
    scenario_.expect = {.findings = {{target_.kind(), ""}}};
    bench_ = nullptr;
    sim::Finding finding{.kind = target_.kind(), .message = message_};
    for (TracedRun& run : runs_) {
      sim::ReplayStrategy strategy(run.schedule);
      RunOne(strategy, run, {.log = &run.log, .tells_stories = true});
    }
    for (const sim::Finding& found : last_findings_) {
      if (found.kind == finding.kind && found.message == message_) result_.detail = found.detail;
    }
    result_.kind = target_.kind();
    result_.message = message_;
    result_.after = SizeOf(scenario_, runs_);
    result_.trace = MakeTrace(scenario_, finding, runs_);
    return std::move(result_);
  }

  ShrinkTarget target_;
  int jobs_ = 1;
  int64_t executions_ = 0;       // of one search at most
  std::set<std::string> kinds_;  // of what the scenario shows at first

  // What is the smallest so far.
  Scenario scenario_;
  std::string message_;
  std::vector<TracedRun> runs_;

  std::shared_ptr<const model::LockProgram> program_;  // of scenario_
  std::unique_ptr<Workbench> bench_;                   // the same; null: not made yet
  std::vector<sim::Finding> last_findings_;
  uint64_t turns_ = 0;  // of all executions
  ShrinkResult result_;
};

}  // namespace

absl::StatusOr<ShrinkResult> ShrinkTrace(const nlohmann::ordered_json& json, int jobs) {
  absl::StatusOr<Trace> trace = ReadTrace(json);
  if (!trace.ok()) return trace.status();
  if (trace->kind.empty()) {
    return absl::InvalidArgumentError("a recording: it has no finding to shrink");
  }
  if (absl::Status status = CheckFits(trace->scenario); !status.ok()) return status;
  const absl::StatusOr<ReplayResult> replayed = ReplayTrace(json);
  if (!replayed.ok()) return replayed.status();
  return Shrinker(*std::move(trace), jobs).Shrink(replayed->findings);
}

}  // namespace scenario
