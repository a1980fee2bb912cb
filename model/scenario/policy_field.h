// How the model tells the parser which policies there are.
#pragma once

#include <string_view>

namespace scenario {

// A decision of the kernel that a scenario may reverse. False, the default, is what the kernel
// does.
struct PolicyField {
  std::string_view name;    // the key in "policy"
  std::string_view about;   // what the model does differently when true
  std::string_view source;  // kernel commit or thread
};

}  // namespace scenario
