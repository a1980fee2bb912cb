// mutex: one owner, who alone may unlock it [kernel/locking/mutex.c].
#pragma once

#include "sim/locking/lock.h"
#include "sim/locking/lock_tracker.h"

namespace sim {

class Mutex : public Lock {
 public:
  using Lock::Lock;

  // Requires: the calling task does not hold it.
  void mutex_lock(Subclass subclass = Subclass::kNormal, Site site = Site::Here());
  [[nodiscard]] bool mutex_trylock(Site site = Site::Here());
  void mutex_unlock(Site site = Site::Here());

  bool held() const { return owner_ != nullptr && owner_ == &world_.current(); }
  std::vector<TaskId> Owners() const override;
  bool Admits(Access) const override { return owner_ == nullptr; }

 private:
  Task* owner_ = nullptr;
  WaiterQueue waiters_;
};

using MutexGuard = LockGuard<Mutex, &Mutex::mutex_lock, &Mutex::mutex_unlock>;

}  // namespace sim
