// The smallest scenario that still shows a trace's finding, and a short way there.
//
// Smaller scenarios are tried one after the other, each with a search of its own; one in which the
// finding is there again takes the place of the one before. In this order, each until none of its
// steps leads on: fewer operations, fewer threads, fewer files and policies, fewer switches between
// actors on the way (with few preemptions, then by putting turns of one actor together), smaller
// sizes.
//
// *The same finding* has the same kind, and the same message but for its numbers (offsets and
// counts become smaller, too). The message of a deadlock names everybody who is stuck; it is the
// same if nobody waits for a class that nobody waited for before. Nothing else may be found that
// the scenario did not show before: or else to leave out an unlock would be to shrink.
//
// What a crash leaves is the smallest state that shows the finding (model/crash/minimal_state.h),
// in each execution; so it becomes smaller with the scenario.
//
// A smaller one that takes several steps at once, or one of the first again after the last, may
// exist: shrink what came out. Steps that a search of `search.executions` executions (at least 256,
// at most 4,096) finds nothing in are given up, though a longer one might. Everything is a function
// of the trace.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace scenario {

// What shrinking makes less of, summed over the trace's executions.
struct TraceSize {
  size_t operations = 0, threads = 0;
  size_t turns = 0;
  size_t switches = 0;  // from one actor to another
  int64_t bytes = 0;    // of offsets, lengths and sizes in the scenario

  bool operator==(const TraceSize&) const = default;
};

struct ShrinkResult {
  std::string kind, message;  // as it is found now
  std::string detail;         // what the last run tells of it: empty if it takes several runs
  TraceSize before, after;
  int64_t scenarios = 0;         // tried
  uint64_t executions = 0;       // run for it
  bool out_of_budget = false;    // there was more to try
  nlohmann::ordered_json trace;  // for ReplayTrace()
};

// `jobs`: threads; change no result.
// Failure: not a trace, a recording, which has no finding, or one whose finding does not come
// again.
absl::StatusOr<ShrinkResult> ShrinkTrace(const nlohmann::ordered_json& trace, int jobs);

}  // namespace scenario
