// The command line of crashdep: what it may say, and which command that is.
#pragma once

#include "tools/backend.h"
#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

// Runs the command that the arguments ask for.
ExitCode RunCommandLine(int argc, const char* const* argv, const Backend& backend, Console console);

}  // namespace tools
