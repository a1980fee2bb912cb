#include "tools/lock_table.h"

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "model/scenario/json_text.h"
#include "nlohmann/json.hpp"
#include "sim/lockdep/lock_program.h"
#include "sim/lockdep/proc.h"
#include "tools/bad_input.h"

namespace tools {
namespace {

std::string Title(const sim::ProgramVerdict& verdict) {
  const std::string column =
      verdict.column.empty() || verdict.column == "-" ? "" : " " + verdict.column;
  return sim::Printable(verdict.name + column);
}

std::string Says(const sim::ProgramVerdict& verdict) {
  return verdict.reports.empty() ? "no report" : sim::Message(verdict.reports.front());
}

std::string Line(const sim::ProgramVerdict& verdict) {
  if (!verdict.inexpressible.empty()) {
    return absl::StrCat("skip  ", Title(verdict), ": ", sim::Printable(verdict.inexpressible));
  }
  const bool passed = verdict.difference.empty();
  return absl::StrCat(passed ? "pass  " : "FAIL  ", Title(verdict), ": ",
                      sim::Printable(Says(verdict)),
                      passed ? "" : " (" + sim::Printable(verdict.difference) + ")");
}

// "/tests/0/threads: want ..." with file and place.
std::string Complaint(const std::string& path, const std::string& text,
                      const std::string& message) {
  const auto root = scenario::ParseJsonText(path, text);
  const std::string pointer = message.substr(0, message.find(": "));
  const scenario::TextPosition at =
      root.ok() ? scenario::PositionOf(*root, pointer, false) : scenario::TextPosition{};
  return absl::StrCat(path, ":", at.line, ":", at.column, ": ", message);
}

}  // namespace

bool IsLockTable(const std::string& text) {
  const size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && text[first] == '{';
}

ExitCode CheckLockTable(const std::string& path, const std::string& text, bool show_reports,
                        Console console) {
  const auto table = scenario::ParseDocument(path, text);
  if (!table.ok()) return Refuse(table.status(), console);
  const auto verdicts = sim::RunLockPrograms(*table);
  if (!verdicts.ok()) {
    console.Complain(Complaint(path, text, std::string(verdicts.status().message())));
    return ExitCode::kBadInput;
  }
  int passed = 0, failed = 0, skipped = 0;
  for (const sim::ProgramVerdict& verdict : *verdicts) {
    console.out << Line(verdict) << '\n';
    if (show_reports) {
      for (const sim::LockReport& report : verdict.reports) {
        console.out << sim::RenderText(report) << '\n';
      }
    }
    ++(!verdict.inexpressible.empty() ? skipped : verdict.difference.empty() ? passed : failed);
  }
  if (skipped > 0) console.out << skipped << " skipped\n";
  console.out << passed << " passed, " << failed << " failed\n";
  return failed > 0 ? ExitCode::kNotAsExpected : ExitCode::kAsExpected;
}

}  // namespace tools
