// crashdep generate: all small workloads of a kind as scenario files
// (model/scenario/workload_space.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "model/scenario/workload_space.h"
#include "tools/backend.h"
#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

struct GenerateArguments {
  scenario::WorkloadSpace space;
  std::optional<std::string> like;    // a scenario file; by default all is as by default
  std::vector<std::string> policies;  // set to true
  std::string directory;              // new or empty; gets NAME.json of each
};

// kBadInput if a file cannot be read or written, or there is no such policy.
ExitCode GenerateCommand(const GenerateArguments& arguments, const Backend& backend,
                         Console console);

}  // namespace tools
