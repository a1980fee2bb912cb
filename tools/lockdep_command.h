// crashdep lockdep: checks the lock order that a real kernel recorded, compares lock graphs, and
// checks tables of lock programs against what a real kernel said to them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/backend.h"
#include "tools/console.h"
#include "tools/exit_code.h"
#include "tools/lock_output.h"

namespace tools {

struct LockdepArguments {
  std::vector<std::string> paths;
  std::optional<std::string> order;         // a file of documented orders (order_file.h)
  std::optional<std::string> suppressions;  // a file of known reports (suppressions.h)
  LockOutputs outputs;                      // not with diff
  bool show_reports = false;        // of a table: print what is reported on its programs, too
  bool diff = false;                // compare the two paths instead
  std::optional<std::string> json;  // a file for the reports or the differences
};

// The files, in order, are what one kernel said; lock_source.h says what they may be.
// kNotAsExpected when they show a lock order that can deadlock, or contradicts a documented one;
// kBadInput when one cannot be read or has nothing of locks in it. A file in JSON is a table
// (sim/lockdep/lock_program.h) and stands for itself: kNotAsExpected when we do not say what the
// kernel said.
//
// With `diff`, the two paths are two lock graphs of any source; kNotAsExpected when they differ.
// With `order`, the classes that it names are compared, under the names that it gives them.
ExitCode LockdepCommand(const LockdepArguments& arguments, const Backend& backend, Console console);

}  // namespace tools
