// What executions of a search have shown: gathered by the threads of a search, each in chunks of
// its own, and joined in order.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model/crash/enumeration_count.h"
#include "model/crash/state_count.h"
#include "model/scenario/coverage.h"
#include "model/scenario/execution.h"
#include "sim/engine/digest.h"
#include "sim/engine/finding.h"
#include "sim/engine/strategy.h"
#include "sim/lockdep/validator.h"
#include "sim/locking/hold_and_wait.h"
#include "sim/locking/lock_stat.h"
#include "sim/race/guard_table.h"

namespace scenario {

// Numbers, and tables of them.
struct Tally {
  uint64_t redundant = 0;  // executions given up as such
  uint64_t turns = 0, most_turns = 0, most_actors = 0;
  uint64_t clock_reads = 0, beyond_limit = 0;  // executions
  model::StateCount crash_states;
  model::EnumerationCount enumerated;
  CoverageTable coverage;
  sim::LockStat lock_stat;

  // The executions of `other` are then numbered from `first` on.
  void Merge(const Tally& other, int64_t first);
};

// How an execution went, to have it again.
struct Way {
  std::vector<sim::ScheduleRun> schedule;  // of a systematic search; others have them by number
  bool given_up = false;                   // by the strategy, after these turns
  sim::Digest digest;
};

using FindingKey = std::pair<std::string, std::string>;  // kind and message

// Of some executions, in order, with a lock graph of their own.
struct Chunk {
  struct FoundIn {
    sim::Finding finding;
    int64_t execution = 0;  // the first
    uint64_t count = 0;
  };

  Tally tally;
  std::unique_ptr<sim::Validator> locks = std::make_unique<sim::Validator>();
  sim::GuardTable guards;
  std::vector<FoundIn> findings;       // in order of first sight
  std::map<FindingKey, size_t> index;  // of `findings`
  std::vector<std::pair<std::vector<sim::HoldAndWait>, int64_t>> deadlocks;  // and the execution
  std::vector<sim::Digest> digests;  // of those that are not redundant
  int64_t disagreed_in = 0;          // the execution of the first disagreement
  std::map<int64_t, Way> ways;       // of executions that showed something new

  int64_t runs() const { return static_cast<int64_t>(digests.size() + tally.redundant); }
  // Grows when something new is shown, but for what is only counted.
  uint64_t learnt() const {
    return locks->things_learnt() + guards.rows().size() + findings.size() + deadlocks.size();
  }
  void Keep(ExecutionResult& result, int64_t number);
};

}  // namespace scenario
