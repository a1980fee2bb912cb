// What happened in an execution, event by event, for people and for trace files.
//
// Written only when asked for: nothing else depends on it.
#pragma once

#include <string>
#include <vector>

#include "sim/engine/ids.h"

namespace sim {

struct LoggedEvent {
  uint64_t turn = 0;
  Nanos at = 0;
  std::string actor;    // the task's name, or "irq"
  std::string what;     // "lock", "unlock", "wait", "submit", "complete"
  std::string subject;  // "i_data_sem of inode 12"
  std::string frame;    // the innermost modelled function
};

struct EventLog {
  std::vector<LoggedEvent> events;
};

}  // namespace sim
