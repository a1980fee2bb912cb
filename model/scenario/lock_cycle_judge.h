// Is a possible lock cycle real? Finds the execution that ends in its deadlock, or shows that no
// execution of the scenario does.
//
// - Confirmed: an execution ends with tasks that do all of the cycle's waits. First those of the
//   search are looked at, then directed ones (sim/explore/directed.h).
// - Refuted: every execution of the scenario was run (sim/explore/dpor.h), none ends so. It says
//   nothing of other scenarios: never said if one task was seen to do all of the waits (two that do
//   as it does might deadlock), if decisions depend on the time, or if the cycle is about what
//   simulation never waits for (reclaim's fs_reclaim is known to the lock checker only).
// - Open: otherwise, with what was tried.
//
// Within fixed numbers of executions: the outcome depends on the scenario alone.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "model/scenario/execution.h"
#include "model/scenario/trace_file.h"
#include "sim/lockdep/report.h"

namespace scenario {

struct CycleOutcome {
  enum class Kind { kConfirmed, kRefuted, kOpen } kind = Kind::kOpen;
  std::string why;  // one line
  // kConfirmed: the finding and the execution that ends so, with its events.
  sim::Finding deadlock;
  TracedRun run;
};

class LockCycleJudge {
 public:
  // Both must outlive the judge. `program` as for a Workbench.
  LockCycleJudge(const Scenario& scenario, const model::LockProgram* program)
      : scenario_(scenario), bench_(scenario, program), is_program_(program != nullptr) {}

  // An execution of the search has ended so. True: the first one; Judge() may ask for it.
  [[nodiscard]] bool AddDeadlock(const std::vector<sim::HoldAndWait>& tasks, int64_t execution);

  // `run_of` gives an execution of the search with its schedule. Requires: a cycle.
  using RunOfFn = absl::FunctionRef<TracedRun(int64_t execution)>;
  CycleOutcome Judge(const sim::LockReport& report, RunOfFn run_of);

 private:
  struct Deadlock {
    std::vector<sim::HoldAndWait> tasks;
    std::string source;  // "execution 12 of the search"
    TracedRun run;       // of the search's, only the number
    bool is_searched = false;
  };
  // What running all executions gave: deadlocks are among deadlocks_.
  struct WholeSearch {
    uint64_t executions;
    bool complete, clock_read;
  };

  const Deadlock* Find(const std::vector<sim::CycleWait>& cycle) const;
  CycleOutcome Confirmed(const Deadlock& deadlock, RunOfFn run_of);
  // `number` is then that of the execution, or how many there were.
  bool RunDirected(const std::vector<sim::CycleWait>& cycle, int64_t& number);
  void RunAll();

  const Scenario& scenario_;
  Workbench bench_;
  bool is_program_ = false;
  std::vector<Deadlock> deadlocks_;
  std::optional<WholeSearch> whole_;
};

}  // namespace scenario
