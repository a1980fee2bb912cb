// SIM_CHECK: a condition that only a fault of this program can break; on in every build.
//
// Trouble of the modelled world is an Errno, trouble that the simulator found is a Finding, and
// bad input is an absl::Status; none of them comes here. A broken check says where, how to report
// it, and ends the process with exit code 3.
#pragma once

namespace sim {

[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace sim

#define SIM_CHECK(condition)                    \
  (__builtin_expect(!!(condition), 1) ? (void)0 \
                                      : ::sim::CheckFailed(#condition, __FILE__, __LINE__))
