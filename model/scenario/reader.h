// Fills a Scenario, or another thing whose fields can be visited, from JSON and says everything
// that is wrong with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "model/scenario/fields.h"
#include "model/scenario/json_text.h"
#include "model/scenario/policy_field.h"
#include "model/scenario/scenario.h"

namespace scenario {

// One thing wrong with a file.
struct Problem {
  std::string pointer;  // JSON pointer to the value
  std::string message;  // what is wanted, and what is there
  bool of_key = false;  // the key itself is wrong, not its value
};

// Visits the members of `root` to fill what `visit` knows. Returns what is wrong, in no particular
// order.
std::vector<Problem> ReadObject(const JsonValue& root,
                                absl::FunctionRef<void(FieldVisitor&)> visit);

// "path:line:column: pointer: message" for each problem, in the order of the text.
absl::Status ProblemStatus(std::string_view path, const JsonValue& root,
                           const std::vector<Problem>& problems);

// Keys, types and ranges as fields.h has them. Returns what is wrong, in no particular order; the
// Scenario is of use only when that is nothing.
std::vector<Problem> ReadScenario(const JsonValue& root, absl::Span<const PolicyField> policies,
                                  Scenario& scenario);

}  // namespace scenario
