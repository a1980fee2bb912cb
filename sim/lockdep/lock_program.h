// Lock programs: sequences of lock and interrupt operations as JSON, run through the validator.
//
//   {"tests": [{"name": "A-B-B-A", "column": "mutex", "level": "lockgraph",
//               "locks": {"A": "class of A", "B": "class of B"},
//               "threads": [{"thread": "T0", "context": "task", "ops": [
//                   {"op": "lock", "lock": "A", "kind": "mutex", "read": 0}, ...]}]}]}
//
// This is how the cases of the kernel's own self-test [lib/locking-selftest.c] come to us. Each
// test starts with an empty graph; its threads run one after the other, which is all that lock
// classes need. Keys:
//   op       lock, unlock, init, irq_off, irq_on, bh_off, bh_on, hardirq_enter ("threaded":
//            false if PREEMPT_RT does not make it a thread), hardirq_exit, softirq_enter,
//            softirq_exit, rcu_lock, rcu_unlock, rcu_bh_..., rcu_sched_..., ww_ctx_init,
//            ww_ctx_fini, ww_lock, ww_trylock, ww_lock_slow, checker_acquire, checker_release,
//            might_alloc ("takes": operations), task_exit, return_to_user, assert_held; others
//            have no bearing on locks and are passed over
//   kind     spin, raw_spin, rwlock, mutex, rwsem, rtmutex, ww, local, map
//   read     0 exclusive, 1 shared, 2 shared recursive; "try", "nest" (an instance)
//   context  task, hardirq, softirq
//   level    "wait-type": with LockOptions::raw_lock_nesting
//
// Not modelled: the state machine of wound/wait mutexes ("level": "ww-api").
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json_fwd.hpp"
#include "sim/lockdep/report.h"

namespace sim {

struct ProgramVerdict {
  std::string name, column, level;
  std::vector<LockReport> reports;
  std::vector<size_t> report_at;  // for each report, the index of its operation in its thread
};

// One verdict for each test, in order. A test that is not of the form above: an error that names
// the place.
absl::StatusOr<std::vector<ProgramVerdict>> RunLockPrograms(const nlohmann::ordered_json& table);

}  // namespace sim
