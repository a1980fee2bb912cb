// A scenario's search: which executions are run, and what is kept of each.
//
// Two ways. Sampled: execution n is a function of the search and n, so they are shared out over
// threads in chunks. Systematic: all executions there are, as a tree (sim/explore/systematic.h), of
// which threads take subtrees; what they show is put together in the tree's order. What comes out
// is the same for any number of threads.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/crash/enumeration_check.h"
#include "model/program/lock_instances.h"
#include "model/scenario/execution.h"
#include "model/scenario/lock_cycle_judge.h"
#include "model/scenario/runner.h"
#include "model/scenario/trace_file.h"
#include "sim/explore/systematic.h"

namespace scenario {

class Search {
 public:
  // All must outlive the search.
  Search(const Scenario& scenario, const RunOptions& options, ProgressFn progress);

  // Once.
  ScenarioResult Run();

 private:
  struct FoundIn {
    sim::Finding finding;
    int64_t execution = 0;  // the first
    uint64_t count = 0;
  };
  using FindingKey = std::pair<std::string, std::string>;  // kind and message
  // What some executions, in order, have shown, with a lock graph of their own.
  struct Chunk {
    std::unique_ptr<sim::Validator> locks = std::make_unique<sim::Validator>();
    sim::GuardTable guards;
    sim::LockStat lock_stat;
    CoverageTable coverage;
    std::vector<FoundIn> findings;       // in order of first sight
    std::map<FindingKey, size_t> index;  // of `findings`
    std::vector<std::pair<std::vector<sim::HoldAndWait>, int64_t>> deadlocks;  // and the execution
    std::vector<sim::Digest> digests;
    uint64_t turns = 0, most_turns = 0, most_actors = 0;
    uint64_t clock_reads = 0, beyond_limit = 0;  // executions
    model::StateCount crash_states;
    model::EnumerationCount enumerated;
    int64_t disagreed_in = 0;  // the execution of its first disagreement
    // Of a part of a systematic search: executions given up as redundant, and the schedules of
    // those that showed something new.
    uint64_t redundant = 0;
    std::map<int64_t, std::vector<sim::ScheduleRun>> schedules;

    int64_t runs() const { return static_cast<int64_t>(digests.size() + redundant); }
  };

  void RunSampled();
  void RunRound(int64_t first, int64_t end);
  void RunChunk(Workbench& bench, int64_t first, int64_t end, Chunk& chunk);
  void RunSystematic();
  void RunPart(Workbench& bench, sim::SystematicStrategy& part, int64_t limit, Chunk& chunk);
  // Makes so many chunks, and `run`s each of them, on all threads.
  void RunChunks(size_t count, const std::function<void(Workbench&, size_t)>& run);
  double EstimateExecutions() const;
  // That which `--enumerate` looks with; none if it was not asked for.
  std::optional<model::EnumerationCheck> NewEnumerationCheck() const;
  static void KeepEnumerated(const std::optional<model::EnumerationCheck>& check, int64_t number,
                             Chunk& chunk);
  // True: it has shown something that the chunk had not seen.
  bool Keep(ExecutionResult& result, int64_t number, Chunk& chunk);
  bool OutOfTime();

  // Adds to all_ and result_ what comes next in order; executions are then numbered from `first`
  // on.
  void Join(Chunk& chunk, int64_t first);
  ScenarioResult Result();
  std::vector<std::string> Bounds() const;
  void AddLockReports();
  void AddCycle(const sim::LockReport& report);
  // By what the threads of a lock program can hold at all, why the cycle is no deadlock; or empty.
  std::string WhyApart(const sim::LockReport& report);
  // `executions`: those that lead to it, ascending.
  FoundFinding& Add(const sim::Finding& finding, const std::vector<int64_t>& executions,
                    uint64_t count = 1);
  // Runs the execution again, for its schedule and events, and for the detail of `finding`, if it
  // is not null and has none yet.
  TracedRun RunOf(int64_t number, sim::Finding* finding) const;

  const Scenario& scenario_;
  const RunOptions& options_;
  ProgressFn progress_;
  std::shared_ptr<const model::LockProgram> program_;  // null: there is a file system
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  LockCycleJudge judge_;
  std::optional<model::LockInstances> instances_;    // when needed
  std::vector<std::unique_ptr<Workbench>> benches_;  // by thread
  std::vector<Chunk> chunks_;                        // of a round
  std::atomic<uint64_t> executions_done_ = 0;
  std::atomic<bool> out_of_time_ = false;
  bool complete_ = false;  // a systematic search came to its end
  // What has been joined: as one chunk but for its findings, deadlocks, digests and schedules no
  // longer needed, and as a result.
  Chunk all_;
  sim::Digest128 digest_;
  ScenarioResult result_;
  std::map<FindingKey, size_t> index_;  // of result_.findings
};

}  // namespace scenario
