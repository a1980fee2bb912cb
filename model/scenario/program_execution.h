// One execution of a lock program: a world with threads and locks, and nothing else.
#pragma once

#include "model/program/machine.h"
#include "model/scenario/execution.h"

namespace scenario {

class ProgramExecution {
 public:
  // As RunExecution(). Requires: bench.RunsProgram().
  ProgramExecution(Workbench& bench, const ExecutionOptions& options, sim::Strategy& strategy,
                   sim::Validator& locks);
  ~ProgramExecution() { world_ = nullptr; }

  ExecutionResult Run();

 private:
  // The world goes first, so that tasks which are unwound still find what they refer to.
  std::unique_ptr<sim::World> world_;
  sim::LockTracker tracker_;
  model::Machine machine_;
};

}  // namespace scenario
