// Trace files: a finding, and everything that makes it happen again. Or a recording: an execution
// that was found to be right; its finding has an empty kind and message.
//
//   {"crashdep_trace": 1,
//    "finding": {"kind", "message"},
//    "scenario": the scenario, whole, with every default,
//    "runs": [{"execution", "seed", "schedule", "digest"}],
//    "events": [[turn, time_ns, actor, what, subject, frame]]}
//
// A crash, a deadlock or a recording takes one run. An inversion may take several, one for each
// order that was seen; they are replayed one after the other, with one lock graph. Events are those
// of the last run: for people, not needed for the replay.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/scenario/scenario.h"
#include "nlohmann/json_fwd.hpp"
#include "sim/engine/digest.h"
#include "sim/engine/event_log.h"
#include "sim/engine/finding.h"
#include "sim/engine/strategy.h"
#include "sim/lockdep/report.h"
#include "sim/lockdep/validator.h"

namespace scenario {

struct TracedRun {
  int64_t execution = 0;  // its number in the search
  uint64_t seed = 0;
  std::vector<sim::ScheduleRun> schedule;
  sim::Digest digest;
  sim::EventLog log;
};

nlohmann::ordered_json MakeTrace(const Scenario& scenario, const sim::Finding& finding,
                                 const std::vector<TracedRun>& runs);

// What a trace file says, checked.
struct Trace {
  Scenario scenario;
  std::string kind, message;    // both empty: a recording
  std::vector<TracedRun> runs;  // without their logs
};
absl::StatusOr<Trace> ReadTrace(const nlohmann::ordered_json& trace);

// A lock report as a finding, and the executions whose orders it rests on.
sim::Finding FindingOf(const sim::LockReport& report);
std::vector<int64_t> ExecutionsOf(const sim::LockReport& report);

}  // namespace scenario
