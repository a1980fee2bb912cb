// Replays a trace file: the same turns again, and a look at whether the same comes out.

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/scenario/compile_program.h"
#include "model/scenario/execution.h"
#include "model/scenario/runner.h"
#include "model/scenario/strategies.h"
#include "model/scenario/text.h"
#include "model/scenario/trace_file.h"
#include "sim/explore/replay.h"
#include "sim/explore/replay_then.h"

namespace scenario {
namespace {

uint64_t TurnsOf(const TracedRun& run) {
  uint64_t turns = 0;
  for (const sim::ScheduleRun& part : run.schedule) turns += part.turns;
  return turns;
}

// All runs of a trace, one after the other.
class Replay {
 public:
  Replay(const Trace& trace, const ReplayOptions& options)
      : trace_(trace),
        options_(options),
        program_(CompiledProgram(trace.scenario)),
        bench_(trace.scenario, program_.get()) {
    result_.scenario = trace.scenario.name;
    result_.expected_kind = trace.kind;
    result_.expected_message = trace.message;
    result_.expected_digest = trace.runs.back().digest.ToHex();
  }

  ReplayResult Run() {
    for (const TracedRun& run : trace_.runs) RunAgain(run);
    AddLockReports();
    Judge();
    for (ReplayedRun& run : result_.runs) {
      std::stable_sort(run.notes.begin(), run.notes.end(),
                       [](const auto& a, const auto& b) { return a.turn < b.turn; });
    }
    if (!options_.keeps_events) result_.runs.clear();
    result_.locks = KeepWith(program_, std::move(locks_));
    return std::move(result_);
  }

 private:
  // How a run goes on where its schedule ends to agree.
  struct WayOn {
    bool is_asked_for = false;
    uint64_t from = sim::ReplayThenStrategy::kAllTurns;
    SearchConfig search;
    uint64_t seed = 0;

    std::string Text() const {
      const bool draws =
          search.strategy != StrategyKind::kTimed && search.strategy != StrategyKind::kRoundRobin;
      return Cat("by ", kStrategyNames[static_cast<size_t>(search.strategy)],
                 draws ? Cat(", seed ", seed) : "");
    }
  };
  WayOn WayOnOf(const TracedRun& run) const {
    WayOn on;
    on.search = trace_.scenario.search;
    on.search.strategy = StrategyKind::kRandom;
    on.seed = run.seed;
    if (!options_.then.has_value()) return on;
    on.is_asked_for = true;
    on.search.strategy = *options_.then;
    on.seed = options_.seed.value_or(on.seed);
    if (&run == &trace_.runs.back()) on.from = options_.from.value_or(on.from);
    return on;
  }

  void RunAgain(const TracedRun& run) {
    const WayOn on = WayOnOf(run);
    const uint64_t turns =
        on.search.strategy == StrategyKind::kPct ? ExpectedTurns(on.search, bench_) : 0;
    const auto then = MakeStrategy(on.search, on.seed, turns);
    sim::ReplayThenStrategy strategy(run.schedule, on.from, *then);
    ReplayedRun& replayed =
        result_.runs.emplace_back(ReplayedRun{.execution = run.execution, .seed = run.seed});
    const ExecutionResult execution =
        RunExecution(bench_,
                     {.number = static_cast<uint64_t>(run.execution),
                      .seed = run.seed,
                      .keeps_schedule = true,
                      .log = options_.keeps_events ? &replayed.log : nullptr,
                      .guards = &guards_,
                      .lock_stat = &result_.lock_stat,
                      .tells_stories = true},
                     strategy, *locks_);
    for (const sim::Finding& finding : execution.findings) {
      Add(finding);
      replayed.notes.push_back({finding.step, absl::StrCat(finding.kind, ": ", finding.message)});
    }
    result_.digest = execution.digest.ToHex();
    Compare(run, execution, on, strategy.task_names());
  }

