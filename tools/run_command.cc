#include "tools/run_command.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>

#include "model/scenario/text.h"
#include "tools/bad_input.h"
#include "tools/find_scenarios.h"
#include "tools/interrupt_watch.h"
#include "tools/junit.h"
#include "tools/load_scenario.h"
#include "tools/order_file.h"
#include "tools/order_report.h"
#include "tools/outcome.h"
#include "tools/output_file.h"
#include "tools/progress.h"
#include "tools/result_json.h"
#include "tools/search_pool.h"
#include "tools/suppressions.h"
#include "tools/text_report.h"
#include "tools/verdict.h"

namespace tools {
namespace {

using scenario::Cat;
using scenario::Scenario;

// The files asked for, opened before anything runs.
struct Outputs {
  std::optional<OutputFile> json, junit;
};

absl::StatusOr<Outputs> OpenOutputs(const RunArguments& arguments) {
  if (arguments.json && arguments.json == arguments.junit) {
    return absl::InvalidArgumentError(Cat(*arguments.json, ": named by both --json and --junit"));
  }
  auto json = OutputFile::OpenIfAsked(arguments.json);
  if (!json.ok()) return json.status();
  auto junit = OutputFile::OpenIfAsked(arguments.junit);
  if (!junit.ok()) return junit.status();
  for (const auto& directory : {arguments.traces, arguments.checkpoint}) {
    if (!directory) continue;
    if (absl::Status status = MakeDirectory(*directory); !status.ok()) return status;
  }
  return Outputs{*std::move(json), *std::move(junit)};
}

// One `run`, from its arguments to its exit code.
class Run {
 public:
  Run(const RunArguments& arguments, const Backend& backend, Console console)
      : arguments_(arguments), backend_(backend), console_(console) {}

  ExitCode Execute() {
    absl::StatusOr<Outputs> outputs = OpenOutputs(arguments_);
    if (!outputs.ok()) return Refuse(outputs.status(), console_);
    Load();
    std::optional<sim::LockOrders> orders;
    if (arguments_.order && !LoadOrders(orders)) return exit_code_;
    if (arguments_.suppressions && !LoadSuppressions()) return exit_code_;
    if (arguments_.checkpoint && !FindKeepers()) return exit_code_;
    Search();
    for (const Outcome& outcome : outcomes_) {
      if (outcome.verdict == Verdict::kFail) console_.out << FailureText(outcome, Rerun(outcome));
    }
    if (arguments_.all_cycles) {
      for (const Outcome& outcome : outcomes_) console_.out << CyclesText(outcome);
    }
    if (!outcomes_.empty()) console_.out << "\n" << Summary(outcomes_) << "\n";
    console_.out << suppressions_.Text();
    exit_code_ = Worse(exit_code_, suppressions_.exit_code());
    if (orders) ReportOrders(*orders);
    Report(WriteLockGraph());
    std::optional<sim::GuardTable> guards;
    if (arguments_.options.guards) {
      guards = Guards();
      console_.out << GuardsText(*guards);
    }
    if (outputs->json) Report(outputs->json->Write(ResultJson(outcomes_, guards)));
    if (outputs->junit) Report(outputs->junit->Write(JunitXml(outcomes_)));
    console_.out << std::flush;
    return exit_code_;
  }

 private:
  void Complain(const std::string& message) {
    console_.Complain(message);
    exit_code_ = Worse(exit_code_, ExitCode::kBadInput);
  }
  void Report(const absl::Status& status) {
    if (!status.ok()) Complain(std::string(status.message()));
  }

  void Load() {
    ScenarioFiles files = FindScenarios(arguments_.paths);
    for (const std::string& error : files.errors) Complain(error);
    outcomes_.resize(files.paths.size());
    for (size_t i = 0; i < files.paths.size(); ++i) {
      Outcome& outcome = outcomes_[i];
      outcome.path = files.paths[i];
      scenarios_.push_back(LoadScenario(outcome.path, backend_));
      if (scenarios_[i].ok()) {
        outcome.name = scenarios_[i]->name;
        style_.name_width = std::max(style_.name_width, outcome.name.size());
      } else {
        outcome.reasons = {std::string(scenarios_[i].status().message())};
      }
    }
    style_.color = console_.color;
  }

  bool LoadOrders(std::optional<sim::LockOrders>& orders) {
    absl::StatusOr<sim::LockOrders> loaded = LoadLockOrders(*arguments_.order);
    Report(loaded.status());
    if (loaded.ok()) orders = *std::move(loaded);
    return loaded.ok();
  }

