// Which rule of the file system, had it been kept, excludes a CrashFault.
#pragma once

#include "model/crash/minimal_state.h"

namespace model {

const char* BrokenRule(const CrashScene& scene, const CrashFault& fault);

}  // namespace model
