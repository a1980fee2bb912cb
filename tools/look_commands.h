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

// crashdep schema: the format of scenario files, or of files with lock orders, as a JSON Schema.
ExitCode SchemaCommand(bool of_orders, const Backend& backend, Console console);

// crashdep policies: every policy, what it does and where the rule comes from.
ExitCode PoliciesCommand(const Backend& backend, Console console);

}  // namespace tools
