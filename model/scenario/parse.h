// Scenario files -> Scenario.
//
// The input may be anything: a bad one gives an error that names every place and what was expected
// there, one line each: "path:line:column: /json/pointer: want ..., got ...".
#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "model/scenario/policy_field.h"
#include "model/scenario/scenario.h"

namespace scenario {

inline constexpr int64_t kMaxScenarioFileBytes = 1 << 20;

// `path` is for messages. `policies` are the ones that the scenario may set.
absl::StatusOr<Scenario> ParseScenario(std::string_view path, std::string_view text,
                                       absl::Span<const PolicyField> policies);

absl::StatusOr<Scenario> LoadScenario(const std::string& path,
                                      absl::Span<const PolicyField> policies);

}  // namespace scenario
