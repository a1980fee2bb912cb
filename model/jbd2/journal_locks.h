// What the journal needs of locks beside sim/locking.
#pragma once

#include "sim/locking/wait_event.h"

namespace model {

class Journal;

// A spinlock whose sections are short and have no choice point inside, so that nobody ever finds it
// taken: the lock checker sees it, and it costs no turn. Partial-order reduction sees what it
// guards as one object, unless all of that are fields that it sees one by one (`guards_fields`).
class PlainSpinLock : public sim::Lock {
 public:
  PlainSpinLock(sim::World& world, sim::LockClassId lock_class, bool guards_fields = false)
      : Lock(world, lock_class, {}), guards_fields_(guards_fields) {}

  void spin_lock(sim::Subclass subclass = sim::Subclass::kNormal,
                 sim::Site site = sim::Site::Here());
  void spin_unlock(sim::Site site = sim::Site::Here());

 private:
  bool guards_fields_;
};

using PlainSpinGuard =
    sim::LockGuard<PlainSpinLock, &PlainSpinLock::spin_lock, &PlainSpinLock::spin_unlock>;

// struct lockdep_map: something that is a lock for the checker only. Who waits for it, and on what,
// is decided elsewhere.
class LockdepMap : public sim::Lock {
 public:
  using Lock::Lock;

  // The caller may have to wait, shared, before it goes on; see acquire_read().
  void might_wait_read(sim::Site site) {
    Take(sim::ReadMode::kShared, false, site);
    release(site);
  }
  // Shared, and not having had to wait: nothing held so far is held up by it.
  void acquire_read(sim::Site site) { Take(sim::ReadMode::kShared, true, site); }
  // Exclusively; before the wait.
  void acquire(sim::Site site) { Take(sim::ReadMode::kExclusive, false, site); }
  void might_wait(sim::Site site) { tracker().Sync(*this, site); }
  void release(sim::Site site);

 private:
  void Take(sim::ReadMode mode, bool nowait, sim::Site site) {
    tracker().Acquire(*this, mode, sim::Subclass::kNormal, nowait, site);
  }
};

// j_wait_updates: waited on until the handles of the running transaction have stopped. Knows whose
// they are.
class UpdatesQueue : public sim::WaitQueue {
 public:
  UpdatesQueue(const Journal& journal, sim::World& world, sim::LockClassId lock_class,
               sim::InstanceName name)
      : WaitQueue(world, lock_class, name), journal_(journal) {}

  std::vector<sim::TaskId> Owners() const override;

 private:
  const Journal& journal_;
};

}  // namespace model
