// crashdep replay: runs what a trace has again.
#pragma once

#include <optional>
#include <string>

#include "tools/backend.h"
#include "tools/console.h"
#include "tools/exit_code.h"
#include "tools/lock_output.h"

namespace tools {

struct ReplayArguments {
  std::string trace;                    // a path
  bool show = false;                    // print the run, a line each event
  std::optional<std::string> perfetto;  // a file to write the same to, for timeline viewers
  scenario::ReplayOptions options;
  LockOutputs locks;  // what the replay showed of lock orders
};

// kAsExpected when the trace's finding (a recording's: none) and digest came out again,
// kNotAsExpected when not. If the run was to go another way, its digest does not matter.
ExitCode ReplayCommand(ReplayArguments arguments, const Backend& backend, Console console);

}  // namespace tools
