#include "sim/locking/spinlock.h"

#include "sim/check.h"

namespace sim {

void SpinLock::spin_lock(Subclass subclass, Site site) {
  world_.Step(*this, Access::kWrite);
  Take(subclass, site);
}

bool SpinLock::spin_trylock(Site site) {
  world_.Step(object(), Access::kWrite);
  if (owner_ != nullptr) return false;
  world_.Touch(object(), Access::kTake);
  tracker().Acquire(*this, ReadMode::kExclusive, Subclass::kNormal, true, site);
  tracker().SpinlockTaken();
  owner_ = &world_.current();
  Got();
  return true;
}

void SpinLock::spin_unlock(Site site) {
  if (!world_.tearing_down()) Give(site);
}

void SpinLock::spin_lock_irqsave(Subclass subclass, Site site) {
  if (world_.in_irq()) {
    SIM_CHECK(owner_ == nullptr);  // no event runs while an irqsave holder exists
    world_.Touch(object(), Access::kWrite);
    tracker().Acquire(*this, ReadMode::kExclusive, subclass, false, site);
    Got();
    return;
  }
  world_.Step(*this, Access::kWrite);
  world_.BlockIrqs();
  tracker().IrqsOff(site);
  Take(subclass, site);
}

void SpinLock::spin_unlock_irqrestore(Site site) {
  if (world_.tearing_down()) return;
  if (world_.in_irq()) {
    tracker().Release(*this, site);
    Gives();
    return;
  }
  Give(site);
  tracker().IrqsOn(site);
  world_.UnblockIrqs();
}

void SpinLock::Take(Subclass subclass, Site site) {
  tracker().Acquire(*this, ReadMode::kExclusive, subclass, false, site);
  tracker().SpinlockTaken();
  if (owner_ == nullptr) {
    world_.Touch(object(), Access::kTake);
    owner_ = &world_.current();
  } else {
    Waiter waiter{&world_.current()};
    waiters_.Push(waiter);
    ParkFor(site);  // spins until Give() made us the owner
  }
  Got();
}

void SpinLock::Give(Site site) {
  world_.Touch(object(), Access::kGive);
  if (owner_ != &world_.current()) {
    tracker().Misuse(*this, "spin_unlock() by a task that does not own it", site);
    return;
  }
  tracker().Release(*this, site);
  tracker().SpinlockReleased();
  Gives();
  owner_ = nullptr;
  if (waiters_.empty()) return;
  owner_ = waiters_.first()->task;
  waiters_.Pop();
  world_.Wake(*owner_, Access::kTake);
}

std::vector<TaskId> SpinLock::Owners() const {
  return owner_ != nullptr ? std::vector{owner_->id()} : std::vector<TaskId>{};
}

}  // namespace sim
