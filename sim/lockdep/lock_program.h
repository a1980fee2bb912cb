// Tables of lock programs: sequences of lock and interrupt operations as JSON, with what the real
// kernel said to them, run through the validator.
//
//   {"tests": [{"name": "A-B-B-A", "column": "mutex", "level": "lockgraph",
//               "locks": {"A": "class of A", "B": "class of B"},
//               "threads": [{"thread": "T0", "context": "task", "ops": [
//                   {"op": "lock", "lock": "A", "kind": "mutex", "read": 0}, ...]}],
//               "must_report": true, "report_kind": "circular", "report_at": 9}]}
//
// This is how the cases of the kernel's own self-test [lib/locking-selftest.c] come to us, and the
// programs that provoked recorded reports. Each test starts with an empty graph; its threads run
// one after the other, which is all that lock classes need. Keys of an operation:
//   op       lock, unlock, downgrade, set_class ("class"), init, pin, unpin, assert_held, sync;
//            irq_off, irq_on, bh_off, bh_on, preempt_off, preempt_on, hardirq_enter ("threaded":
//            false if PREEMPT_RT does not make it a thread), hardirq_exit, softirq_enter,
//            softirq_exit; rcu_lock, rcu_unlock, rcu_bh_..., rcu_sched_..., rcu_dereference;
//            ww_ctx_init, ww_ctx_done, ww_ctx_fini, ww_lock, ww_trylock, ww_lock_slow ("result":
//            ok, busy, EALREADY, EDEADLK), poke ("what", see ww_rules.h); checker_acquire,
//            checker_release: only the checker is told; might_alloc ("gfp", and "takes", the
//            operations on fs_reclaim if they are not to follow from gfp and scopes), nofs_save,
//            nofs_restore, noio_save, noio_restore; alloc, free ("object": the lock in it);
//            task_exit, return_to_user
//   kind     spin, raw_spin, rwlock, mutex, rwsem, rtmutex, ww, local, map
//   read     0 exclusive, 1 shared, 2 shared recursive; "subclass", "try", "acquired": false for a
//            trylock that failed, "nest" (an instance)
//   note     of an init: "... never registered": the class has no valid key
//   context  task, hardirq, softirq
//   level    "wait-type": with LockOptions::raw_lock_nesting
// What the kernel said: must_report or reported; report_kind; report_at (or report_at_or_after),
// the operation's index in its thread; api_check, the check of wound/wait mutexes that failed;
// headline, the first of its lines.
//
// The kernel's limits are not ours, but a table is about what the kernel says: a context that holds
// 48 locks is reported [MAX_LOCK_DEPTH].
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json_fwd.hpp"
#include "sim/lockdep/report.h"

namespace sim {

struct ProgramVerdict {
  std::string name, column;
  std::vector<LockReport> reports;
  std::vector<size_t> report_at;  // for each report, the index of its operation in its thread
  // In what the reports differ from what the kernel said; empty: in nothing.
  std::string difference;
  // Why the test cannot be told here, such as an operation that we do not know; empty: it can.
  std::string inexpressible;
};

// One verdict for each test, in order. A test that is not of the form above: an error that names
// the place.
absl::StatusOr<std::vector<ProgramVerdict>> RunLockPrograms(const nlohmann::ordered_json& table);

}  // namespace sim
