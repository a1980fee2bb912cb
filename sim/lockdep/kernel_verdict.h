// A table's record of what the real kernel said to a lock program, beside what we say.
#pragma once

#include <string>

#include "nlohmann/json_fwd.hpp"
#include "sim/lockdep/lock_program.h"

namespace sim {

// What the first report of `verdict` differs in from what `test` says of the kernel's: whether
// there is one, its kind, its operation, its headline; empty: in nothing. (The kernel stops at its
// first report.)
std::string DifferenceFromKernel(const nlohmann::ordered_json& test, const ProgramVerdict& verdict);

// Headlines are the same but for process ids and addresses. A WARN_ON of the kernel, whose
// headline is a place in its source, is the same as any of ours.
bool SameHeadline(const std::string& kernel, const std::string& ours);

}  // namespace sim
