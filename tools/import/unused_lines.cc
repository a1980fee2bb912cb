#include "tools/import/unused_lines.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/lockdep/proc.h"

namespace tools {

void UnusedLines::Add(std::string_view why, std::string_view file, uint64_t line,
                      std::string_view text) {
  constexpr size_t kMaxShown = 120;
  for (Kind& kind : kinds_) {
    if (kind.why != why) continue;
    ++kind.count;
    return;
  }
  kinds_.push_back(
      {std::string(why), 1, std::string(file), line, std::string(text.substr(0, kMaxShown))});
}

uint64_t UnusedLines::count() const {
  uint64_t count = 0;
  for (const Kind& kind : kinds_) count += kind.count;
  return count;
}

std::string RenderText(const UnusedLines& unused) {
  std::string text = absl::StrFormat(" %-32s%11d\n", "lines not used:", unused.count());
  for (const UnusedLines::Kind& kind : unused.kinds()) {
    absl::StrAppend(&text, "  ", kind.count, " x ", kind.why, "; first at ", kind.first_file, ":",
                    kind.first_line, ":\n    ", sim::Printable(kind.first_text), "\n");
  }
  return text;
}

}  // namespace tools
