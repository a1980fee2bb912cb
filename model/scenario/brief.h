// JSON as people write scenarios: without what goes without saying, an operation on a line.
#pragma once

#include <string>

#include "nlohmann/json_fwd.hpp"

namespace scenario {

// `json` less every key that has its default value; what is left means the same, as long as the
// defaults stay what they are. Requires: `json` follows `schema` (schema.h).
nlohmann::ordered_json WithoutDefaults(const nlohmann::ordered_json& json,
                                       const nlohmann::ordered_json& schema);

// On one line. ...
std::string OneLine(const nlohmann::ordered_json& json);
// ... Objects and lists that do not fit into 100 columns have a line for each member.
std::string LaidOut(const nlohmann::ordered_json& json);

}  // namespace scenario
