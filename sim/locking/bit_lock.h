// A lock bit with waiters, such as PG_locked and BH_Lock [mm/filemap.c, fs/buffer.c].
//
// The real lock checker does not see these. Any context may unlock one: the page that a read fills
// is unlocked by the completion of the read.
//
// Modelled as fair: the kernel's waiters may be overtaken, which the strategy explores anyway.
#pragma once

#include "sim/locking/exclusive_lock.h"

namespace sim {

class BitLock : public ExclusiveLock {
 public:
  using ExclusiveLock::ExclusiveLock;

  void lock(Subclass subclass = Subclass::kNormal, Site site = Site::Here());
  [[nodiscard]] bool trylock(Site site = Site::Here());
  // From a task or an event.
  void unlock(Site site = Site::Here());

  // The calling task, which holds it, leaves the unlock to a completion.
  void hand_over(Site site = Site::Here());
};

using BitGuard = LockGuard<BitLock, &BitLock::lock, &BitLock::unlock>;

}  // namespace sim
