// crashdep shrink: a finding's trace with as little in it as still shows the finding.
#pragma once

#include <string>

#include "tools/backend.h"
#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

struct ShrinkArguments {
  std::string trace;
  std::string output;  // where to write the smaller one
  int jobs = 1;
};

// kNotAsExpected, and nothing written, when the finding does not come again. A file that is there
// and is no trace is left alone: kBadInput.
ExitCode ShrinkCommand(const ShrinkArguments& arguments, const Backend& backend, Console console);

}  // namespace tools
