#include "model/scenario/images.h"

#include <algorithm>
#include <map>
#include <ostream>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "model/image/write_image.h"
#include "model/scenario/execution.h"
#include "model/scenario/strategies.h"
#include "model/scenario/trace_file.h"
#include "sim/engine/random.h"
#include "sim/explore/replay.h"

namespace scenario {
namespace {

using model::CrashFault;
using model::CrashScene;
using model::DiskState;
using model::MinimalState;
using model::PossibleRecovery;

absl::Status CheckHasFilesystem(const Scenario& scenario) {
  if (!scenario.program.has_value()) {
    const absl::Status readable = CheckIsReadable(scenario);
    return readable.ok() ? CheckFits(scenario) : readable;
  }
  return absl::InvalidArgumentError("a lock program has no file system to make images of");
}

// Executions that a sample is taken from, unless somebody says.
constexpr int64_t kSampleExecutions = 8;

bool IsWriteback(const Scenario& scenario) { return scenario.fs.data == DataMode::kWriteback; }

absl::Status Give(const Scenario& scenario, const CrashScene& scene, const DiskState& state,
                  const model::StateReport& report, ImageSink sink) {
  const auto layout = LayoutOf(scene, state);
  if (!layout.ok()) return layout.status();
  StateImage image;
  image.json = {{"scenario", scenario.name},
                {"at_ns", scene.world.now()},
                {"states", model::StatesOf(scene.device)}};
  image.json.update(ImageJson(scene, *layout, report));
  image.write = [&](std::ostream& out) { WriteImage(scene, *layout, state, out); };
  if (scene.geometry.external_journal) {
    image.write_journal = [&](std::ostream& out) { WriteJournalImage(scene, *layout, state, out); };
  }
  return sink(image);
}

// --- Of a trace ----------------------------------------------------------------------------------

class TraceWatcher : public model::CrashWatcher {
 public:
  TraceWatcher(const Trace& trace, const std::optional<std::string>& number, ImageSink sink)
      : trace_(trace), number_(number), sink_(sink) {}

  void OnFamily(const CrashScene&, const std::vector<PossibleRecovery>&) override {}
  void OnFault(const CrashScene& scene, const CrashFault&, const MinimalState& minimal,
               const sim::Finding& finding) override {
    if (done_ || finding.kind != trace_.kind || finding.message != trace_.message) return;
    if (number_.has_value()) return GiveNumbered(scene);
    GiveState(scene, minimal.state);
  }
  void OnEnd(const CrashScene& scene) override {
    if (done_) return;
    if (number_.has_value()) return GiveNumbered(scene);
    status_ = absl::InvalidArgumentError(
        absl::StrCat(trace_.kind.empty()
                         ? "a recording has no crash state of its own"
                         : absl::StrCat("the finding (", trace_.kind, ") tells of no crash state"),
                     ": want the number of one at the end of the execution, which has ",
                     model::StatesOf(scene.device)));
  }

  absl::Status status() const {
    if (done_ || !status_.ok()) return status_;
    return absl::InvalidArgumentError(
        "the scenario does not look at crashes: crash_at is \"none\"");
  }

 private:
  void GiveNumbered(const CrashScene& scene) {
    const absl::StatusOr<DiskState> state = model::NumberedState(scene.device, *number_);
    if (state.ok()) return GiveState(scene, *state);
    status_ = state.status();
    done_ = true;
  }
  void GiveState(const CrashScene& scene, const DiskState& state) {
    status_ = Give(trace_.scenario, scene, state,
                   ReportState(scene, state, IsWriteback(trace_.scenario)), sink_);
    done_ = true;
  }

  const Trace& trace_;
  const std::optional<std::string>& number_;
  ImageSink sink_;
  bool done_ = false;
  absl::Status status_;
};

// --- A sample ------------------------------------------------------------------------------------

// Goes through the same candidates, in the same order, each time.
class Candidates : public model::CrashWatcher {
 public:
  Candidates(const Scenario& scenario, int64_t executions)
      : scenario_(scenario),
        executions_(executions),
        random_(scenario.search.seed, "image candidates") {}

  void Run() {
    Workbench bench(scenario_, nullptr);
    sim::Validator locks;
    for (int64_t i = 0; i < executions_; ++i) {
      (void)RunNumber(scenario_.search, i, bench, locks, {.watcher = this});
    }
  }

  void OnFamily(const CrashScene& scene, const std::vector<PossibleRecovery>& recoveries) override {
    for (const PossibleRecovery& recovery : recoveries) {
      Consider(scene, recovery, "there", model::NewestState(scene.device));
      Consider(scene, recovery, "lost", model::OldestState(scene.device));
      Consider(scene, recovery, "torn", Shuffled(scene.device));
    }
  }
  void OnFault(const CrashScene& scene, const CrashFault&, const MinimalState& minimal,
               const sim::Finding&) override {
    OnCandidate(scene, minimal.state, "found");
  }
  void OnEnd(const CrashScene&) override {}

