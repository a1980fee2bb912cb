// crashdep lockdep: checks the lock order that a real kernel recorded.
#pragma once

#include <string>
#include <vector>

#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

// The files, in order, are what one kernel said; import/lock_importer.h says what they may be.
// kNotAsExpected when they show a lock order that can deadlock; kBadInput when one cannot be read
// or has nothing of locks in it.
ExitCode LockdepCommand(const std::vector<std::string>& paths, Console console);

}  // namespace tools
