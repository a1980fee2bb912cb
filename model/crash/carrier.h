// The transaction that matters to a CrashFault: the one that brought the metadata which makes the
// bytes be read, or the one that would have brought what was promised.
#pragma once

#include <string>

#include "model/crash/minimal_state.h"

namespace model {

// A sentence; empty: no single transaction did it.
std::string CarrierText(const CrashScene& scene, const Outcome& outcome, const CrashFault& fault);

}  // namespace model
