// crashdep record: writes down one execution in which nothing is found.
//
// A recording says how the model behaves today; replaying it tells when, and from which turn on, it
// behaves otherwise. Executions with a finding are not recorded: crashdep run --traces keeps those.
#pragma once

#include <cstdint>
#include <string>

#include "model/scenario/runner.h"
#include "tools/backend.h"
#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

struct RecordArguments {
  std::string path;   // a scenario file
  std::string trace;  // where to write
  scenario::RunOptions options;
  int64_t execution = 0;  // its number in the search
};

// kNotAsExpected, and nothing written, when the execution has a finding. A file that is there and
// is no trace is left alone: kBadInput.
ExitCode RecordCommand(const RecordArguments& arguments, const Backend& backend, Console console);

}  // namespace tools
