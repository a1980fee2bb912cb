// One list of a lock program's operations, from names and blocks to instructions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/program/program.h"
#include "model/scenario/reader.h"
#include "model/scenario/scenario.h"

namespace scenario {

// Where the elements of a declared name are among the objects of its kind.
struct Range {
  uint32_t first = 0;
  int64_t count = 0;  // 0: no array
};
using Ranges = std::map<std::string, Range, std::less<>>;

struct DeclaredNames {
  Ranges locks, events, variables, queues, works;
};

// Sets `routine.code` and `routine.registers`. `pointer`: where the list is in the scenario's JSON;
// `program`: what has been declared, and takes the texts that instructions point to. Adds what is
// wrong to `problems`.
void CompileOps(const std::vector<Op>& ops, const std::string& pointer, const DeclaredNames& names,
                model::LockProgram& program, model::Routine& routine,
                std::vector<Problem>& problems);

}  // namespace scenario
