// Fills a Scenario from JSON and says everything that is wrong with it.
#pragma once

#include <string>
#include <vector>

#include "absl/types/span.h"
#include "model/scenario/json_text.h"
#include "model/scenario/policy_field.h"
#include "model/scenario/scenario.h"

namespace scenario {

// One thing wrong with a scenario.
struct Problem {
  std::string pointer;  // JSON pointer to the value
  std::string message;  // what is wanted, and what is there
  bool of_key = false;  // the key itself is wrong, not its value
};

// Keys, types and ranges as fields.h has them. Returns what is wrong, in no particular order; the
// Scenario is of use only when that is nothing.
std::vector<Problem> ReadScenario(const JsonValue& root, absl::Span<const PolicyField> policies,
                                  Scenario& scenario);

}  // namespace scenario
