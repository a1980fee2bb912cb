// Who waits for whom in a world in which nobody could go on: the deadlock checker.
//
// Looked at once, after World::Run(). Finding "deadlock": somebody waits. If waits and owners form
// a cycle, it is named; otherwise something that only a task that has ended, or nobody, could bring
// about. What keeps on running without getting anywhere is liveness.h's.
//
// The owners of a wait are those who could end it, as far as its Waitable knows. A task that waits
// for several owners (a writer for all readers) needs each of them, so one that waits in turn is
// enough for a cycle.
#pragma once

#include <string>
#include <vector>

#include "sim/engine/world.h"
#include "sim/locking/hold_and_wait.h"
#include "sim/waitfor/task_text.h"

namespace sim {

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

// What kDeadlock was about. Its message names tasks and lock classes only, so that it is the same
// for the same fault in other executions. Requires: the world ended so, and has a lock tracker.
Finding ExplainDeadlock(const World& world);

}  // namespace sim
