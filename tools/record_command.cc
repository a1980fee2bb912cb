#include "tools/record_command.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/status/statusor.h"
#include "model/scenario/json_text.h"
#include "model/scenario/text.h"
#include "tools/load_scenario.h"
#include "tools/output_file.h"
#include "tools/replay_command.h"

namespace tools {
namespace {

using scenario::Cat;

// A slip of the hand must not cost a scenario, or whatever else is there.
absl::Status CheckReplaceable(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return absl::OkStatus();
  const absl::StatusOr<std::string> text = scenario::ReadTextFile(path, kMaxTraceFileBytes);
  if (text.ok()) {
    const auto document = scenario::ParseDocument(path, *text);
    if (document.ok() && document->is_object() && document->contains("crashdep_trace")) {
      return absl::OkStatus();
    }
  }
  return absl::InvalidArgumentError(
      Cat(path, ": is there and is not a crashdep trace; it is left alone"));
}

absl::StatusOr<OutputFile> OpenTrace(const std::string& path) {
  if (absl::Status status = CheckReplaceable(path); !status.ok()) return status;
  return OutputFile::Open(path);
}

}  // namespace

ExitCode RecordCommand(const RecordArguments& arguments, const Backend& backend, Console console) {
  const auto complain = [&](const absl::Status& status) {
    console.Complain(std::string(status.message()));
    return ExitCode::kBadInput;
  };
  const auto scenario = LoadScenario(arguments.path, backend);
  if (!scenario.ok()) return complain(scenario.status());
  absl::StatusOr<OutputFile> file = OpenTrace(arguments.trace);
  if (!file.ok()) return complain(file.status());
  const auto recording = backend.record(*scenario, arguments.options, arguments.execution);
  if (!recording.ok()) {
    console.out << "not recorded: " << std::string(recording.status().message()) << "\n";
    return ExitCode::kNotAsExpected;
  }
  const absl::Status written = file->Write(recording->trace.dump(1) + "\n");
  if (!written.ok()) return complain(written);
  console.out << "scenario  " << scenario->name << "\n"
              << "steps     " << recording->steps << "\n"
              << "digest    " << recording->digest << "\n\n"
              << "recorded: crashdep replay " << arguments.trace << "\n";
  return ExitCode::kAsExpected;
}

}  // namespace tools
