// A Scenario as JSON: what traces carry.
#pragma once

#include "model/scenario/scenario.h"
#include "nlohmann/json_fwd.hpp"

namespace scenario {

// Every value, defaults included, so that the text means the same when defaults change. Reading it
// gives the same Scenario.
nlohmann::ordered_json ToJson(const Scenario& scenario);

}  // namespace scenario
