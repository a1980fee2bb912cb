#include "tests/differential/log_campaign.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "model/image/sector_bytes.h"
#include "model/image/state_report.h"
#include "model/recorded/medium.h"
#include "model/recorded/promises.h"
#include "model/recorded/recording_check.h"
#include "model/scenario/execution_logger.h"
#include "model/scenario/runner.h"
#include "tests/differential/random_scenario.h"

namespace differential {
namespace {

using model::CrashFault;
using model::CrashPoint;
using model::RecordingFinding;

constexpr uint32_t kUnitBytes = 512;
// Longer logs take long, and show no more.
constexpr size_t kMaxEntries = 150;

// A finding of the model's checker.
struct ModelFault {
  std::string kind, message;
  std::set<std::string> names;                              // of the file, at any time
  bool by_tags = false, by_marks = false, unsound = false;  // what can tell that it is wrong
  uint64_t begin = 0, end = 0;
  model::DiskState state;
  std::string device;  // as bytes
};

// What marks promise is what the state with all writes has; so they cannot tell what it lacks, too.
bool IsLostForGood(const model::CrashScene& scene, const CrashFault& fault) {
  model::DiskState state(scene.device.size_sectors());
  for (uint64_t i = 0; i < state.size(); ++i) state[i] = scene.device.current(i);
  const model::StateView view(state);
  model::FamilyJudge judge(view, scene.geometry, scene.images, scene.history, scene.states,
                           scene.recovery_rules);
  for (const model::Outcome& outcome : ScanJournal(view, scene.geometry, scene.images)) {
    for (const CrashFault& found : judge.JudgeAll({scene.geometry, outcome})) {
      if (Covers(found, fault)) return true;
    }
  }
  return false;
}

// Keeps what the model's checker finds.
class FaultKeeper : public model::CrashWatcher {
 public:
  explicit FaultKeeper(bool data_writeback) : data_writeback_(data_writeback) {}

  void OnFamily(const model::CrashScene&, const std::vector<model::PossibleRecovery>&) override {}
  void OnFault(const model::CrashScene& scene, const CrashFault& fault,
               const model::MinimalState& minimal, const sim::Finding& finding) override {
    using What = CrashFault::What;
    ModelFault kept = {.kind = finding.kind,
                       .message = finding.message,
                       .begin = fault.begin,
                       .end = fault.end,
                       .state = minimal.state};
    const model::History::File* const file = scene.history.Find(fault.file);
    if (file != nullptr) {
      kept.names.insert(file->later_names.begin(), file->later_names.end());
      kept.names.insert(file->name);
    }
    if (fault.what == What::kFile) {
      kept.by_tags = IsStale(fault.damage) && fault.damage != model::Damage::kTruncated;
      kept.by_marks = fault.damage == model::Damage::kLost;
    }
    kept.by_marks |= fault.what == What::kShort || fault.what == What::kMissing;
    kept.by_marks = kept.by_marks && !IsLostForGood(scene, fault);
    kept.unsound = !ReportState(scene, kept.state, data_writeback_).sound;
    faults_.push_back(std::move(kept));
  }
  void OnEnd(const model::CrashScene&) override {}

  std::vector<ModelFault>& faults() { return faults_; }

 private:
  const bool data_writeback_;
  std::vector<ModelFault> faults_;
};

// Also has the devices of what was found, as bytes, laid out as in the log.
class Logger : public scenario::ExecutionLogger {
 public:
  Logger(model::ExecutionLog& log, FaultKeeper& keeper)
      : ExecutionLogger(log), log_(log), keeper_(keeper) {}

  void OnEnd(const model::Geometry& geometry, const model::ImageStore& images,
             const model::History& history,
             const std::vector<model::SectorContent>& before) override {
    ExecutionLogger::OnEnd(geometry, images, history, before);
    model::SectorBytes sectors(log_.layout, images, history, model::DataText::kTagged);
    for (ModelFault& fault : keeper_.faults()) {
      for (uint64_t i = 0; i < fault.state.size(); ++i) {
        const model::DiskBytes bytes = sectors.At(i, fault.state[i]);
        fault.device.append(bytes.begin(), bytes.end());
      }
      fault.device.resize(log_.base.size());
    }
  }

