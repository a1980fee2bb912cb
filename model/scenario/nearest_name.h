// The name that somebody who misspelt one probably meant.
#pragma once

#include <string>
#include <string_view>

#include "absl/types/span.h"

namespace scenario {

// The least edit distance (insert, delete, replace, swap two neighbours; one each) of `name` to any
// of `known`, when at most a third of the longer name is wrong; the first of equals. Else empty.
std::string_view NearestName(std::string_view name, absl::Span<const std::string_view> known);

// "; did you mean \"...\"?" or nothing.
std::string Suggestion(std::string_view name, absl::Span<const std::string_view> known);

// A message is one short line: `text` quoted, its control characters escaped, its end cut.
std::string Quoted(std::string_view text);

}  // namespace scenario
