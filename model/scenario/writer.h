// A Scenario as JSON: what traces carry; or another thing whose fields can be visited.
#pragma once

#include "absl/functional/function_ref.h"
#include "model/scenario/fields.h"
#include "model/scenario/scenario.h"
#include "nlohmann/json_fwd.hpp"

namespace scenario {

// Every value, defaults included, so that the text means the same when defaults change. Reading it
// gives the same Scenario.
nlohmann::ordered_json ToJson(const Scenario& scenario);

// What `visit` visits, of which it changes nothing.
nlohmann::ordered_json ToJson(absl::FunctionRef<void(FieldVisitor&)> visit);

}  // namespace scenario
