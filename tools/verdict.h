// Whether a scenario gave what it expects.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/scenario/runner.h"
#include "model/scenario/scenario.h"

namespace tools {

// What separates the findings from the expected ones, one line each; empty: nothing does. Found and
// expected kinds must be the same set, and each expected message must occur in a finding of its
// kind.
std::vector<std::string> Differences(const std::vector<scenario::ExpectedFinding>& expected,
                                     const std::vector<scenario::FoundFinding>& found);

// The same for a scenario and, if it was run, its clean twin. Empty: it passes.
std::vector<std::string> Differences(const scenario::Expectation& expect,
                                     const scenario::ScenarioResult& result,
                                     const std::optional<scenario::ScenarioResult>& without_policy);

}  // namespace tools
