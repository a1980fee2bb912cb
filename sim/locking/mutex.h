// mutex: one owner, who alone may unlock it [kernel/locking/mutex.c].
#pragma once

#include "sim/locking/exclusive_lock.h"

namespace sim {

class Mutex : public ExclusiveLock {
 public:
  using ExclusiveLock::ExclusiveLock;

  // Requires: the calling task does not hold it.
  void mutex_lock(Subclass subclass = Subclass::kNormal, Site site = Site::Here());
  [[nodiscard]] bool mutex_trylock(Site site = Site::Here());
  void mutex_unlock(Site site = Site::Here());
};

using MutexGuard = LockGuard<Mutex, &Mutex::mutex_lock, &Mutex::mutex_unlock>;

}  // namespace sim
