#include "tools/record_command.h"

#include <string>

#include "tools/bad_input.h"
#include "tools/load_scenario.h"
#include "tools/trace_document.h"

namespace tools {

ExitCode RecordCommand(const RecordArguments& arguments, const Backend& backend, Console console) {
  const auto scenario = LoadScenario(arguments.path, backend);
  if (!scenario.ok()) return Refuse(scenario.status(), console);
  absl::StatusOr<OutputFile> file = OpenTraceFile(arguments.trace);
  if (!file.ok()) return Refuse(file.status(), console);
  const auto recording = backend.record(*scenario, arguments.options, arguments.execution);
  if (!recording.ok()) {
    console.out << "not recorded: " << std::string(recording.status().message()) << "\n";
    return ExitCode::kNotAsExpected;
  }
  const absl::Status written = file->Write(recording->trace.dump(1) + "\n");
  if (!written.ok()) return Refuse(written, console);
  console.out << "scenario  " << scenario->name << "\n"
              << "steps     " << recording->steps << "\n"
              << "digest    " << recording->digest << "\n\n"
              << "recorded: crashdep replay " << arguments.trace << "\n";
  return ExitCode::kAsExpected;
}

}  // namespace tools
