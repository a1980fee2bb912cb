// The commands that look at scenarios and run nothing.
#pragma once

#include <string>
#include <vector>

#include "tools/backend.h"
#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

// crashdep check: says what is wrong with each file; kBadInput if anything is.
ExitCode CheckCommand(const std::vector<std::string>& paths, const Backend& backend,
                      Console console);

// crashdep list: name and purpose of each scenario.
ExitCode ListCommand(const std::vector<std::string>& paths, const Backend& backend,
                     Console console);

// crashdep schema: the format of scenario files, of files with lock orders, or of those with known
// findings, as a JSON Schema.
enum class SchemaOf { kScenarios, kOrders, kSuppressions };
ExitCode SchemaCommand(SchemaOf of, const Backend& backend, Console console);

// crashdep policies: every policy, what it does and where the rule comes from.
ExitCode PoliciesCommand(const Backend& backend, Console console);

}  // namespace tools
