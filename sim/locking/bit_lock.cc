#include "sim/locking/bit_lock.h"

namespace sim {

void BitLock::lock(Subclass subclass, Site site) {
  tracker().MightSleep("lock bit", site);
  world_.Step(*this, Access::kWrite);
  tracker().Acquire(*this, ReadMode::kExclusive, subclass, false, site);
  if (!locked_) {
    world_.Touch(object(), Access::kTake);
    locked_ = true;
    owner_ = &world_.current();
  } else {
    Waiter waiter{&world_.current()};
    waiters_.Push(waiter);
    ParkFor(site);  // until unlock() made us the owner
  }
  Got();
}

bool BitLock::trylock(Site site) {
  world_.Step(object(), Access::kWrite);
  if (locked_) return false;
  world_.Touch(object(), Access::kTake);
  tracker().Acquire(*this, ReadMode::kExclusive, Subclass::kNormal, true, site);
  locked_ = true;
  owner_ = &world_.current();
  Got();
  return true;
}

void BitLock::unlock(Site site) {
  if (world_.tearing_down()) return;
  world_.Touch(object(), Access::kGive);
  if (!locked_) {
    tracker().Misuse(*this, "unlock of a bit that nobody holds", site);
    return;
  }
  if (owner_ != nullptr) {
    tracker().ReleaseFor(*owner_, *this, site);
  } else {
    tracker().ReleaseHandedOver(*this);
  }
  Gives();
  if (waiters_.empty()) {
    locked_ = false;
    owner_ = nullptr;
    return;
  }
  owner_ = waiters_.first()->task;
  waiters_.Pop();
  world_.Wake(*owner_, Access::kTake);
}

void BitLock::hand_over(Site site) {
  tracker().HandOver(*this, site);
  owner_ = nullptr;
}

std::vector<TaskId> BitLock::Owners() const {
  return owner_ != nullptr ? std::vector{owner_->id()} : std::vector<TaskId>{};
}

}  // namespace sim
