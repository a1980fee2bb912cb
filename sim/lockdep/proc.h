// What /proc/lockdep_stats, /proc/lockdep and /proc/lockdep_chains would show
// [kernel/locking/lockdep_proc.c], in the kernel's layout.
//
// Where the kernel prints an address stands the number of the class, in order of first use. Left
// out are counts of operations, limits of tables, and what the kernel counts of its own work. A
// dependency counts once; the kernel counts its entry in both directions.
//
// tools/import/proc_lockdep.h reads the last two, and gets the same graph, but for what they do not
// say: whether locks were shared.
#pragma once

#include <string>
#include <string_view>

#include "sim/lockdep/validator.h"

namespace sim {

std::string RenderLockdepStats(const Validator& validator);

// Each class with the number of classes reachable from it (FD) and leading to it (BD), itself
// included, its usage, and its dependencies on direct neighbours; those across tried locks follow
// from the chains.
std::string RenderLockdepClasses(const Validator& validator);

// Each chain with the names of its locks, outermost first.
std::string RenderLockdepChains(const Validator& validator);

// Text that came from outside: every byte that is not printable ASCII becomes '?'.
std::string Printable(std::string_view text);

}  // namespace sim
