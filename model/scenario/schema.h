// The scenario format as a JSON Schema (draft 2020-12), for editors and for those who generate
// scenarios. It says what fields.h says; what check.h checks beyond that no schema can say.
#pragma once

#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "model/scenario/fields.h"
#include "model/scenario/policy_field.h"
#include "nlohmann/json_fwd.hpp"

namespace scenario {

nlohmann::ordered_json JsonSchema(absl::Span<const PolicyField> policies);

// The same for another kind of file.
nlohmann::ordered_json JsonSchema(std::string_view title,
                                  absl::FunctionRef<void(FieldVisitor&)> visit);

}  // namespace scenario
