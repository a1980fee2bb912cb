#include "sim/locking/rwsem.h"

#include <algorithm>

#include "sim/check.h"

namespace sim {

void RwSem::down_read(Subclass subclass, Site site) {
  tracker().MightSleep("down_read", site);
  world_.Step(*this, Access::kRead);
  tracker().Acquire(*this, ReadMode::kShared, subclass, false, site);
  if (Admits(Access::kRead)) {
    world_.Touch(object(), Access::kTakeShared);
    readers_.push_back(&world_.current());
  } else {
    Wait(false, site);
  }
  Got(false);
}

void RwSem::down_write(Subclass subclass, Site site) {
  tracker().MightSleep("down_write", site);
  world_.Step(*this, Access::kWrite);
  tracker().Acquire(*this, ReadMode::kExclusive, subclass, false, site);
  if (!is_locked()) {
    world_.Touch(object(), Access::kTake);
    writer_ = &world_.current();
  } else {
    Wait(true, site);
  }
  Got();
}

bool RwSem::down_read_trylock(Site site) {
  world_.Step(object(), Access::kRead);
  if (!Admits(Access::kRead)) return false;
  world_.Touch(object(), Access::kTakeShared);
  tracker().Acquire(*this, ReadMode::kShared, Subclass::kNormal, true, site);
  readers_.push_back(&world_.current());
  Got(false);
  return true;
}

bool RwSem::down_write_trylock(Site site) {
  world_.Step(object(), Access::kWrite);
  if (is_locked()) return false;
  world_.Touch(object(), Access::kTake);
  tracker().Acquire(*this, ReadMode::kExclusive, Subclass::kNormal, true, site);
  writer_ = &world_.current();
  Got();
  return true;
}

void RwSem::up_read(Site site) {
  if (world_.tearing_down()) return;
  world_.Touch(object(), Access::kGiveShared);
  const auto reader = std::find(readers_.begin(), readers_.end(), &world_.current());
  if (reader == readers_.end()) {
    tracker().Misuse(*this, "up_read() by a task that does not hold it shared", site);
    return;
  }
  tracker().Release(*this, site);
  Gives(false);
  readers_.erase(reader);
  GrantNext();
}

void RwSem::release_owner(Site site) {
  const auto reader = std::find(readers_.begin(), readers_.end(), &world_.current());
  SIM_CHECK(reader != readers_.end());
  tracker().Release(*this, site);
  readers_.erase(reader);
  ++unowned_readers_;
}

void RwSem::up_read_non_owner() {
  if (world_.tearing_down()) return;
  SIM_CHECK(unowned_readers_ > 0);
  world_.Touch(object(), Access::kGiveShared);
  Gives(false);
  --unowned_readers_;
  GrantNext();
}

void RwSem::up_write(Site site) {
  if (world_.tearing_down()) return;
  world_.Touch(object(), Access::kGive);
  if (!held_exclusive()) {
    tracker().Misuse(*this, "up_write() by a task that does not hold it exclusively", site);
    return;
  }
  tracker().Release(*this, site);
  Gives();
  writer_ = nullptr;
  GrantNext();
}

void RwSem::downgrade_write(Site site) {
  world_.Touch(object(), Access::kGive);
  if (!held_exclusive()) {
    tracker().Misuse(*this, "downgrade_write() by a task that does not hold it exclusively", site);
    return;
  }
  tracker().Downgrade(*this);
  world_.Touch(object(), Access::kTakeShared);
  Gives();
  readers_.push_back(writer_);
  writer_ = nullptr;
  GrantNext();
}

bool RwSem::held_shared() const {
  return std::find(readers_.begin(), readers_.end(), &world_.current()) != readers_.end();
}

std::vector<TaskId> RwSem::Owners() const {
  std::vector<TaskId> owners;
  if (writer_ != nullptr) owners.push_back(writer_->id());
  for (const Task* reader : readers_) owners.push_back(reader->id());
  std::sort(owners.begin(), owners.end());
  return owners;
}

void RwSem::Wait(bool exclusive, Site site) {
  Waiter waiter{&world_.current(), exclusive};
  waiters_.Push(waiter);
  ParkFor(site);  // until GrantNext() made us an owner
}

// Wakes the first in line, and with a reader all readers up to the next writer.
void RwSem::GrantNext() {
  while (!waiters_.empty() && writer_ == nullptr) {
    Waiter* waiter = waiters_.first();
    if (waiter->exclusive) {
      if (has_readers()) return;
      writer_ = waiter->task;
    } else {
      readers_.push_back(waiter->task);
    }
    waiters_.Pop();
    world_.Wake(*waiter->task, waiter->exclusive ? Access::kTake : Access::kTakeShared);
  }
}

}  // namespace sim
