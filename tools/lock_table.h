// Tables of lock programs, each with what a real kernel said to it (sim/lockdep/lock_program.h).
#pragma once

#include <string>

#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

// Traces are no JSON objects.
bool IsLockTable(const std::string& text);

// Prints a line for each program: whether we say what the kernel said, and what that is; those that
// cannot be told here with the reason; then the totals. With `show_reports` each report follows its
// line.
ExitCode CheckLockTable(const std::string& path, const std::string& text, bool show_reports,
                        Console console);

}  // namespace tools
