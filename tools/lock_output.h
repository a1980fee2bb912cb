// Lock graphs as files: in the layout of /proc, as text for Graphviz, as a picture.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "sim/lockdep/validator.h"
#include "sim/locking/lock_stat.h"

namespace tools {

struct LockOutputs {
  // A directory, for lockdep, lockdep_chains, lockdep_stats and, of executions, lock_stat.
  std::optional<std::string> proc;
  std::optional<std::string> dot;  // a file: sim/lockdep/dot.h
  std::optional<std::string> svg;  // the same, drawn by Graphviz's dot, which must be installed
};

// Writes what is asked for; all of it if it can. Failure: "path: why", one line for each.
absl::Status WriteLocks(const sim::Validator& locks, const sim::LockStat* stat,
                        const LockOutputs& outputs);

}  // namespace tools