  void Compare(const TracedRun& run, const ExecutionResult& execution, const WayOn& on,
               const std::vector<std::string>& task_names) {
    const auto divergence = sim::FindDivergence(run.schedule, execution.schedule);
    std::string left;
    if (divergence.has_value() && divergence->turn < on.from) {
      left = absl::StrCat(sim::RenderText(*divergence, task_names), "; from there ", on.Text());
    } else if (on.from != sim::ReplayThenStrategy::kAllTurns) {
      left = absl::StrCat("after turn ", on.from, "; from there ", on.Text());
    }
    if (on.is_asked_for) {
      if (!left.empty()) result_.left.push_back(RunPrefix(run) + left);
    } else if (!left.empty()) {
      Differs(absl::StrCat("the execution went another way: ", RunPrefix(run), left));
    } else if (execution.digest != run.digest) {
      Differs(absl::StrCat("the same turns, but another digest: want ", run.digest.ToHex(),
                           ", got ", execution.digest.ToHex()));
    }
  }

  // Which one it is, if there are several.
  std::string RunPrefix(const TracedRun& run) const {
    return trace_.runs.size() == 1 ? "" : absl::StrCat("execution ", run.execution, ", ");
  }

  void Differs(std::string how) {
    if (result_.why_not.empty()) result_.why_not = std::move(how);
  }

  void Add(const sim::Finding& finding) {
    for (FoundFinding& known : result_.findings) {
      if (known.kind == finding.kind && known.message == finding.message) {
        ++known.count;
        return;
      }
    }
    result_.findings.push_back(
        {.kind = finding.kind, .message = finding.message, .detail = finding.detail, .count = 1});
  }

  void AddLockReports() {
    const sim::Validator::Conclusions reports = locks_->Conclude();
    for (const sim::LockReport& report : reports.found) Add(report);
    // A few executions alone may not show that a cycle is possible; that it is there they do.
    for (const sim::LockReport& report : reports.excluded) {
      if (sim::Message(report) == trace_.message) Add(report);
    }
  }

  void Add(const sim::LockReport& report) {
    const sim::Finding finding = FindingOf(report);
    Add(finding);
    for (const auto* edges : {&report.cycle.edges, &report.irq.path}) {
      for (const sim::LockEdge& edge : *edges) {
        AddNote(edge.actor,
                absl::StrCat("order of ", finding.kind, " first seen: ", edge.held.lock.Text(),
                             " --> ", edge.acquired.lock.Text()));
      }
    }
    if (report.cycle.edges.empty()) {
      AddNote(report.actor, absl::StrCat(finding.kind, ": ", finding.message));
    }
  }

  void AddNote(const sim::LockActor& actor, std::string text) {
    for (ReplayedRun& run : result_.runs) {
      if (static_cast<uint64_t>(run.execution) != actor.execution) continue;
      const ReplayedRun::Note note{actor.step, std::move(text)};
      const bool known = std::find(run.notes.begin(), run.notes.end(), note) != run.notes.end();
      if (!known) run.notes.push_back(note);
      return;
    }
  }

  void Judge() {
    const bool found = std::any_of(
        result_.findings.begin(), result_.findings.end(), [&](const FoundFinding& finding) {
          return finding.kind == trace_.kind && finding.message == trace_.message;
        });
    if (result_.why_not.empty() && trace_.kind.empty() && !result_.findings.empty()) {
      result_.why_not = "the recording has no finding";
    } else if (result_.why_not.empty() && !trace_.kind.empty() && !found) {
      result_.why_not = "the finding did not come again";
    }
    result_.matches = result_.why_not.empty();
  }

  const Trace& trace_;
  const ReplayOptions& options_;
  const std::shared_ptr<const model::LockProgram> program_;
  Workbench bench_;
  std::shared_ptr<sim::Validator> locks_ = std::make_shared<sim::Validator>();
  sim::GuardTable guards_;
  ReplayResult result_;
};

}  // namespace

absl::StatusOr<ReplayResult> ReplayTrace(const nlohmann::ordered_json& json,
                                         const ReplayOptions& options) {
  const auto trace = ReadTrace(json);
  if (!trace.ok()) return trace.status();
  const absl::Status fits = CheckFits(trace->scenario);
  if (!fits.ok()) return fits;
  const uint64_t turns = TurnsOf(trace->runs.back());
  if (options.from.value_or(0) > turns) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", turns, " turns, and is to be left after ", *options.from));
  }
  return Replay(*trace, options).Run();
}

}  // namespace scenario
