// One execution of a lock program: its objects, and its threads as tasks of a world.
//
// Locks wait and order as in sim/locking. Threads in an interrupt context run as tasks, as if on a
// processor of their own; what their context means is the lock checker's alone, and so is
// switching interrupts off. Allocations wait for nothing: they tell the checker that reclaim may
// run. An index beyond its array, and an assertion that fails, is an "invariant" finding; the
// thread goes no further. A loop that goes round a million times without a choice point is a
// "starvation" finding.
//
// A thread gets on (World::MadeProgress()) with every operation that is in no `while`: such a loop
// waits for something, and a round of it brings nothing nearer.
//
// In an event log, beside what locks and waits log: signal, clear, schedule (the event comes by
// itself), queue (a work item); load, store, add, cas, whose `note` is "= value" or "before ->
// after".
//
// Who ends a wait for an event that nobody owes, and for the value of a variable, the lock checker
// learns from executions: each signal, and each change of a variable that wakes somebody.
//
// Not modelled: a processor that is interrupted while it holds what the interrupt wants (the lock
// checker reports that as irq_inversion without an execution that hangs).
#pragma once

#include <cstdint>
#include <vector>

#include "model/program/objects.h"
#include "model/program/program.h"

namespace model {

class Machine {
 public:
  // Starts the threads. All must outlive the world's tasks; the world has a lock tracker.
  Machine(sim::World& world, const LockProgram& program);

  sim::World& world() { return world_; }
  Objects& objects() { return objects_; }
  const LockProgram& program() const { return program_; }
  sim::RandomStream& random() { return random_; }
  // On the running task.
  void Run(const Routine& routine);

 private:
  sim::World& world_;
  const LockProgram& program_;
  Objects objects_;
  sim::RandomStream random_;  // of latencies
};

}  // namespace model