 private:
  model::ExecutionLog& log_;
  FaultKeeper& keeper_;
};

// At which moments of the log a power cut could leave `device`.
std::vector<CrashPoint> PointsOf(const model::ExecutionLog& log, const std::string& device) {
  model::ContentTable contents(kUnitBytes);
  model::Medium medium(contents, log.base);
  std::vector<model::ContentId> wanted;
  for (size_t at = 0; at < device.size(); at += kUnitBytes) {
    wanted.push_back(contents.Intern(std::string_view(device).substr(at, kUnitBytes)));
  }
  std::set<uint64_t> wrong;
  const auto look_at = [&](uint64_t unit) {
    const auto possible = medium.At(unit);
    if (std::find(possible.begin(), possible.end(), wanted[unit]) != possible.end()) {
      wrong.erase(unit);
    } else {
      wrong.insert(unit);
    }
  };
  for (uint64_t unit = 0; unit < wanted.size(); ++unit) look_at(unit);
  std::vector<CrashPoint> points;
  const auto& entries = log.recording.entries;
  for (uint32_t i = 0; i < entries.size(); ++i) {
    const std::set<uint64_t> before(medium.varying().begin(), medium.varying().end());
    const auto look = [&](bool in_flight) {
      for (const uint64_t unit : before) look_at(unit);
      for (uint64_t k = 0; k < entries[i].size_bytes / kUnitBytes; ++k) {
        look_at(entries[i].offset_bytes / kUnitBytes + k);
      }
      if (wrong.empty()) points.push_back({i + 1, in_flight});
    };
    medium.Submit(entries[i], i);
    look(entries[i].fua);
    if (!entries[i].fua) continue;
    medium.Complete(entries[i]);
    look(false);
  }
  return points;
}

// Do the marks promise something of the file at that moment?
bool Promised(const model::ExecutionLog& log, const std::string& file, uint32_t entries) {
  const auto marks = FindMarks(log.recording, log.base.size());
  for (size_t i = 0; i < marks.size(); ++i) {
    if (marks[i].entry >= entries || !model::PromisedFiles(marks[i]).Covers(file)) continue;
    const auto all = static_cast<uint32_t>(log.recording.entries.size());
    if (EndOfPromise(marks, i, file, all) >= entries) return true;
  }
  return false;
}

bool AnyPromised(const model::ExecutionLog& log, const ModelFault& fault, uint32_t entries) {
  return std::any_of(fault.names.begin(), fault.names.end(),
                     [&](const std::string& name) { return Promised(log, name, entries); });
}

// Findings that make a state unusable as a whole.
bool IsStructural(const std::string& kind) {
  return kind == "recovery" || kind == "metadata" || kind == "torn_operation";
}

bool IsOf(const RecordingFinding& finding, const ModelFault& fault) {
  if (IsStructural(finding.kind)) return true;
  if (fault.unsound || !fault.names.contains(finding.path)) return false;
  if (!fault.by_tags) return fault.by_marks && finding.kind == "lost_data";
  return finding.kind == "stale_data" && finding.begin < fault.end && fault.begin < finding.end;
}

bool IsFoundAt(const std::vector<RecordingFinding>& findings, const ModelFault& fault,
               const CrashPoint& point) {
  return std::any_of(findings.begin(), findings.end(), [&](const RecordingFinding& finding) {
    const auto& points = finding.crash_points;
    return IsOf(finding, fault) && std::find(points.begin(), points.end(), point) != points.end();
  });
}

bool IsInModel(const RecordingFinding& finding, const std::vector<ModelFault>& faults) {
  return std::any_of(faults.begin(), faults.end(), [&](const ModelFault& fault) {
    if (IsStructural(fault.kind)) return true;
    if (IsStructural(finding.kind) || !fault.names.contains(finding.path)) return false;
    return fault.kind == finding.kind || fault.kind == "stale_data";
  });
}

class Comparison {
 public:
  Comparison(const scenario::Scenario& scenario, LogResult& result)
      : scenario_(scenario),
        data_writeback_(scenario.fs.data == scenario::DataMode::kWriteback),
        bench_(scenario, nullptr),
        result_(result) {}