 protected:
  virtual void OnCandidate(const CrashScene& scene, const DiskState& state, const char* how) = 0;
  const Scenario& scenario_;

 private:
  void Consider(const CrashScene& scene, const PossibleRecovery& recovery, const char* how,
                DiskState state) {
    LeadTo(scene, model::DeviceView(scene.device), recovery, state);
    OnCandidate(scene, state, how);
  }
  DiskState Shuffled(const sim::BlockDevice& device) {
    DiskState state = model::OldestState(device);
    const model::DeviceView view(device);
    for (const uint64_t sector : device.pending_sectors()) {
      const model::Possible contents = view.At(sector);
      state[sector] = contents[random_.UniformBelow(contents.size())];
    }
    return state;
  }

  int64_t executions_ = 0;
  sim::RandomStream random_;
};

// Sorts them by what comes out.
class Sorter : public Candidates {
 public:
  using Candidates::Candidates;

  // Of each group one, then of each the next, and so on.
  std::set<size_t> Choose(size_t count) {
    sim::RandomStream random(scenario_.search.seed, "images");
    std::set<size_t> chosen;
    for (bool any = true; any && chosen.size() < count;) {
      any = false;
      for (auto& [key, members] : groups_) {
        if (members.empty() || chosen.size() == count) continue;
        any = true;
        std::swap(members[random.UniformBelow(members.size())], members.back());
        chosen.insert(members.back());
        members.pop_back();
      }
    }
    return chosen;
  }

 protected:
  void OnCandidate(const CrashScene& scene, const DiskState& state, const char* how) override {
    const model::StateReport report = ReportState(scene, state, IsWriteback(scenario_));
    std::string key = absl::StrCat(how, " ", report.outcome.first, " ", report.outcome.recovered,
                                   " ", report.orphans, " ", report.sound);
    for (const model::OracleVerdict& verdict : report.verdicts) {
      absl::StrAppend(&key, " ", verdict.findings.empty());
    }
    groups_[key].push_back(candidates_++);
  }

 private:
  size_t candidates_ = 0;
  std::map<std::string, std::vector<size_t>> groups_;
};

// Gives those that were chosen.
class Giver : public Candidates {
 public:
  Giver(const Scenario& scenario, int64_t executions, const std::set<size_t>& chosen,
        ImageSink sink)
      : Candidates(scenario, executions), chosen_(chosen), sink_(sink) {}

  const absl::Status& status() const { return status_; }

 protected:
  void OnCandidate(const CrashScene& scene, const DiskState& state, const char*) override {
    if (!chosen_.contains(candidates_++) || !status_.ok()) return;
    status_ =
        Give(scenario_, scene, state, ReportState(scene, state, IsWriteback(scenario_)), sink_);
  }

 private:
  const std::set<size_t>& chosen_;
  ImageSink sink_;
  size_t candidates_ = 0;
  absl::Status status_;
};

}  // namespace

absl::Status MakeTraceImage(const nlohmann::ordered_json& json,
                            const std::optional<std::string>& number, ImageSink sink) {
  const auto trace = ReadTrace(json);
  if (!trace.ok()) return trace.status();
  const absl::Status usable = CheckHasFilesystem(trace->scenario);
  if (!usable.ok()) return usable;
  // A crash takes one run; of an inversion the last completes it.
  const TracedRun& run = trace->runs.back();
  sim::ReplayStrategy strategy(run.schedule);
  Workbench bench(trace->scenario, nullptr);
  sim::Validator locks;
  TraceWatcher watcher(*trace, number, sink);
  (void)RunExecution(
      bench,
      {.number = static_cast<uint64_t>(run.execution), .seed = run.seed, .watcher = &watcher},
      strategy, locks);
  return watcher.status();
}

absl::StatusOr<int64_t> MakeSampleImages(const Scenario& scenario, const RunOptions& options,
                                         int64_t count, ImageSink sink) {
  const absl::Status usable = CheckHasFilesystem(scenario);
  if (!usable.ok()) return usable;
  Scenario chosen = WithOptions(scenario, options);
  chosen.search = AsSample(chosen.search);
  const int64_t executions =
      options.executions.value_or(std::min(ExecutionLimit(scenario.search), kSampleExecutions));
  Sorter sorter(chosen, executions);
  sorter.Run();
  const std::set<size_t> states = sorter.Choose(static_cast<size_t>(count));
  Giver giver(chosen, executions, states, sink);
  giver.Run();
  if (!giver.status().ok()) return giver.status();
  return static_cast<int64_t>(states.size());
}

}  // namespace scenario
