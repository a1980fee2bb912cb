// crashdep lockdep: checks the lock order that a real kernel recorded, and tables of lock programs
// against what a real kernel said to them.
#pragma once

#include <string>
#include <vector>

#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

// The files, in order, are what one kernel said; import/lock_importer.h says what they may be.
// kNotAsExpected when they show a lock order that can deadlock; kBadInput when one cannot be read
// or has nothing of locks in it. A file in JSON is a table (sim/lockdep/lock_program.h) and stands
// for itself: kNotAsExpected when we do not say what the kernel said. With `show_reports` the
// reports on its programs are printed, too.
ExitCode LockdepCommand(const std::vector<std::string>& paths, bool show_reports, Console console);

}  // namespace tools
