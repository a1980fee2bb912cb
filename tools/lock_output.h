// Lock graphs as files: in the layout of /proc, as text for Graphviz, as a picture.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "sim/lockdep/validator.h"

namespace tools {

struct LockOutputs {
  std::optional<std::string> proc;  // a directory, for lockdep, lockdep_chains and lockdep_stats
  std::optional<std::string> dot;   // a file: sim/lockdep/dot.h
  std::optional<std::string> svg;   // the same, drawn by Graphviz's dot, which must be installed
};

// Writes what is asked for; all of it if it can. Failure: "path: why", one line for each.
absl::Status WriteLocks(const sim::Validator& locks, const LockOutputs& outputs);

}  // namespace tools
