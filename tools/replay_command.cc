#include "tools/replay_command.h"

#include "model/scenario/text.h"
#include "tools/trace_document.h"

namespace tools {
namespace {

absl::StatusOr<scenario::ReplayResult> Replay(const std::string& path, const Backend& backend) {
  const auto trace = LoadTraceDocument(path);
  if (!trace.ok()) return trace.status();
  absl::StatusOr<scenario::ReplayResult> result = backend.replay(*trace);
  if (result.ok()) return result;
  return absl::InvalidArgumentError(
      scenario::Cat(path, ": ", std::string(result.status().message())));
}

}  // namespace

ExitCode ReplayCommand(const std::string& trace_path, const LockOutputs& outputs,
                       const Backend& backend, Console console) {
  const absl::StatusOr<scenario::ReplayResult> result = Replay(trace_path, backend);
  if (!result.ok()) {
    console.Complain(std::string(result.status().message()));
    return ExitCode::kBadInput;
  }
  const bool recording = result->expected_kind.empty();
  console.out << "scenario  " << result->scenario << "\n"
              << "expected  "
              << (recording ? "no finding"
                            : scenario::Cat(result->expected_kind, ": ", result->expected_message))
              << "\n"
              << "digest    " << result->digest
              << (result->digest == result->expected_digest ? ", as in the trace"
                                                            : ", not as in the trace")
              << "\n";
  for (const scenario::FoundFinding& finding : result->findings) {
    console.out << "\n" << finding.kind << ": " << finding.message << "\n" << finding.detail;
    if (!finding.detail.ends_with('\n')) console.out << "\n";
  }
  console.out << "\n";
  if (result->locks != nullptr) {
    const absl::Status written = WriteLocks(*result->locks, &result->lock_stat, outputs);
    if (!written.ok()) {
      console.Complain(std::string(written.message()));
      return ExitCode::kBadInput;
    }
  }
  if (!result->matches) {
    console.out << "not reproduced: " << result->why_not << "\n";
    return ExitCode::kNotAsExpected;
  }
  console.out << "reproduced: " << (recording ? "again no finding" : "the same finding")
              << " and the same digest\n";
  return ExitCode::kAsExpected;
}

}  // namespace tools
