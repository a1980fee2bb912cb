// Who waits for whom in a world that came to its end with tasks left: the deadlock and starvation
// checker.
//
// Looked at once, after World::Run(). Findings:
//   "deadlock": nobody can go on and somebody waits. If waits and owners form a cycle, it is named;
//   otherwise something that only a task that has ended, or nobody, could bring about.
//   "starvation": the turn or time limit was reached, with what each task was doing.
//
// The owners of a wait are those who could end it, as far as its Waitable knows. A task that waits
// for several owners (a writer for all readers) needs each of them, so one that waits in turn is
// enough for a cycle. Not seen: a deadlock among some tasks while others go on forever; it shows as
// starvation, with the cycle in its text.
#pragma once

#include <string>
#include <vector>

#include "sim/engine/world.h"
#include "sim/locking/hold_and_wait.h"

namespace sim {

// A task that had not ended and was not an idle daemon.
struct StuckTask {
  TaskId task;
  bool parked = false;         // otherwise it could go on
  std::string waits_for;       // while parked: "i_rwsem of inode 12"
  std::string waits_for_kind;  // the same without numbers: "i_rwsem"
  std::vector<TaskId> owners;  // of what it waits for
};

struct WaitGraph {
  std::vector<StuckTask> stuck;  // by task
  // Each waits for the next and the last for the first, beginning with the least; empty: no cycle.
  std::vector<TaskId> cycle;
};

// `world` has run to an end, and still exists.
WaitGraph FindWaits(const World& world);

// What parked tasks that have not ended hold and wait for: lock classes as in reports, "name" or
// "name/subclass". Without idle daemons, and without tasks that wait for no lock or event.
std::vector<HoldAndWait> FindHoldAndWait(const World& world);

// What kDeadlock, kTurnLimit or kTimeLimit was about. Its message names tasks and lock classes
// only, so that it is the same for the same fault in other executions.
// Requires: `end` is one of those three; the world has a lock tracker.
Finding ExplainEnd(const World& world, ExecutionEnd end);

}  // namespace sim
