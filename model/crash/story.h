// Tells people how a CrashFault came about.
#pragma once

#include <string>

#include "model/crash/minimal_state.h"

namespace model {

// What happened, in the smallest state that shows it: which transactions are recovered and which of
// them carried the metadata (carrier.h); the writes that matter (writes_text.h); and the rule that
// would have excluded it (broken_rule.h).
std::string DetailOf(const CrashScene& scene, const CrashFault& fault, const MinimalState& minimal);

}  // namespace model
