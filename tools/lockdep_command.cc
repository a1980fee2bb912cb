#include "tools/lockdep_command.h"

#include "absl/status/statusor.h"
#include "tools/import/lock_importer.h"
#include "tools/import/recording.h"
#include "tools/lock_table.h"
#include "tools/replay_command.h"

namespace tools {
namespace {

constexpr char kNoLocks[] =
    "no lock event in it, and no lock class; want ftrace text with lock_acquire and lock_release "
    "events, /proc/lockdep, or /proc/lockdep_chains";

}  // namespace

ExitCode LockdepCommand(const std::vector<std::string>& paths, bool show_reports, Console console) {
  ExitCode exit_code = ExitCode::kAsExpected;
  const auto complain = [&](absl::string_view message) {
    console.Complain(std::string(message));
    exit_code = ExitCode::kBadInput;
  };
  LockImporter importer;
  bool has_locks = false;
  for (const std::string& path : paths) {
    const absl::StatusOr<std::vector<RecordedText>> texts = ReadRecording(path, kMaxTraceFileBytes);
    if (!texts.ok()) {
      complain(texts.status().message());
      continue;
    }
    if (texts->size() == 1 && IsLockTable(texts->front().text)) {
      exit_code =
          Worse(exit_code, CheckLockTable(path, texts->front().text, show_reports, console));
      continue;
    }
    bool file_has_locks = false;
    for (const RecordedText& text : *texts) {
      if (importer.AddFile(text.name, text.text)) file_has_locks = true;
    }
    if (!file_has_locks) complain(path + ": " + kNoLocks);
    has_locks |= file_has_locks;
  }
  if (!has_locks) return exit_code;
  console.out << RenderText(importer);
  if (!importer.validator().reports().empty()) {
    exit_code = Worse(exit_code, ExitCode::kNotAsExpected);
  }
  return exit_code;
}

}  // namespace tools
