// One execution of a scenario: a world with a device, a file system and threads, run to its end and
// looked at by every checker.
//
// What is the same at the start of each is made once: see Workbench.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "model/crash/crash_checker.h"
#include "model/ext4/ext4.h"
#include "model/program/program.h"
#include "model/scenario/coverage.h"
#include "model/scenario/runner.h"
#include "model/scenario/scenario.h"
#include "model/scenario/thread_body.h"
#include "sim/engine/event_log.h"
#include "sim/engine/world.h"
#include "sim/locking/hold_and_wait.h"
#include "sim/race/guard_table.h"

namespace scenario {

struct ExecutionOptions;
struct ExecutionResult;

// What a scenario's executions on one thread of the host share. Only memory passes from one to the
// next.
class Workbench {
 public:
  // Requires: CheckFits(scenario). The scenario must outlive it; so must `program`, its lock
  // program compiled (null: it has none), which must outlive what is learnt of locks, too.
  Workbench(const Scenario& scenario, const model::LockProgram* program);
  Workbench(const Workbench&) = delete;
  Workbench& operator=(const Workbench&) = delete;

 private:
  friend class Execution;
  friend uint64_t ExpectedTurns(const SearchConfig& search, Workbench& bench);
  friend ExecutionResult RunExecution(Workbench& bench, const ExecutionOptions& options,
                                      sim::Strategy& strategy, sim::Validator& locks);

  const Scenario& scenario_;
  const model::LockProgram* program_ = nullptr;
  model::Ext4Options fs_;
  model::Policy policy_;
  sim::DeviceConfig device_;
  // The file system before the first mount.
  model::ImageStore images_;
  model::GranuleTable granules_;
  model::History history_{granules_};
  std::shared_ptr<const std::vector<model::SectorContent>> disk_;

  std::vector<std::vector<std::string>> calls_;  // CallText(), by thread and operation

  sim::StackPool stacks_;
  sim::StackTable stack_table_;
  uint64_t expected_turns_ = 0;  // 0: not known yet
};

// Sees what the threads call and what reaches the device, and what it means.
class ExecutionRecorder : public sim::BioListener, public CallListener {
 public:
  // The execution has ended. `before`: the device before the first mount.
  virtual void OnEnd(const model::Geometry& geometry, const model::ImageStore& images,
                     const model::History& history,
                     const std::vector<model::SectorContent>& before) = 0;
};

struct ExecutionOptions {
  uint64_t number = 0;  // within the search
  uint64_t seed = 0;
  bool keeps_schedule = false;
  bool checks_locks = true;      // false: to measure what that costs
  sim::EventLog* log = nullptr;  // if not null, everything that happens is written there
  // If not null, data races are looked for, and what is learnt of fields gathers there.
  sim::GuardTable* guards = nullptr;
  sim::LockStat* lock_stat = nullptr;      // if not null, waits and holds are measured
  bool tells_stories = false;              // crash findings have a detail
  model::CrashWatcher* watcher = nullptr;  // if not null, sees every crash family
  bool covers = false;                     // say what the execution came across
  ExecutionRecorder* recorder = nullptr;   // may be null; not told of lock programs
};

struct ExecutionResult {
  // Lock reports are not among them: they are the validator's, which sees many executions.
  std::vector<sim::Finding> findings;
  std::vector<sim::ScheduleRun> schedule;  // if it is kept
  sim::Digest digest;
  uint64_t turns = 0;
  uint64_t actors = 0;                       // tasks and events
  bool clock_read = false;                   // something was decided by the time
  bool beyond_limit = false;                 // a fair scheduler went on after max_steps
  bool abandoned = false;                    // by the strategy, before its end
  std::vector<sim::HoldAndWait> deadlocked;  // if it ended in a deadlock: who holds and wants what
  model::StateCount crash_states;
  ExecutionCoverage coverage;  // if asked for
};
// What the engine knows at the end.
ExecutionResult ResultOf(const sim::World& world, sim::ExecutionEnd end);

// The policies as the scenario has them.
model::Policy PolicyOf(const Scenario& scenario);

// What has been learnt of locks gathers in `locks`.
ExecutionResult RunExecution(Workbench& bench, const ExecutionOptions& options,
                             sim::Strategy& strategy, sim::Validator& locks);

// What a caller chooses instead of what the scenario says; jobs are not its business.
Scenario WithOptions(Scenario scenario, const RunOptions& options);

// Twice what a timed execution takes: for strategies that must know how long others will be.
uint64_t ExpectedTurns(const SearchConfig& search, Workbench& bench);

// The execution of that number in the search; `options` says what else is wanted.
// Requires: the search is not systematic.
ExecutionResult RunNumber(const SearchConfig& search, int64_t number, Workbench& bench,
                          sim::Validator& locks, ExecutionOptions options = {});

}  // namespace scenario
