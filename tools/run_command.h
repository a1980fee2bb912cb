// crashdep run: searches scenarios and compares what is found with what they expect.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/scenario/runner.h"
#include "tools/backend.h"
#include "tools/console.h"
#include "tools/exit_code.h"
#include "tools/lock_output.h"

namespace tools {

struct RunArguments {
  std::vector<std::string> paths;           // scenario files and directories of them
  scenario::RunOptions options;             // with `guards`, the table of all scenarios comes last
  std::optional<std::string> json;          // where to write the results; see result_json.h ...
  std::optional<std::string> junit;         // ... and junit.h
  std::optional<std::string> order;         // a file of documented lock orders (order_file.h)
  LockOutputs locks;                        // of all scenarios together
  std::optional<std::string> suppressions;  // a file of known findings (suppressions.h)
  bool all_cycles = false;  // list every lock cycle with its verdict, of scenarios that pass, too
  std::optional<std::string> traces;  // directory for one trace file per finding, ...
  bool shrinks = true;  // ... and where a scenario fails a small one for the first of each kind
  // Directory that keeps each search, as NAME.json; the next run goes on from there.
  std::optional<std::string> checkpoint;
};

// Where nothing can be written, nothing is run. A scenario that cannot be read makes the exit code
// kBadInput; the others run all the same.
ExitCode RunCommand(const RunArguments& arguments, const Backend& backend, Console console);

}  // namespace tools
