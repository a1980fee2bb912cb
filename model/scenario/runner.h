// Runs a scenario's search, writes one execution of it down, and replays executions from a trace.
//
// Results are a function of scenario and options: the same everywhere, however many jobs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "model/crash/enumeration_count.h"
#include "model/scenario/coverage.h"
#include "model/scenario/scenario.h"
#include "model/scenario/search_keeper.h"
#include "nlohmann/json.hpp"
#include "sim/engine/event_log.h"
#include "sim/lockdep/validator.h"
#include "sim/locking/lock_stat.h"
#include "sim/race/guard_table.h"

namespace scenario {

// What a caller may choose instead of what the scenario says.
struct RunOptions {
  std::optional<StrategyKind> strategy;
  std::optional<uint64_t> seed;
  std::optional<int64_t> executions;
  std::optional<int64_t> pct_depth, max_preemptions;
  // Every execution that matters, until there are no more, whatever the scenario's search is.
  bool complete = false;
  std::optional<int64_t> max_seconds;  // of real time for each search, which then is cut off
  int jobs = 1;  // threads for the executions of this scenario; changes no result
  // So much of each subtree of a systematic search is searched before what is left of it is given
  // to all threads again. Which execution comes when depends on it, but not which there are.
  int64_t part_executions = 4'096;
  bool races = true;       // look for data races
  bool confirms = true;    // look for the deadlock of each lock cycle, or for the proof of none
  bool guards = false;     // say which locks were held at accesses to fields; requires `races`
  bool coverage = false;   // say what the search has come across
  bool lock_stat = false;  // measure how long locks are waited for and held
  // Build each state of every crash family with up to so many, and compare what they show with what
  // the family was said to show.
  std::optional<uint64_t> enumerate;
};

// Equal messages of one kind are one finding, seen `count` times.
struct FoundFinding {
  std::string kind;     // one of kFindingKinds
  std::string message;  // one line
  std::string detail;   // the full report: any number of lines
  uint64_t count = 0;
  // Of the first occurrence, for ReplayTrace(); null if none. Of a lock cycle that is confirmed,
  // the execution that ends in the deadlock.
  nlohmann::ordered_json trace;
  // Of a lock cycle, if it was looked into: "confirmed" or "open"; and in one line, by what, or
  // what was tried.
  std::string verdict, why;
};

// A cycle of lock orders that cannot become a deadlock: no finding.
struct ExcludedCycle {
  std::string message;  // one line
  // "guarded", "same task only", "disjoint instances", "refuted"; and in one line, why.
  std::string verdict, why;
};

struct ScenarioResult {
  uint64_t executions = 0;
  uint64_t steps = 0;
  uint64_t crash_families = 0;
  std::string crash_states = "0";  // how many states they cover: decimal, of any length
  std::optional<model::EnumerationCount> enumerated;  // if asked for
  std::string digest;                                 // of all executions: 32 hexadecimal digits
  bool complete = false;            // a systematic search has run all executions there are, ...
  std::vector<std::string> bounds;  // ... within these, one line each; or what a sample promises
  uint64_t redundant = 0;           // executions beside those, given up: they showed nothing new
  // Of a systematic search that is not complete: how many executions there are in all, without
  // reduction. An unbiased estimate (DepthFirstProbe).
  std::optional<double> estimate;
  bool out_of_time = false;  // max_seconds cut the search off, ...
  bool interrupted = false;  // ... or its keeper did
  // Of a search that is kept: how many executions were kept before it began, and are now; and, if
  // it could not be kept as it was last, why.
  uint64_t executions_before = 0, executions_kept = 0;
  std::string not_kept;
  std::vector<FoundFinding> findings;
  std::vector<ExcludedCycle> excluded_cycles;
  bool more_cycles = false;                     // a limit cut the list of lock cycles off
  std::shared_ptr<const sim::Validator> locks;  // what the executions showed of lock orders
  sim::GuardTable guards;                       // of all executions, if asked for
  sim::LockStat lock_stat;                      // the same
  std::optional<Coverage> coverage;             // the same
};

// Called from time to time, from any thread, with the executions done so far and all to do.
using ProgressFn = absl::FunctionRef<void(uint64_t done, uint64_t all)>;

// Fails if layout, journal and files of the scenario do not fit on its device, or if what a mount
// reads before it recovers cannot be read, or may be overwritten by a misdirected write.
absl::Status CheckFits(const Scenario& scenario);
// Fails if some sector of its device cannot be read, as none of an image or a log is.
absl::Status CheckIsReadable(const Scenario& scenario);

// Requires: CheckFits().
ScenarioResult RunScenario(const Scenario& scenario, const RunOptions& options,
                           ProgressFn progress);

// The same; it is kept by `keeper` when it ends or is cut off, and from time to time, and begins
// where it was kept before. What comes out is the same as if it had never been interrupted.
// Failure: what was kept before is damaged, or of another search; nothing was run, it is left as it
// is.
// Without a keeper (null) it is the same as RunScenario().
absl::StatusOr<ScenarioResult> RunKeptScenario(const Scenario& scenario, const RunOptions& options,
                                               SearchKeeper* keeper, ProgressFn progress);

struct Recording {
  std::string digest;  // 32 hexadecimal digits
  uint64_t steps = 0;
  nlohmann::ordered_json trace;  // for ReplayTrace(): no finding, no events
};

// One execution alone: the search's (random ones of a systematic search, which has none by number)
// `number`-th from 0 on, whether or not the search would come as far. Failure: it has a finding,
// which the message names; RunScenario() makes traces of those.
absl::StatusOr<Recording> RecordExecution(const Scenario& scenario, const RunOptions& options,
                                          int64_t number);

// Where a trace's runs may go another way than they did.
struct ReplayOptions {
  // Where its schedule does not agree any more (sim/explore/replay_then.h), this strategy goes on
  // with a run; not a systematic one. None: a random one, and all has to be as it was.
  std::optional<StrategyKind> then;
  std::optional<uint64_t> from;  // the last run is left after so many turns; with `then`
  std::optional<uint64_t> seed;  // of that strategy; none: the run's own
  bool keeps_events = false;
};

// One of the trace's executions as it went now.
struct ReplayedRun {
  // Something that was found, or learnt of lock orders, during that turn.
  struct Note {
    uint64_t turn = 0;
    std::string text;  // one line

    bool operator==(const Note&) const = default;
  };
  int64_t execution = 0;
  uint64_t seed = 0;
  sim::EventLog log;
  std::vector<Note> notes;  // by turn
};

struct ReplayResult {
  std::string scenario;
  std::string expected_kind;  // of the trace's finding; empty for a recording, which has none
  std::string expected_message;
  std::string expected_digest;
  std::string digest;  // of the execution as it went now
  std::vector<FoundFinding> findings;
  std::shared_ptr<const sim::Validator> locks;
  sim::LockStat lock_stat;
  std::vector<ReplayedRun> runs;  // if events are kept
  std::vector<std::string> left;  // with `then`: where a run left its schedule, in one line each
  // The same finding, or again none; and the same digest, unless another way was asked for.
  bool matches = false;
  std::string why_not;  // when not: in one line, what differed first
};

// Failure: the trace is not one of ours, or not of a scenario that this program can read; it has
// fewer than `from` turns.
absl::StatusOr<ReplayResult> ReplayTrace(const nlohmann::ordered_json& trace,
                                         const ReplayOptions& options = {});

}  // namespace scenario
