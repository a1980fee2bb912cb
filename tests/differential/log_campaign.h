// Two crash checkers on the same executions: that of the model, and that of recordings, which is
// given nothing but the execution's log of writes, the device before and the tags.
//
// A log can tell fewer states than there are. So:
//   - what is found in the log is found in the model: the same kind of damage to the same file;
//   - what is found in the model is found in the log wherever the log can tell the state of the
//     finding, and the tags and marks tell that it is wrong (they do not tell that a truncate had
//     removed something, nor that a file never had zeros).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/scenario/scenario.h"

namespace differential {

struct LogResult {
  uint64_t executions = 0;                 // compared: those with long logs are not
  uint64_t refused = 0;                    // of these, those that the checker has said are too much
  uint64_t clean = 0;                      // for both
  uint64_t found = 0;                      // in the model
  uint64_t told = 0;                       // of these, states that the log can tell
  uint64_t found_in_logs = 0;              // findings
  std::vector<std::string> disagreements;  // one line each
};

// The first `executions` of the scenario's search.
void CompareLogs(const scenario::Scenario& scenario, int64_t executions, LogResult& result);
// Of so many random scenarios, a third of them with a rule broken.
void CompareRandomLogs(uint64_t seed, uint64_t scenarios, LogResult& result);

// For people.
std::string Summary(const LogResult& result);

}  // namespace differential
