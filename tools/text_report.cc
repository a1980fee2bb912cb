#include "tools/text_report.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "model/scenario/text.h"
#include "sim/race/guard_report.h"

namespace tools {
namespace {

using scenario::Cat;

constexpr size_t kColumns = 100;

std::string Padded(std::string_view text, size_t width) {
  return Cat(text, std::string(width - std::min(width, text.size()), ' '));
}

std::string VerdictWord(Verdict verdict, bool color) {
  const std::string word = verdict == Verdict::kPass   ? "pass "
                           : verdict == Verdict::kFail ? "FAIL "
                                                       : "ERROR";
  if (!color) return word;
  return Cat(verdict == Verdict::kPass ? "\x1b[32m" : "\x1b[1;31m", word, "\x1b[0m");
}

// Each kind once, in order of appearance.
std::string Kinds(const std::vector<scenario::FoundFinding>& findings) {
  std::vector<std::string> kinds;
  for (const scenario::FoundFinding& finding : findings) {
    if (std::find(kinds.begin(), kinds.end(), finding.kind) == kinds.end()) {
      kinds.push_back(finding.kind);
    }
  }
  return scenario::Join(kinds, ", ");
}

}  // namespace

std::string Grouped(std::string_view decimal) {
  if (decimal.size() > 15) {
    return Cat(decimal.substr(0, 1), ".", decimal.substr(1, 1), "e", decimal.size() - 1);
  }
  std::string out;
  for (size_t i = 0; i < decimal.size(); ++i) {
    if (i > 0 && (decimal.size() - i) % 3 == 0) out += ',';
    out += decimal[i];
  }
  return out;
}

std::string OutcomeLine(const Outcome& outcome, const LineStyle& style) {
  const std::string verdict = VerdictWord(outcome.verdict, style.color);
  if (outcome.verdict == Verdict::kError) return Cat(verdict, "  ", outcome.path);
  const std::string executions =
      Cat(outcome.result.complete ? "all " : "", Grouped(Cat(outcome.result.executions)));
  const std::string states = Grouped(outcome.result.crash_states);
  std::string line = Cat(verdict, "  ", Padded(outcome.name, style.name_width),
                         absl::StrFormat("  %10s %-10s  %9s %-12s  ", executions,
                                         executions == "1" ? "execution" : "executions", states,
                                         states == "1" ? "crash state" : "crash states"),
                         Kinds(outcome.result.findings));
  line.resize(line.find_last_not_of(' ') + 1);
  if (const auto& enumerated = outcome.result.enumerated; enumerated.has_value()) {
    line +=
        Cat("\n       enumerated ", Grouped(Cat(enumerated->families)), " families, ",
            Grouped(Cat(enumerated->states)), " states, ", Grouped(Cat(enumerated->disagreements)),
            " disagreements; ", Grouped(Cat(enumerated->larger)), " families are larger");
  }
  if (outcome.result.redundant > 0) {
    line += Cat("\n       beside these, ", Grouped(Cat(outcome.result.redundant)),
                " given up as redundant: they show nothing new");
  }
  if (outcome.result.out_of_time) line += "\n       cut off by --time";
  if (outcome.result.interrupted) line += "\n       cut off by an interrupt";
  if (outcome.result.estimate) {
    line += absl::StrFormat("\n       not all: there are about %.2g without reduction",
                            *outcome.result.estimate);
  }
  for (const std::string& bound : outcome.result.bounds) line += Cat("\n       ", bound);
  return line;
}

std::string FailureText(const Outcome& outcome, std::string_view rerun) {
  const std::string title = Cat("---- ", outcome.name, " (", outcome.path, ") ");
  std::string out =
      Cat("\n", title, std::string(kColumns - std::min(kColumns, title.size()), '-'), "\n");
  for (const std::string& reason : outcome.reasons) out += Cat(reason, "\n");
  std::vector<scenario::FoundFinding> findings = outcome.result.findings;
  if (outcome.without_policy) {
    for (scenario::FoundFinding finding : outcome.without_policy->findings) {
      finding.kind = Cat("without policy: ", finding.kind);
      findings.push_back(finding);
    }
  }
  for (const scenario::FoundFinding& finding : findings) {
    out += Cat("\n", finding.kind, ", ", Grouped(Cat(finding.count)),
               finding.count == 1 ? " time: " : " times: ", finding.message, "\n", finding.detail);
    if (!out.ends_with('\n')) out += '\n';
    if (!finding.verdict.empty()) out += Cat(finding.verdict, ": ", finding.why, "\n");
  }
  for (const scenario::ExcludedCycle& cycle : outcome.result.excluded_cycles) {
    out += Cat("\nno finding, ", cycle.verdict, ": ", cycle.message, "\n  ", cycle.why, "\n");
  }
  if (outcome.result.more_cycles) out += "\nThere are more lock cycles than are listed.\n";
  out += '\n';
  bool any_trace = false;
  for (size_t i = 0; i < outcome.traces.size(); ++i) {
    if (outcome.traces[i].empty()) continue;
    out += Cat("replay: crashdep replay ", outcome.traces[i], "\n");
    const bool is_shrunk = i < outcome.shrunk_traces.size() && !outcome.shrunk_traces[i].empty();
    if (is_shrunk) out += Cat(" small: crashdep replay ", outcome.shrunk_traces[i], "\n");
    any_trace = true;
  }
  if (!any_trace) out += Cat("again: ", rerun, "\n");
  return out;
}

std::string CoverageText(const scenario::Coverage& coverage) {
  std::string out = absl::StrFormat("       %-14s %9s   %s\n", "coverage", "seen",
                                    "new in each quarter of the executions");
  const auto row = [&](const char* name, const scenario::SeenThings& things) {
    out += absl::StrFormat("       %-14s %9s ", name, Grouped(Cat(things.seen)));
    for (const uint64_t count : things.new_by_quarter) {
      out += absl::StrFormat(" %9s", Grouped(Cat(count)));
    }
    out += '\n';
  };
  row("lock edges", coverage.lock_edges);
  row("choice points", coverage.choice_points);
  row("final states", coverage.final_states);
  std::vector<std::string> asked;
  for (const scenario::PolicyAsked& policy : coverage.policies) {
    if (policy.times == 0 && !policy.on) continue;
    asked.push_back(Cat(policy.name, policy.on ? " (on) " : " ", Grouped(Cat(policy.times))));
  }
  if (!asked.empty()) out += Cat("       policies asked for: ", scenario::Join(asked, ", "), "\n");
  return out;
}

std::string CyclesText(const Outcome& outcome) {
  std::string cycles;
  const auto add = [&](std::string_view verdict, std::string_view message, std::string_view why) {
    cycles += Cat("  ", verdict, ": ", message, "\n", why.empty() ? "" : Cat("    ", why, "\n"));
  };
  for (const scenario::FoundFinding& finding : outcome.result.findings) {
    if (finding.kind != "lock_cycle") continue;
    add(finding.verdict.empty() ? "possible" : finding.verdict, finding.message, finding.why);
  }
  for (const scenario::ExcludedCycle& cycle : outcome.result.excluded_cycles) {
    add(Cat("no finding, ", cycle.verdict), cycle.message, cycle.why);
  }
  if (outcome.result.more_cycles) cycles += "  There are more lock cycles than are listed.\n";
  return cycles.empty() ? "" : Cat("\nlock cycles of ", outcome.name, ":\n", cycles);
}

std::string GuardsText(const sim::GuardTable& guards) {
  return Cat("\nLocks held at the accesses to each field:\n\n", sim::RenderText(guards));
}

std::string Summary(const std::vector<Outcome>& outcomes) {
  size_t of[3] = {0, 0, 0};
  for (const Outcome& outcome : outcomes) ++of[static_cast<size_t>(outcome.verdict)];
  std::string out = Cat(of[0], " passed, ", of[1], " failed");
  if (of[2] > 0) out += Cat(", ", of[2], " could not be read");
  return out;
}

}  // namespace tools
