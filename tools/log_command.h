// crashdep log: one execution as a log of the writes to its device, in the format of dm-log-writes,
// which replay-log and crashdep crash read (model/scenario/execution_log.h).
#pragma once

#include <string>

#include "tools/backend.h"
#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

struct LogArguments {
  std::string trace;
  std::string log;  // where to write; beside it ".img" and ".tags"
};

// kBadInput, and nothing written, if the trace is of no use, or a file is there and not one of
// ours.
ExitCode LogCommand(const LogArguments& arguments, const Backend& backend, Console console);

}  // namespace tools
