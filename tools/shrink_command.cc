#include "tools/shrink_command.h"

#include <cstdint>
#include <ostream>

#include "absl/strings/str_format.h"
#include "model/scenario/brief.h"
#include "model/scenario/schema.h"
#include "tools/bad_input.h"
#include "tools/text_report.h"
#include "tools/trace_document.h"

namespace tools {
namespace {

std::string Line(const char* name, int64_t before, int64_t after) {
  return absl::StrFormat("%-12s%s -> %s\n", name, Grouped(std::to_string(before)),
                         Grouped(std::to_string(after)));
}

std::string SizeText(const scenario::TraceSize& before, const scenario::TraceSize& after) {
  const auto line = [](const char* name, size_t more, size_t less) {
    return Line(name, static_cast<int64_t>(more), static_cast<int64_t>(less));
  };
  return line("operations", before.operations, after.operations) +
         line("threads", before.threads, after.threads) + line("turns", before.turns, after.turns) +
         line("switches", before.switches, after.switches) +
         Line("bytes", before.bytes, after.bytes);
}

// A thread's name, and then a line for each of its operations, as a scenario file has them.
std::string ThreadsText(const nlohmann::ordered_json& json, const Backend& backend) {
  const auto brief = scenario::WithoutDefaults(json, scenario::JsonSchema(backend.policies));
  std::string text;
  for (const auto& thread : brief["threads"]) {
    text += thread["name"].get<std::string>() + "\n";
    for (const auto& op : thread["ops"]) text += "  " + scenario::OneLine(op) + "\n";
  }
  return text;
}

}  // namespace

ExitCode ShrinkCommand(const ShrinkArguments& arguments, const Backend& backend, Console console) {
  const auto trace = LoadTraceDocument(arguments.trace);
  if (!trace.ok()) return Refuse(trace.status(), console);
  absl::StatusOr<OutputFile> file = OpenTraceFile(arguments.output);
  if (!file.ok()) return Refuse(file.status(), console);
  const auto shrunk = backend.shrink(*trace, arguments.jobs);
  if (!shrunk.ok()) {
    if (shrunk.status().code() != absl::StatusCode::kFailedPrecondition) {
      return Refuse(InFile(arguments.trace, shrunk.status()), console);
    }
    console.out << "not shrunk: " << std::string(shrunk.status().message()) << "\n";
    return ExitCode::kNotAsExpected;
  }
  const absl::Status written = file->Write(shrunk->trace.dump(1) + "\n");
  if (!written.ok()) return Refuse(written, console);
  console.out << "finding     " << shrunk->kind << ": " << shrunk->message << "\n"
              << SizeText(shrunk->before, shrunk->after) << "tried       "
              << Grouped(std::to_string(shrunk->scenarios)) << " scenarios, "
              << Grouped(std::to_string(shrunk->executions)) << " executions"
              << (shrunk->out_of_budget ? "; there was more to try" : "") << "\n\n"
              << ThreadsText(shrunk->trace["scenario"], backend) << "\n"
              << (shrunk->detail.empty() ? "" : shrunk->detail + "\n")
              << "written: crashdep replay " << arguments.output << "\n";
  return ExitCode::kAsExpected;
}

}  // namespace tools
