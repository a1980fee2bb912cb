// The writes that make a state what it is.
#pragma once

#include <string>

#include "model/crash/minimal_state.h"

namespace model {

// Lines: the writes that are lost, and why they are not durable; those that have to be there; and
// those that the device says to have done and has not. For each, who submitted it, for which
// operation, holding what.
std::string WritesText(const CrashScene& scene, const MinimalState& minimal);

}  // namespace model
