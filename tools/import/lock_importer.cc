#include "tools/import/lock_importer.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/lockdep/proc.h"
#include "tools/import/words.h"

namespace tools {
namespace {

std::string Count(const char* label, uint64_t count) {
  return absl::StrFormat(" %-32s%11d\n", label, count);
}

}  // namespace

LockText LockTextOf(std::string_view text) {
  constexpr int kLinesToTry = 16;  // a text may begin in the middle of something
  for (int i = 0; i < kLinesToTry && !text.empty(); ++i) {
    const std::string_view line = NextLine(text).text;
    if (line == "all lock classes:") return LockText::kClasses;
    if (line == "all lock chains:" || StartsWith(line, "irq_context:")) return LockText::kChains;
    if (StartsWith(Trim(line), "lock-classes:") || StartsWith(line, "lock_stat version")) {
      return LockText::kStatistics;
    }
    if (Contains(line, " FD:") && Contains(line, " BD:")) return LockText::kClasses;
    if (Contains(line, "lock_acquire") || Contains(line, "lock_release")) break;
  }
  return LockText::kTrace;
}

bool LockImporter::AddFile(std::string_view name, std::string_view text) {
  const char* file = files_.emplace_back(name).c_str();
  const uint64_t before = traces_.lock_event_count() + proc_.record_count();
  switch (LockTextOf(text)) {
    case LockText::kTrace:
      traces_.AddFile(file, text);
      break;
    case LockText::kClasses:
      proc_.AddClasses(file, text);
      break;
    case LockText::kChains:
      proc_.AddChains(file, text);
      break;
    case LockText::kStatistics:
      break;
  }
  return traces_.lock_event_count() + proc_.record_count() > before;
}

std::string RenderText(const LockImporter& import, const sim::Validator::Conclusions& conclusions) {
  const sim::Validator& validator = import.validator();
  std::string text = absl::StrCat(Count("lock-classes:", validator.class_count()),
                                  Count("direct dependencies:", validator.dependency_count()),
                                  Count("dependency chains:", validator.chain_count()),
                                  Count("lines:", import.line_count()));
  if (import.traces().line_count() > 0) {
    absl::StrAppend(&text, Count("lock events:", import.traces().lock_event_count()),
                    Count("other events:", import.traces().other_event_count()));
  }
  absl::StrAppend(&text, RenderText(import.unused()), "\n", sim::RenderLockdepClasses(validator));
  for (const sim::LockReport& report : conclusions.found) {
    absl::StrAppend(&text, "\n", sim::RenderText(report));
  }
  for (const sim::LockReport& report : conclusions.excluded) {
    absl::StrAppend(&text, "\nno report, ", sim::VerdictName(report.cycle.verdict), ": ",
                    sim::Message(report), "\n  ", report.cycle.why, "\n");
  }
  if (conclusions.more_cycles) text += "\nThere are more lock cycles than are listed.\n";
  absl::StrAppend(&text, "\n", conclusions.found.size(),
                  conclusions.found.size() == 1 ? " report\n" : " reports\n");
  return text;
}

}  // namespace tools
