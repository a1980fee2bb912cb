#include "model/scenario/program_execution.h"

#include "sim/waitfor/wait_graph.h"

namespace scenario {

ProgramExecution::ProgramExecution(Workbench& bench, const ExecutionOptions& options,
                                   sim::Strategy& strategy, sim::Validator& locks)
    : world_(std::make_unique<sim::World>(bench.WorldOf(options), strategy, bench.stacks_,
                                          bench.stack_table_)),
      tracker_(*world_, locks, options.checks_locks),
      machine_(*world_, *bench.program_) {
  world_->set_event_log(options.log);
}

ExecutionResult ProgramExecution::Run() {
  const sim::ExecutionEnd end = world_->Run();
  if (end != sim::ExecutionEnd::kFinished && end != sim::ExecutionEnd::kAbandoned) {
    world_->Report(sim::ExplainEnd(*world_, end));
  }
  ExecutionResult result;
  result.findings = world_->findings();
  result.schedule = world_->schedule();
  result.digest = world_->digest().Value();
  result.turns = world_->turns();
  return result;
}

}  // namespace scenario
