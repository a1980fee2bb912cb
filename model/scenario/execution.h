// One execution of a scenario: a world with a device, a file system and threads, run to its end and
// looked at by every checker.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "model/crash/crash_checker.h"
#include "model/ext4/ext4.h"
#include "model/scenario/scenario.h"
#include "sim/engine/event_log.h"
#include "sim/engine/world.h"

namespace scenario {

// What executions of one thread of the host share; only memory and what has been learnt of locks
// passes from one to the next.
struct Workbench {
  sim::StackPool stacks;
  sim::StackTable stack_table;
  sim::Validator validator;
};

struct ExecutionResult {
  // Lock reports are not among them: they are the validator's, which sees many executions.
  std::vector<sim::Finding> findings;
  std::vector<sim::ScheduleRun> schedule;
  sim::Digest digest;
  uint64_t turns = 0;
  model::StateCount crash_states;
};

// `index` is the execution's number within the search. With `log`, which may be null, everything
// that happens is written there. Requires: CheckFits().
ExecutionResult RunExecution(const Scenario& scenario, uint64_t seed, uint64_t index,
                             sim::Strategy& strategy, Workbench& bench,
                             sim::EventLog* log = nullptr);

}  // namespace scenario
