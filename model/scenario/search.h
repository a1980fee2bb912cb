// A scenario's search: which executions are run, and what is kept of each.
//
// Two ways. Sampled: execution n is a function of the search and n, so they are shared out over
// threads in chunks. Systematic: all executions there are, as a tree (sim/explore/systematic.h), of
// which threads take subtrees; what they show is put together in the tree's order. What comes out
// is the same for any number of threads.
//
// A search can be kept (search_keeper.h, checkpoint.h) wherever what was run so far has been put
// together, and gone on with by a later one. A limit, the time or an interrupt may cut off what
// threads are at; what was cut off is in the result of this search, but not in what is kept: a
// later one runs it again.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/crash/enumeration_check.h"
#include "model/program/lock_instances.h"
#include "model/scenario/checkpoint.h"
#include "model/scenario/execution.h"
#include "model/scenario/lock_cycle_judge.h"
#include "model/scenario/runner.h"
#include "model/scenario/search_keeper.h"
#include "model/scenario/shown.h"
#include "model/scenario/trace_file.h"
#include "sim/explore/systematic.h"

namespace scenario {

class Search {
 public:
  // All must outlive the search. `keeper` may be null.
  Search(const Scenario& scenario, const RunOptions& options, SearchKeeper* keeper,
         ProgressFn progress);

  // Once. Failure: only of what was kept before.
  absl::StatusOr<ScenarioResult> Run();

 private:
  // search.cc: running.
  void RunSampled();
  void RunChunk(Workbench& bench, int64_t first, int64_t end, Chunk& chunk);
  void RunSystematic();
  // False: the search ends here.
  bool RunBatch(const std::vector<std::unique_ptr<sim::SystematicStrategy>>& parts);
  // False: it was cut off.
  bool RunPart(Workbench& bench, sim::SystematicStrategy& part, int64_t limit, Chunk& chunk);
  // Runs so many chunks on all threads, and joins each as soon as those before have been.
  void RunChunks(size_t count, const std::function<void(Workbench&, size_t, Chunk&)>& run,
                 const std::function<void(size_t, Chunk&)>& join);
  ExecutionOptions OptionsFor(int64_t number, Chunk& chunk) const;
  // That which `--enumerate` looks with; none if it was not asked for.
  std::optional<model::EnumerationCheck> NewEnumerationCheck() const;
  // Of the execution that has just ended; `learnt_before` the chunk had learnt before it.
  void Keep(ExecutionResult& result, int64_t number, uint64_t learnt_before,
            const std::optional<model::EnumerationCheck>& check, Chunk& chunk);
  bool IsCutOff();
  int64_t runs() const { return static_cast<int64_t>(result_.executions + tally_.redundant); }

  // search_result.cc: what comes of it.
  // Adds what comes next in order; executions are then numbered from `first` on.
  void Join(Chunk& chunk, int64_t first);
  bool MergeLocks(const sim::Validator& locks, int64_t first, std::set<int64_t>& needed);
  ScenarioResult Result();
  double EstimateExecutions() const;
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

  // search_checkpoint.cc: keeping it and going on with it.
  void KeepSearch();
  void KeepSearchIfDue();
  Checkpoint ToCheckpoint() const;
  absl::Status GoOn();
  absl::Status LearnAgain(const CheckpointFile& file);
  absl::Status RunAgain(Workbench& bench, const CheckpointFile& file, size_t index,
                        Chunk& chunk) const;

  const Scenario& scenario_;
  const RunOptions& options_;
  SearchKeeper* keeper_ = nullptr;
  ProgressFn progress_;
  std::shared_ptr<const model::LockProgram> program_;  // null: there is a file system
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  LockCycleJudge judge_;
  std::optional<model::LockInstances> instances_;    // when needed
  std::vector<std::unique_ptr<Workbench>> benches_;  // by thread
  std::unique_ptr<sim::SearchTree> tree_;            // of a systematic search
  std::atomic<uint64_t> executions_done_ = 0;
  std::atomic<bool> out_of_time_ = false, interrupted_ = false;
  bool complete_ = false;  // a systematic search came to its end
  // Something that was cut off has been joined: from here on nothing can be kept.
  bool is_past_cut_ = false;
  int64_t runs_kept_ = 0;  // so many had been run when the search was kept last
  // What has been joined.
  Tally tally_;
  std::unique_ptr<sim::Validator> locks_ = std::make_unique<sim::Validator>();
  std::map<int64_t, Way> ways_;  // of executions that showed something first
  sim::Digest128 digest_;
  ScenarioResult result_;
  std::map<FindingKey, size_t> index_;  // of result_.findings
};

}  // namespace scenario
