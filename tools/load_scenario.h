// Scenario files as the commands take them: well-formed, and of a file system that can be made.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "model/scenario/scenario.h"
#include "tools/backend.h"

namespace tools {

// Fails, naming the file, for whatever a run of it would be bad input.
absl::StatusOr<scenario::Scenario> LoadScenario(const std::string& path, const Backend& backend);

}  // namespace tools
