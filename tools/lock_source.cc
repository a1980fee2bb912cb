#include "tools/lock_source.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "model/scenario/json_text.h"
#include "model/scenario/text.h"
#include "nlohmann/json.hpp"
#include "tools/bad_input.h"
#include "tools/find_scenarios.h"
#include "tools/load_scenario.h"
#include "tools/search_pool.h"
#include "tools/trace_document.h"

namespace tools {
namespace {

namespace fs = std::filesystem;
using scenario::Cat;
using Locks = std::shared_ptr<const sim::Validator>;

// The files of a directory that may hold a lock graph, sorted; none: it is not such a directory.
std::vector<std::string> GraphFilesIn(const std::string& directory) {
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("lockdep") && !name.starts_with("lockdep_stats")) {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

absl::StatusOr<Locks> Replay(const std::string& path, const nlohmann::ordered_json& trace,
                             const Backend& backend) {
  absl::StatusOr<scenario::ReplayResult> replayed = backend.replay(trace, {});
  if (!replayed.ok()) return InFile(path, replayed.status());
  return replayed->locks;
}

absl::StatusOr<Locks> RunScenarios(const std::string& path, const Backend& backend) {
  const ScenarioFiles files = FindScenarios({path});
  if (!files.errors.empty()) return absl::InvalidArgumentError(files.errors.front());
  scenario::RunOptions options;
  options.jobs = AllCores();
  auto locks = std::make_shared<sim::Validator>();
  for (const std::string& file : files.paths) {
    const auto scenario = LoadScenario(file, backend);
    if (!scenario.ok()) return scenario.status();
    const auto result = backend.run(*scenario, options, nullptr, [](uint64_t, uint64_t) {});
    if (!result.ok()) return result.status();
    if (result->locks != nullptr) locks->Merge(*result->locks);
  }
  return locks;
}

absl::StatusOr<Locks> ReadJson(const std::string& path, const Backend& backend) {
  const auto text = scenario::ReadTextFile(path, kMaxTraceFileBytes);
  if (!text.ok()) return text.status();
  const auto document = scenario::ParseDocument(path, *text);
  if (!document.ok()) return document.status();
  const bool is_trace = document->is_object() && document->contains("crashdep_trace");
  return is_trace ? Replay(path, *document, backend) : RunScenarios(path, backend);
}

}  // namespace

absl::StatusOr<std::vector<RecordedText>> ReadLockTexts(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return ReadRecording(path, kMaxTraceFileBytes);
  const std::vector<std::string> files = GraphFilesIn(path);
  if (files.empty()) {
    return absl::InvalidArgumentError(Cat(path, ": is a directory without a file lockdep"));
  }
  std::vector<RecordedText> all;
  for (const std::string& file : files) {
    auto texts = ReadRecording(file, kMaxTraceFileBytes);
    if (!texts.ok()) return texts.status();
    for (RecordedText& text : *texts) all.push_back(std::move(text));
  }
  return all;
}

absl::Status ImportLocks(const std::string& path, const std::vector<RecordedText>& texts,
                         LockImporter& importer) {
  bool has_locks = false;
  for (const RecordedText& text : texts) has_locks |= importer.AddFile(text.name, text.text);
  if (has_locks) return absl::OkStatus();
  return absl::InvalidArgumentError(
      Cat(path,
          ": no lock event in it, and no lock class; want ftrace text with lock_acquire and "
          "lock_release events, /proc/lockdep, or /proc/lockdep_chains"));
}

absl::StatusOr<Locks> ReadLocks(const std::string& path, const Backend& backend) {
  std::error_code error;
  if (fs::is_directory(path, error) && GraphFilesIn(path).empty()) {
    return RunScenarios(path, backend);
  }
  if (path.ends_with(".json")) return ReadJson(path, backend);
  auto importer = std::make_shared<LockImporter>();
  const auto texts = ReadLockTexts(path);
  if (!texts.ok()) return texts.status();
  const absl::Status status = ImportLocks(path, *texts, *importer);
  if (!status.ok()) return status;
  return Locks(importer, &importer->validator());
}

}  // namespace tools
