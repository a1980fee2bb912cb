#include "sim/locking/spinlock.h"

#include "sim/check.h"

namespace sim {

void SpinLock::spin_lock(Subclass subclass, Site site) {
  world_.Step(*this, Access::kWrite);
  Take(subclass, site);  // spins until it is ours
  tracker().SpinlockTaken();
}

bool SpinLock::spin_trylock(Site site) {
  if (!TryTake(site)) return false;
  tracker().SpinlockTaken();
  return true;
}

void SpinLock::spin_unlock(Site site) {
  if (!world_.tearing_down()) Release(site);
}

void SpinLock::spin_lock_irqsave(Subclass subclass, Site site) {
  if (world_.in_irq()) {
    SIM_CHECK(!locked_);  // no event runs while an irqsave holder exists
    world_.Touch(object(), Access::kWrite);
    tracker().Acquire(*this, ReadMode::kExclusive, subclass, false, site);
    Got();
    return;
  }
  world_.Step(*this, Access::kWrite);
  world_.BlockIrqs();
  tracker().IrqsOff(site);
  Take(subclass, site);
  tracker().SpinlockTaken();
}

void SpinLock::spin_unlock_irqrestore(Site site) {
  if (world_.tearing_down()) return;
  if (world_.in_irq()) {
    tracker().Release(*this, site);
    Gives();
    return;
  }
  Release(site);
  tracker().IrqsOn(site);
  world_.UnblockIrqs();
}

void SpinLock::Release(Site site) {
  if (Give("spin_unlock() by a task that does not own it", site)) tracker().SpinlockReleased();
}

}  // namespace sim
