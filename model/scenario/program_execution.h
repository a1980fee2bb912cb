// One execution of a lock program: a world with threads and locks, and nothing else.
#pragma once

#include "model/scenario/execution.h"

namespace scenario {

// As RunExecution(), of a lock program in a world like `world_options`.
ExecutionResult RunProgram(const model::LockProgram& program, sim::WorldOptions world_options,
                           const ExecutionOptions& options, sim::Strategy& strategy,
                           sim::Validator& locks, sim::StackPool& stacks,
                           sim::StackTable& stack_table);

}  // namespace scenario
