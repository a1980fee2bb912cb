#include "tools/lockdep_command.h"

#include <cstdint>

#include "absl/status/statusor.h"
#include "tools/import/ftrace.h"
#include "tools/import/recording.h"
#include "tools/replay_command.h"

namespace tools {

ExitCode LockdepCommand(const std::vector<std::string>& trace_paths, Console console) {
  ExitCode exit_code = ExitCode::kAsExpected;
  const auto complain = [&](absl::string_view message) {
    console.Complain(std::string(message));
    exit_code = ExitCode::kBadInput;
  };
  FtraceImporter importer;
  for (const std::string& path : trace_paths) {
    const absl::StatusOr<std::vector<RecordedText>> texts = ReadRecording(path, kMaxTraceFileBytes);
    if (!texts.ok()) {
      complain(texts.status().message());
      continue;
    }
    const uint64_t events_before = importer.lock_event_count();
    for (const RecordedText& text : *texts) importer.AddFile(text.name, text.text);
    if (importer.lock_event_count() == events_before) {
      complain(path + ": no lock_acquire or lock_release event in it");
    }
  }
  if (importer.lock_event_count() == 0) return exit_code;
  console.out << RenderText(importer);
  if (!importer.validator().reports().empty()) {
    exit_code = Worse(exit_code, ExitCode::kNotAsExpected);
  }
  return exit_code;
}

}  // namespace tools
