// The scenario format as a JSON Schema (draft 2020-12), for editors and for those who generate
// scenarios. It says what fields.h says; what check.h checks beyond that no schema can say.
#pragma once

#include "absl/types/span.h"
#include "model/scenario/policy_field.h"
#include "nlohmann/json_fwd.hpp"

namespace scenario {

nlohmann::ordered_json JsonSchema(absl::Span<const PolicyField> policies);

}  // namespace scenario
