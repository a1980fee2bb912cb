// What a workload wrote with tags (model/recorded/content_rules.h), as a text: a line for each
// write,
//
//   PATH OFFSET LENGTH TAG
//
// with offset and length in bytes and the tag in hexadecimal. Empty lines and those that begin with
// "#" are skipped.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/recorded/content_rules.h"

namespace tools {

using TaggedWrites = std::map<std::string, std::vector<model::TaggedWrite>>;

// Failure: "name:line: why".
absl::StatusOr<TaggedWrites> ParseTags(const std::string& name, std::string_view text);

// The reverse. Requires: there is no space in a path.
std::string TagText(const TaggedWrites& writes);

}  // namespace tools
