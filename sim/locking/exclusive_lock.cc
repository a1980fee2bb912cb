#include "sim/locking/exclusive_lock.h"

namespace sim {

void ExclusiveLock::Take(Subclass subclass, Site site) {
  tracker().Acquire(*this, ReadMode::kExclusive, subclass, false, site);
  if (!locked_) {
    world_.Touch(object(), Access::kTake);
    locked_ = true;
    owner_ = &world_.current();
  } else {
    Waiter waiter{&world_.current()};
    waiters_.Push(waiter);
    ParkFor(site);  // until PassOn() made us the owner
  }
  Got();
}

bool ExclusiveLock::TryTake(Site site) {
  world_.Step(object(), Access::kWrite);
  if (locked_) return false;
  world_.Touch(object(), Access::kTake);
  tracker().Acquire(*this, ReadMode::kExclusive, Subclass::kNormal, true, site);
  locked_ = true;
  owner_ = &world_.current();
  Got();
  return true;
}

bool ExclusiveLock::Give(std::string_view misuse, Site site) {
  world_.Touch(object(), Access::kGive);
  if (owner_ != &world_.current()) {
    tracker().Misuse(*this, misuse, site);
    return false;
  }
  tracker().Release(*this, site);
  PassOn();
  return true;
}

void ExclusiveLock::PassOn() {
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

std::vector<TaskId> ExclusiveLock::Owners() const {
  return owner_ != nullptr ? std::vector{owner_->id()} : std::vector<TaskId>{};
}

}  // namespace sim
