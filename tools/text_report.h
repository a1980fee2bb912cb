// The result of a run, for people: fits a terminal of 100 columns and a CI's log alike.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "tools/outcome.h"

namespace tools {

// "1234567" -> "1,234,567"; from 16 digits on "1.2e34".
std::string Grouped(std::string_view decimal);

struct LineStyle {
  size_t name_width = 0;  // of the longest name of the run
  bool color = false;
};

// One line, without its end: verdict, name, what was searched ("all 30 executions": there are no
// more), which kinds were found. Then, indented, how many there are if not all were run, in which
// bounds.
std::string OutcomeLine(const Outcome& outcome, const LineStyle& style);

// For a scenario that failed: why, each finding's report, and as the last line the command that
// replays it. `rerun` is the command line that runs this scenario again and writes its traces.
std::string FailureText(const Outcome& outcome, std::string_view rerun);

// Every lock cycle of a scenario, with its verdict and in one line why; empty if there is none.
std::string CyclesText(const Outcome& outcome);

// Which locks were held at the accesses to each field.
// What a search has come across: a table below its line.
std::string CoverageText(const scenario::Coverage& coverage);
std::string GuardsText(const sim::GuardTable& guards);

// "12 passed, 1 failed, 2 could not be read"
std::string Summary(const std::vector<Outcome>& outcomes);

}  // namespace tools
