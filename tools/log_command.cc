#include "tools/log_command.h"

#include <ostream>
#include <utility>

#include "absl/algorithm/container.h"
#include "model/scenario/text.h"
#include "tools/bad_input.h"
#include "tools/image_command.h"
#include "tools/import/log_writes.h"
#include "tools/output_file.h"
#include "tools/tag_file.h"
#include "tools/trace_document.h"

namespace tools {
namespace {

using scenario::Cat;

// What our logs and tags begin with: the first entry's text, and the first line.
constexpr std::string_view kLogMark = "crashdep log of ";
constexpr int64_t kLogMarkAt = 512 + 32;
constexpr std::string_view kTagMark = "# crashdep: what the execution wrote\n";

// Opens all before it writes any.
absl::Status WriteFiles(const std::string& path, const model::ExecutionLog& log,
                        const model::Recording& recording) {
  const std::string image = path + ".img", tags = path + ".tags";
  for (const absl::Status& status :
       {CheckIsOurs(path, kLogMark, kLogMarkAt, "a log"), CheckIsOurImage(image),
        CheckIsOurs(tags, kTagMark, 0, "a list of tags")}) {
    if (!status.ok()) return status;
  }
  absl::StatusOr<OutputFile> log_file = OutputFile::Open(path);
  if (!log_file.ok()) return log_file.status();
  absl::StatusOr<OutputFile> image_file = OutputFile::Open(image);
  if (!image_file.ok()) return image_file.status();
  absl::StatusOr<OutputFile> tag_file = OutputFile::Open(tags);
  if (!tag_file.ok()) return tag_file.status();
  const absl::Status written =
      log_file->WriteWith([&](std::ostream& out) { WriteLogWrites(recording, out); });
  if (!written.ok()) return written;
  if (absl::Status status = image_file->Write(log.base); !status.ok()) return status;
  return tag_file->Write(Cat(kTagMark, TagText(log.writes)));
}

std::string ShortJournalNote(const model::DiskLayout& layout) {
  return Cat("The journal of ", layout.geometry.journal_blocks,
             " blocks is too short for e2fsck and Linux, and cannot be made longer here: it wraps, "
             "or the device has no room. They take one of ",
             model::kMinJournalBlocks, " (\"journal_blocks\").\n\n");
}

}  // namespace

ExitCode LogCommand(const LogArguments& arguments, const Backend& backend, Console console) {
  const auto trace = LoadTraceDocument(arguments.trace);
  if (!trace.ok()) return Refuse(trace.status(), console);
  model::ExecutionLog log;
  if (absl::Status status = backend.log(*trace, log); !status.ok()) {
    return Refuse(InFile(arguments.trace, status), console);
  }
  const std::string mark = Cat(kLogMark, log.name);
  model::Recording recording;
  recording.entries = {{.mark = mark}};
  recording.entries.insert(recording.entries.end(), log.recording.entries.begin(),
                           log.recording.entries.end());
  const absl::Status written = WriteFiles(arguments.log, log, recording);
  if (!written.ok()) return Refuse(written, console);
  const auto marks =
      absl::c_count_if(recording.entries, [](const auto& entry) { return !entry.mark.empty(); });
  const std::string& path = arguments.log;
  console.out << "scenario  " << log.name << "\n"
              << "entries   " << recording.entries.size() << ", " << marks << " of them marks\n\n"
              << "written: " << path << ", " << path << ".img and " << path << ".tags\n\n"
              << (log.layout.lengthens_journal ? "" : ShortJournalNote(log.layout))
              << "judge it: crashdep crash " << path << " --base " << path << ".img --tags " << path
              << ".tags --stale-pattern " << model::kStalePattern << "\n";
  return ExitCode::kAsExpected;
}

}  // namespace tools
