// spinlock_t [kernel/locking/spinlock.c].
//
// A task that spins is a parked task here: it makes no progress until it owns the lock. Sleeping
// with a spinlock held is a finding. The _irqsave forms keep events away until the unlock; an event
// therefore never finds such a lock taken.
//
// Not modelled: bottom halves apart from interrupts, and PREEMPT_RT, where these locks sleep.
#pragma once

#include "sim/locking/exclusive_lock.h"

namespace sim {

class SpinLock : public ExclusiveLock {
 public:
  using ExclusiveLock::ExclusiveLock;

  void spin_lock(Subclass subclass = Subclass::kNormal, Site site = Site::Here());
  [[nodiscard]] bool spin_trylock(Site site = Site::Here());
  void spin_unlock(Site site = Site::Here());
  // From a task or an event.
  void spin_lock_irqsave(Subclass subclass = Subclass::kNormal, Site site = Site::Here());
  void spin_unlock_irqrestore(Site site = Site::Here());

 private:
  void Release(Site site);
};

using SpinGuard = LockGuard<SpinLock, &SpinLock::spin_lock, &SpinLock::spin_unlock>;
using SpinIrqGuard =
    LockGuard<SpinLock, &SpinLock::spin_lock_irqsave, &SpinLock::spin_unlock_irqrestore>;

}  // namespace sim
