// What must hold between the values of a scenario, beyond each value's own range.
#pragma once

#include <vector>

#include "model/scenario/reader.h"
#include "model/scenario/scenario.h"

namespace scenario {

// Adds the files that operations name and `files` does not have, empty. One that some thread
// creates does not exist at first. When `files` has any entry, only created files may be left out
// of it.
void CompleteFiles(Scenario& scenario);

// Requires a Scenario as ReadScenario() leaves it when nothing is wrong. Checked are:
// - names of files and of threads are unique, and every thread does something;
// - a file that an operation names is declared or created, unless none is declared;
// - the device holds its layout, the journal and the files, and is a whole number of blocks;
// - blocks, inodes, latencies, dirty limits and faults make sense together;
// - a lock program makes sense (compile_program.h);
// - a scenario with `without_policy` has a policy to leave out.
std::vector<Problem> CheckScenario(const Scenario& scenario);

}  // namespace scenario