  bool LoadSuppressions() {
    absl::StatusOr<Suppressions> loaded = Suppressions::Load(*arguments_.suppressions);
    Report(loaded.status());
    if (loaded.ok()) suppressions_ = *std::move(loaded);
    return loaded.ok();
  }

  absl::Status WriteLockGraph() const {
    sim::Validator locks;
    sim::LockStat stat;
    for (const Outcome& outcome : outcomes_) {
      if (outcome.result.locks != nullptr) locks.Merge(*outcome.result.locks);
      stat.Merge(outcome.result.lock_stat);
    }
    return WriteLocks(locks, &stat, arguments_.locks);
  }

  // A scenario with a policy may break the rules.
  void ReportOrders(const sim::LockOrders& orders) {
    OrderReport report(orders);
    for (size_t i = 0; i < outcomes_.size(); ++i) {
      const auto& locks = outcomes_[i].result.locks;
      if (locks != nullptr) report.Add(outcomes_[i].name, *locks, scenarios_[i]->policy.empty());
    }
    console_.out << "\n" << report.Text();
    exit_code_ = Worse(exit_code_, report.exit_code());
  }

  // Where each search is kept. False: two would be kept in one file, or one cannot be written.
  bool FindKeepers() {
    std::map<std::string, std::string> taken;  // and by which scenario
    bool good = true;
    const auto find = [&](const Outcome& outcome, const char* suffix) {
      const std::string path = Cat(*arguments_.checkpoint, "/", outcome.name, suffix);
      const auto [it, is_new] = taken.emplace(path, outcome.path);
      if (!is_new) {
        Complain(Cat(outcome.path, ": would be kept in ", path, ", as ", it->second,
                     " would: give it a name of its own, or another directory"));
      }
      const absl::Status writable = OutputFile::Open(path).status();
      Report(writable);
      good &= is_new && writable.ok();
      return path;
    };
    for (size_t i = 0; i < outcomes_.size(); ++i) {
      if (!scenarios_[i].ok()) continue;
      outcomes_[i].kept_in = find(outcomes_[i], ".json");
      if (scenarios_[i]->expect.without_policy) {
        outcomes_[i].without_policy_kept_in = find(outcomes_[i], ".without_policy.json");
      }
    }
    return good;
  }

  // Reports each outcome, in the order of the files, as soon as it is there.
  void Search() {
    std::vector<PooledSearch> readable;
    for (size_t i = 0; i < outcomes_.size(); ++i) {
      if (!scenarios_[i].ok()) continue;
      readable.push_back(
          {&*scenarios_[i], outcomes_[i].kept_in, outcomes_[i].without_policy_kept_in});
    }
    std::optional<InterruptWatch> interrupts;
    if (arguments_.checkpoint) interrupts.emplace();
    SearchPool pool(std::move(readable), arguments_.options, backend_);
    Progress progress(console_.err, console_.progress);
    size_t searched = 0;
    for (size_t i = 0; i < outcomes_.size(); ++i) {
      Outcome& outcome = outcomes_[i];
      if (scenarios_[i].ok()) {
        const SearchOutcome* search = nullptr;
        while ((search = pool.Wait(searched, std::chrono::milliseconds(100))) == nullptr) {
          progress.Show(i, outcomes_.size(), pool.PerMille());
          if (interrupts && interrupts->Notice()) pool.Stop();
        }
        ++searched;
        Judge(*scenarios_[i], *search, outcome);
      }
      progress.Hide();
      if (outcome.verdict == Verdict::kError) Complain(outcome.reasons.front());
      console_.out << OutcomeLine(outcome, style_) << "\n";
      if (outcome.result.coverage) console_.out << CoverageText(*outcome.result.coverage);
      console_.out << std::flush;
      SayWhatIsKept(outcome.kept_in, outcome.result);
      if (outcome.without_policy) {
        SayWhatIsKept(outcome.without_policy_kept_in, *outcome.without_policy);
      }
    }
  }

  // Not where results go: these are the same wherever a search was interrupted.
  void SayWhatIsKept(const std::string& path, const scenario::ScenarioResult& result) {
    if (!result.not_kept.empty()) Complain(result.not_kept);
    const bool is_cut_off =
        result.out_of_time || result.interrupted || result.executions_kept < result.executions;
    if (path.empty() || !is_cut_off) return;
    console_.err << path << ": ";
    if (result.executions_kept == 0) {
      console_.err << "nothing is kept: the search was cut off in its first part\n";
    } else {
      console_.err << "the first " << Grouped(Cat(result.executions_kept))
                   << " executions are kept; the same command goes on from there\n";
    }
    console_.err << std::flush;
  }

