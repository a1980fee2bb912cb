#include "tools/replay_command.h"

#include <utility>

#include "model/scenario/text.h"
#include "tools/bad_input.h"
#include "tools/output_file.h"
#include "tools/timeline_text.h"
#include "tools/trace_document.h"
#include "tools/trace_event.h"

namespace tools {
namespace {

using scenario::Cat;

absl::StatusOr<scenario::ReplayResult> Replay(const ReplayArguments& arguments,
                                              const Backend& backend) {
  const auto trace = LoadTraceDocument(arguments.trace);
  if (!trace.ok()) return trace.status();
  absl::StatusOr<scenario::ReplayResult> result = backend.replay(*trace, arguments.options);
  if (result.ok()) return result;
  return InFile(arguments.trace, result.status());
}

void WriteHead(const scenario::ReplayResult& result, std::ostream& out) {
  const bool same_digest = result.digest == result.expected_digest;
  out << "scenario  " << result.scenario << "\n"
      << "expected  "
      << (result.expected_kind.empty() ? "no finding"
                                       : Cat(result.expected_kind, ": ", result.expected_message))
      << "\n"
      << "digest    " << result.digest
      << (same_digest ? ", as in the trace" : ", not as in the trace") << "\n";
  for (const std::string& left : result.left) out << "left      " << left << "\n";
}

void WriteFindings(const scenario::ReplayResult& result, std::ostream& out) {
  for (const scenario::FoundFinding& finding : result.findings) {
    out << "\n" << finding.kind << ": " << finding.message << "\n" << finding.detail;
    if (!finding.detail.ends_with('\n')) out << "\n";
  }
  out << "\n";
}

ExitCode WriteVerdict(const scenario::ReplayResult& result, std::ostream& out) {
  if (!result.matches) {
    out << "not reproduced: " << result.why_not << "\n";
    return ExitCode::kNotAsExpected;
  }
  out << "reproduced: " << (result.expected_kind.empty() ? "again no finding" : "the same finding")
      << (result.digest == result.expected_digest ? " and the same digest\n" : "\n");
  return ExitCode::kAsExpected;
}

}  // namespace

ExitCode ReplayCommand(ReplayArguments arguments, const Backend& backend, Console console) {
  auto trace_events = OutputFile::OpenIfAsked(arguments.perfetto);
  if (!trace_events.ok()) return Refuse(trace_events.status(), console);
  arguments.options.keeps_events = arguments.show || trace_events->has_value();
  const absl::StatusOr<scenario::ReplayResult> result = Replay(arguments, backend);
  if (!result.ok()) return Refuse(result.status(), console);
  WriteHead(*result, console.out);
  if (arguments.show) {
    for (const scenario::ReplayedRun& run : result->runs) {
      console.out << "\n";
      WriteTimeline(run, console.out);
    }
  }
  WriteFindings(*result, console.out);
  absl::Status written;
  if (trace_events->has_value()) {
    written = (*trace_events)->WriteWith([&](std::ostream& out) {
      WriteTraceEvents(result->scenario, result->runs, out);
    });
  }
  if (written.ok() && result->locks != nullptr) {
    written = WriteLocks(*result->locks, &result->lock_stat, arguments.locks);
  }
  if (!written.ok()) return Refuse(written, console);
  return WriteVerdict(*result, console.out);
}

}  // namespace tools
