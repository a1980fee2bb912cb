// What happened in an execution, event by event, for people and for trace files.
//
// Written only when asked for: nothing else depends on it. Each layer names what it logs:
//
//   sim/engine   park, resume    the task waits for `subject`, which those in `note` could end; it
//                                goes on ("timed out": in vain)
//                wake            it ends the wait of the task `subject`
//   sim/locking  lock, trylock   asks for it, and has it unless it parks for it next; has it
//                unlock          gives up what `owner` had taken
//                hand_over       leaves the unlock, which has no owner then, to a completion
//                downgrade       from exclusive to shared
//                owe             has to bring the event about, until its unlock
//                might_wait      might have to wait for whoever has it; for the lock checker alone
//   sim/block    submit, complete
//                flushed         the flush before the write has completed: now it writes
//
// What is above adds its own: model/jbd2/transaction.h, model/scenario/thread_body.h,
// model/program/machine.h.
#pragma once

#include <string>
#include <vector>

#include "sim/engine/ids.h"

namespace sim {

struct LoggedEvent {
  static constexpr uint64_t kNoId = UINT64_MAX;

  // Filled in by World::Log().
  uint64_t turn = 0;  // the first one is 1
  Nanos at = 0;
  TaskId task;        // none: an event
  std::string actor;  // the task's name, or "irq"
  std::string frame;  // the innermost modelled function

  std::string what;
  std::string subject;  // "i_data_sem of inode 12"
  // Of the subject among those of its kind: its ObjectId, its TaskId, its BioId, ...
  uint64_t id = kNoId;
  bool shared = false;  // of a lock that is taken
  TaskId owner;         // of an unlock; none: a completion's
  std::string note;
};

struct EventLog {
  std::vector<LoggedEvent> events;
};

}  // namespace sim