  void Judge(const Scenario& scenario, const SearchOutcome& search, Outcome& outcome) {
    if (!search.status.ok()) {
      outcome.reasons = {std::string(search.status.message())};
      return;
    }
    outcome.result = search.result;
    std::erase_if(outcome.result.findings, [&](const scenario::FoundFinding& finding) {
      return suppressions_.Covers(finding.kind, finding.message);
    });
    outcome.without_policy = search.without_policy;
    outcome.seconds = search.seconds;
    outcome.reasons = Differences(scenario.expect, outcome.result, search.without_policy);
    outcome.verdict = outcome.reasons.empty() ? Verdict::kPass : Verdict::kFail;
    if (outcome.verdict == Verdict::kFail) {
      exit_code_ = Worse(exit_code_, ExitCode::kNotAsExpected);
    }
    if (arguments_.traces) WriteTraces(outcome);
    ReportDisagreement(outcome, search.result.enumerated);
    if (search.without_policy) ReportDisagreement(outcome, search.without_policy->enumerated);
  }

  // Of families and their states, which is our fault.
  void ReportDisagreement(const Outcome& outcome,
                          const std::optional<model::EnumerationCount>& count) {
    if (!count.has_value() || count->disagreements == 0) return;
    console_.Complain(Cat(outcome.path, ": ", count->first_disagreement,
                          ". This is a fault of crashdep: please report it with the scenario and ",
                          Rerun(outcome)));
    exit_code_ = Worse(exit_code_, ExitCode::kOwnFault);
  }

  void WriteTraces(Outcome& outcome) {
    const int same_name_before = names_seen_[outcome.name]++;
    const std::string again = same_name_before > 0 ? Cat(".", same_name_before + 1) : "";
    std::set<std::string> kinds;
    for (size_t i = 0; i < outcome.result.findings.size(); ++i) {
      scenario::FoundFinding& finding = outcome.result.findings[i];
      std::string& path = outcome.traces.emplace_back();
      std::string& shrunk_path = outcome.shrunk_traces.emplace_back();
      if (finding.trace.is_null()) continue;
      const std::string stem =
          Cat(*arguments_.traces, "/", outcome.name, again, "-", i + 1, "-", finding.kind);
      path = WriteTrace(stem + ".json", finding.trace);
      const bool is_first = kinds.insert(finding.kind).second;
      if (arguments_.shrinks && is_first && outcome.verdict == Verdict::kFail) {
        const auto shrunk = backend_.shrink(finding.trace, arguments_.options.jobs);
        if (shrunk.ok()) shrunk_path = WriteTrace(stem + ".small.json", shrunk->trace);
      }
      finding.trace = nullptr;  // may be large
    }
  }

  // The path if it could be written.
  std::string WriteTrace(std::string path, const nlohmann::ordered_json& trace) {
    const absl::Status written = WriteOutput(path, trace.dump() + "\n");
    Report(written);
    return written.ok() ? std::move(path) : "";
  }

  sim::GuardTable Guards() const {
    sim::GuardTable guards;
    for (const Outcome& outcome : outcomes_) guards.Merge(outcome.result.guards);
    return guards;
  }

  // The command line that does the same search again and keeps its traces.
  std::string Rerun(const Outcome& outcome) const {
    std::string command = Cat("crashdep run ", outcome.path);
    const scenario::RunOptions& options = arguments_.options;
    if (options.strategy) {
      command +=
          Cat(" --strategy ", scenario::kStrategyNames[static_cast<size_t>(*options.strategy)]);
    }
    if (options.seed) command += Cat(" --seed ", *options.seed);
    if (options.executions) command += Cat(" --executions ", *options.executions);
    if (options.complete) command += " --complete";
    if (options.pct_depth) command += Cat(" --pct-depth ", *options.pct_depth);
    if (options.max_preemptions) {
      command += Cat(" --max-preemptions ", *options.max_preemptions);
    }
    if (options.enumerate) command += Cat(" --enumerate ", *options.enumerate);
    return command + " --traces traces";
  }

  const RunArguments& arguments_;
  const Backend& backend_;
  Console console_;
  ExitCode exit_code_ = ExitCode::kAsExpected;
  std::vector<absl::StatusOr<Scenario>> scenarios_;  // scenarios_[i] is of outcomes_[i]
  std::vector<Outcome> outcomes_;
  Suppressions suppressions_;
  LineStyle style_;
  std::map<std::string, int> names_seen_;  // traces of scenarios of one name are kept apart
};

}  // namespace

ExitCode RunCommand(const RunArguments& arguments, const Backend& backend, Console console) {
  return Run(arguments, backend, console).Execute();
}

}  // namespace tools
