// What the shell and a CI learn.
#pragma once

#include <algorithm>

namespace tools {

enum class ExitCode {
  kAsExpected = 0,
  kNotAsExpected = 1,
  kBadInput = 2,
  kOwnFault = 3,  // a broken SIM_CHECK or an exception nobody expected
};

// Of two things that happened in one run; bad input outweighs a failed scenario, because the
// verdict on the rest is then not the verdict on what was asked.
inline ExitCode Worse(ExitCode a, ExitCode b) { return std::max(a, b); }

}  // namespace tools
