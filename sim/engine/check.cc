#include "sim/check.h"

#include <cstdio>
#include <cstdlib>

namespace sim {

void CheckFailed(const char* condition, const char* file, int line) {
  std::fflush(stdout);
  std::fprintf(stderr,
               "crashdep: fault of crashdep itself: %s:%d: check failed: %s\n"
               "Please report it with the command line and the scenario or trace that was run.\n",
               file, line, condition);
  std::fflush(stderr);
  std::_Exit(3);
}

}  // namespace sim
