// What /proc/lockdep_stats, /proc/lockdep and /proc/lockdep_chains would show
// [kernel/locking/lockdep_proc.c], without addresses and operation counts.
#pragma once

#include <string>
#include <string_view>

#include "sim/lockdep/validator.h"

namespace sim {

std::string RenderLockdepStats(const Validator& validator);

// Each class with the number of classes reachable from it (FD) and leading to it (BD), itself
// included, its usage, and its direct dependencies; classes in order of first use.
std::string RenderLockdepClasses(const Validator& validator);

// Each chain as the names of its locks, outermost first.
std::string RenderLockdepChains(const Validator& validator);

// Text that came from outside: every byte that is not printable ASCII becomes '?'.
std::string Printable(std::string_view text);

}  // namespace sim
