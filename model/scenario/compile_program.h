// A scenario's lock program, from names and blocks to instructions.
#pragma once

#include <memory>
#include <vector>

#include "model/program/program.h"
#include "model/scenario/reader.h"
#include "model/scenario/scenario.h"

namespace scenario {

// Adds what is wrong to `problems`: names that are not declared or declared twice, expressions,
// registers that nothing sets before, blocks that do not match, operations that do not go with the
// kind of their lock. The result is of use only if there was nothing.
// Requires: scenario.program.
std::unique_ptr<model::LockProgram> CompileProgram(const Scenario& scenario,
                                                   std::vector<Problem>& problems);

}  // namespace scenario
