// crashdep lockdep: checks the lock order of traces recorded on a real kernel.
#pragma once

#include <string>
#include <vector>

#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

// The traces, in order, are windows on one kernel; import/ftrace.h says what they may look like.
// kNotAsExpected when they show a lock order that can deadlock; kBadInput when one cannot be read
// or has no lock event.
ExitCode LockdepCommand(const std::vector<std::string>& trace_paths, Console console);

}  // namespace tools
