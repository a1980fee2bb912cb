// A lock bit with waiters, such as PG_locked and BH_Lock [mm/filemap.c, fs/buffer.c].
//
// The real lock checker does not see these. Any context may unlock one: the page that a read fills
// is unlocked by the completion of the read.
//
// Modelled as fair: the kernel's waiters may be overtaken, which the strategy explores anyway.
#pragma once

#include "sim/locking/lock.h"
#include "sim/locking/lock_tracker.h"

namespace sim {

class BitLock : public Lock {
 public:
  using Lock::Lock;

  void lock(Subclass subclass = Subclass::kNormal, Site site = Site::Here());
  [[nodiscard]] bool trylock(Site site = Site::Here());
  // From a task or an event.
  void unlock(Site site = Site::Here());

  // The calling task, which holds it, leaves the unlock to a completion.
  void hand_over(Site site = Site::Here());

  bool is_locked() const { return locked_; }
  bool held() const { return locked_ && owner_ == &world_.current(); }
  std::vector<TaskId> Owners() const override;
  bool Admits(Access) const override { return !locked_; }

 private:
  bool locked_ = false;
  Task* owner_ = nullptr;  // the task that has to unlock it; null: a completion has
  WaiterQueue waiters_;
};

using BitGuard = LockGuard<BitLock, &BitLock::lock, &BitLock::unlock>;

}  // namespace sim