  void Compare(int64_t number) {
    where_ = absl::StrCat(scenario_.name, ", execution ", number);
    model::ExecutionLog log;
    FaultKeeper keeper(data_writeback_);
    Logger logger(log, keeper);
    sim::Validator locks;
    (void)RunNumber(scenario_.search, number, bench_, locks,
                    {.watcher = &keeper, .recorder = &logger});
    if (log.recording.entries.size() > kMaxEntries) return;
    ++result_.executions;
    model::RecordingOptions options;
    options.rules.writes = log.writes;
    options.rules.stale_pattern = model::kStalePattern;
    const auto recorded = CheckRecording(log.base, log.recording, options);
    // Without checksums there may be too many combinations of what recovery writes home.
    if (absl::IsResourceExhausted(recorded.status())) {
      ++result_.refused;
      return;
    }
    if (!recorded.ok()) return Disagree(std::string(recorded.status().message()));
    std::vector<RecordingFinding> findings = recorded->findings;
    // With data=writeback, former contents are within the contract.
    if (data_writeback_) {
      std::erase_if(findings, [](const auto& finding) { return finding.kind == "stale_data"; });
    }
    CompareFindings(log, keeper.faults(), findings);
  }

 private:
  void Disagree(const std::string& what) {
    result_.disagreements.push_back(absl::StrCat(where_, ": ", what));
  }

  void CompareFindings(const model::ExecutionLog& log, const std::vector<ModelFault>& faults,
                       const std::vector<RecordingFinding>& findings) {
    if (faults.empty() && findings.empty()) ++result_.clean;
    result_.found += faults.size();
    result_.found_in_logs += findings.size();
    for (const RecordingFinding& finding : findings) {
      if (IsInModel(finding, faults)) continue;
      Disagree(absl::StrCat("only in the log: ", finding.kind, ": ", finding.message, " after ",
                            finding.crash_points.front().entries, " entries"));
    }
    for (const ModelFault& fault : faults) CompareFault(log, fault, findings);
  }

  void CompareFault(const model::ExecutionLog& log, const ModelFault& fault,
                    const std::vector<RecordingFinding>& findings) {
    if (data_writeback_ && fault.by_tags) return;
    bool told = false;
    for (const CrashPoint& point : PointsOf(log, fault.device)) {
      const bool tells = fault.unsound || fault.by_tags ||
                         (fault.by_marks && AnyPromised(log, fault, point.entries));
      told |= tells;
      if (!tells || IsFoundAt(findings, fault, point)) continue;
      Disagree(absl::StrCat("not in the log: ", fault.kind, ": ", fault.message, " after ",
                            point.entries, " entries"));
      break;
    }
    if (told) ++result_.told;
  }

  const scenario::Scenario& scenario_;
  const bool data_writeback_;
  scenario::Workbench bench_;
  LogResult& result_;
  std::string where_;
};

}  // namespace

void CompareLogs(const scenario::Scenario& scenario, int64_t executions, LogResult& result) {
  Comparison comparison(scenario, result);
  for (int64_t i = 0; i < executions; ++i) comparison.Compare(i);
}

void CompareRandomLogs(uint64_t seed, uint64_t scenarios, LogResult& result) {
  for (uint64_t i = 0; i < scenarios; ++i) {
    scenario::Scenario scenario = RandomScenario(seed * 1'000'000 + i, i % 3 == 2);
    scenario.fs.journal_device = scenario::JournalDevice::kInternal;  // a log is of one device
    if (scenario::CheckFits(scenario).ok()) CompareLogs(scenario, 1, result);
  }
}

std::string Summary(const LogResult& result) {
  std::string text = absl::StrCat(
      result.executions, " executions by their logs: ", result.refused, " too much to judge, ",
      result.clean, " clean for both; ", result.found, " findings of the model, ", result.told,
      " of them in states that a log tells; ", result.found_in_logs, " findings in logs\n");
  for (const std::string& line : result.disagreements) absl::StrAppend(&text, line, "\n");
  return text + absl::StrCat(result.disagreements.size(), " disagreements\n");
}

}  // namespace differential
