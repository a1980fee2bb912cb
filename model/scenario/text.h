// Putting text together.
//
// Debian's Abseil has a string_view of its own, which std::string_view does not convert to; these
// take both, and numbers.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include "absl/strings/str_cat.h"

namespace scenario {

inline absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

// All parts, one after the other.
template <class... Parts>
std::string Cat(const Parts&... parts) {
  std::string out;
  const auto append = [&out](const auto& part) {
    if constexpr (std::is_convertible_v<decltype(part), std::string_view>) {
      out.append(std::string_view(part));
    } else {
      absl::StrAppend(&out, part);
    }
  };
  (append(parts), ...);
  return out;
}

// All items with `separator` between them.
template <class Range>
std::string Join(const Range& items, std::string_view separator) {
  std::string out;
  bool first = true;
  for (const auto& item : items) {
    if (!first) out.append(separator);
    first = false;
    out.append(Cat(item));
  }
  return out;
}

}  // namespace scenario
