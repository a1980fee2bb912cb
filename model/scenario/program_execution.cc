#include "model/scenario/program_execution.h"

#include <algorithm>
#include <optional>

#include "model/program/machine.h"
#include "model/scenario/final_state.h"
#include "sim/race/race_checker.h"
#include "sim/waitfor/liveness.h"

namespace scenario {

ExecutionResult RunProgram(const model::LockProgram& program, sim::WorldOptions world_options,
                           const ExecutionOptions& options, sim::Strategy& strategy,
                           sim::Validator& locks, sim::StackPool& stacks,
                           sim::StackTable& stack_table) {
  sim::LivenessWatch liveness;
  sim::FairStrategy fair(liveness);
  world_options.beyond_limit = &fair;
  // Both outlive the world's tasks.
  std::optional<model::Machine> machine;
  std::optional<sim::LockTracker> tracker;
  sim::World world(world_options, strategy, stacks, stack_table);
  std::optional<sim::RaceChecker> races;
  world.set_event_log(options.log);
  tracker.emplace(world, locks, options.checks_locks);
  if (options.lock_stat != nullptr) tracker->set_stat(*options.lock_stat);
  if (options.guards != nullptr &&
      std::any_of(program.variables.begin(), program.variables.end(),
                  [](const model::VariableDecl& variable) { return variable.MayRace(); })) {
    races.emplace(world, *options.guards);
  }
  machine.emplace(world, program);
  const sim::ExecutionEnd end = world.Run();
  const bool ended_well =
      end == sim::ExecutionEnd::kFinished || end == sim::ExecutionEnd::kAbandoned;
  if (!ended_well) world.Report(sim::ExplainEnd(world, end, liveness));
  ExecutionResult result = ResultOf(world, end);
  if (options.covers) result.coverage.final_states = {FinalState(world, end, *machine)};
  return result;
}

}  // namespace scenario
