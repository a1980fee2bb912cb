// A scenario's lock program, from names and blocks to instructions.
#pragma once

#include <memory>
#include <vector>

#include "model/program/program.h"
#include "model/scenario/reader.h"
#include "model/scenario/scenario.h"
#include "sim/lockdep/validator.h"

namespace scenario {

// Adds what is wrong to `problems`: names that are not declared or declared twice, expressions,
// registers that nothing sets before, blocks that do not match, operations that do not go with the
// kind of their lock or variable. The result is of use only if there was nothing.
// Requires: scenario.program.
std::unique_ptr<model::LockProgram> CompileProgram(const Scenario& scenario,
                                                   std::vector<Problem>& problems);
// The same of a scenario that was checked; null if it has none.
std::unique_ptr<model::LockProgram> CompiledProgram(const Scenario& scenario);

// What was learnt of locks points into the program: keeps the two together.
std::shared_ptr<const sim::Validator> KeepWith(std::shared_ptr<const model::LockProgram> program,
                                               std::shared_ptr<const sim::Validator> locks);

}  // namespace scenario
