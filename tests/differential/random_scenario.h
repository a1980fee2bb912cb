// Random workloads whose crash states are worth an image: small files of all kinds, operations that
// move their blocks and sizes about, all mount options; some with a rule broken.
#pragma once

#include <cstdint>

#include "model/scenario/scenario.h"

namespace differential {

// The same for the same seed, everywhere. `broken`: with a policy that spoils metadata, or
// on a device that lies.
scenario::Scenario RandomScenario(uint64_t seed, bool broken);

}  // namespace differential
