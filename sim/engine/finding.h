// Something that a checker or the engine found wrong with an execution: plain data.
#pragma once

#include <cstdint>
#include <string>

#include "sim/engine/ids.h"

namespace sim {

struct Finding {
  // One word, as in result files: "deadlock", "lock_misuse", ...; each checker's header names its.
  std::string kind;
  // One line, the same for every occurrence of the same fault: findings are counted by it.
  std::string message;
  // The report: any number of lines.
  std::string detail;
  uint64_t step = 0;  // the step of the execution at which it was noticed
  Nanos at = 0;       // and the virtual time
};

}  // namespace sim
