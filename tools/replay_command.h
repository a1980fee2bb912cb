// crashdep replay: runs what a trace has again.
#pragma once

#include <string>

#include "tools/backend.h"
#include "tools/console.h"
#include "tools/exit_code.h"
#include "tools/lock_output.h"

namespace tools {

// kAsExpected when the trace's finding (a recording's: none) and digest came out again,
// kNotAsExpected when not. `outputs`: what the replay showed of lock orders.
ExitCode ReplayCommand(const std::string& trace_path, const LockOutputs& outputs,
                       const Backend& backend, Console console);

}  // namespace tools
