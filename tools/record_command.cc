#include "tools/record_command.h"

#include <string>

#include "tools/load_scenario.h"
#include "tools/trace_document.h"

namespace tools {

ExitCode RecordCommand(const RecordArguments& arguments, const Backend& backend, Console console) {
  const auto complain = [&](const absl::Status& status) {
    console.Complain(std::string(status.message()));
    return ExitCode::kBadInput;
  };
  const auto scenario = LoadScenario(arguments.path, backend);
  if (!scenario.ok()) return complain(scenario.status());
  absl::StatusOr<OutputFile> file = OpenTraceFile(arguments.trace);
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
