// The result of a run, for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/outcome.h"

namespace tools {

// {"scenarios": [{"name", "path", "verdict": "pass"|"fail"|"error", "executions", "steps",
//   "crash_families", "crash_states", "digest", "complete",
//   "findings": [{"kind", "message", "count", "trace", "detail"}]}]}
// - A lock cycle has a "verdict", confirmed or open, and "why".
// - "complete": a systematic search has run all executions there are; "estimate": of one that has
//   not, about how many there are without reduction. "redundant" counts those that it gave up
//   beside them, "bounds" are in what the completeness holds, or what a sample promises,
//   "out_of_time" says that the search was cut off; each if there is something to say.
// - "enumerated": {"families", "states", "larger_families", "disagreements"}, if asked for: how
//   many families were built state by state, how many states these have, how many families have
//   more than the limit, and where the two disagree ("first_disagreement"), which is a fault of
//   crashdep.
// - "crash_states" is a decimal string from 2^53 on, "trace" the file's path or null.
// - A fail or an error has "reasons" as well, and a scenario with a clean twin "without_policy",
//   with the twin's numbers and findings under the same names.
// - Lock cycles that cannot become deadlocks are in "excluded_cycles": [{"message", "verdict",
//   "why"}], if there are any; "more_cycles": true says that there were too many to list them all.
// - An error has a null name when the file has none.
// - With `guards` there is "guards", too: an array with an entry for each field and way of
//   accessing it; see sim/race/guard_report.h.
// Nothing in it depends on the machine or the time.
std::string ResultJson(const std::vector<Outcome>& outcomes,
                       const std::optional<sim::GuardTable>& guards = std::nullopt);

}  // namespace tools
