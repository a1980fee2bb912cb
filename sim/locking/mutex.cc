#include "sim/locking/mutex.h"

namespace sim {

void Mutex::mutex_lock(Subclass subclass, Site site) {
  tracker().MightSleep("mutex_lock", site);
  world_.Step(*this, Access::kWrite);
  tracker().Acquire(*this, ReadMode::kExclusive, subclass, false, site);
  if (owner_ == nullptr) {
    world_.Touch(object(), Access::kTake);
    owner_ = &world_.current();
  } else {
    Waiter waiter{&world_.current()};
    waiters_.Push(waiter);
    ParkFor(site);  // until mutex_unlock() made us the owner
  }
  Got();
}

bool Mutex::mutex_trylock(Site site) {
  world_.Step(object(), Access::kWrite);
  if (owner_ != nullptr) return false;
  world_.Touch(object(), Access::kTake);
  tracker().Acquire(*this, ReadMode::kExclusive, Subclass::kNormal, true, site);
  owner_ = &world_.current();
  Got();
  return true;
}

void Mutex::mutex_unlock(Site site) {
  if (world_.tearing_down()) return;
  world_.Touch(object(), Access::kGive);
  if (owner_ != &world_.current()) {
    tracker().Misuse(*this, "mutex_unlock() by a task that does not own it", site);
    return;
  }
  tracker().Release(*this, site);
  Gives();
  owner_ = nullptr;
  if (waiters_.empty()) return;
  owner_ = waiters_.first()->task;
  waiters_.Pop();
  world_.Wake(*owner_, Access::kTake);
}

std::vector<TaskId> Mutex::Owners() const {
  return owner_ != nullptr ? std::vector{owner_->id()} : std::vector<TaskId>{};
}

}  // namespace sim
