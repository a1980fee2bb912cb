// Whether the names of a recovered state are those that its transactions have made: each creation,
// unlink and rename of the history is there as a whole, if its transaction is recovered, or not at
// all. So a name that a rename gives to another file leads to the one or to the other, always.
//
// Not judged: directories, and names of files that the history does not know.
#pragma once

#include <vector>

#include "model/crash/history.h"
#include "model/crash/metadata_check.h"

namespace model {

// `tree` is the state as of transaction `recovered`.
std::vector<MetadataFault> CheckNames(const History& history, const RecoveredTree& tree,
                                      Tid recovered);

}  // namespace model
