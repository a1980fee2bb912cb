// rw_semaphore: one writer or many readers [kernel/locking/rwsem.c].
//
// Waiters are served in arrival order, and a waiting writer holds back later readers; so a task
// that takes down_read() twice can deadlock here just as in the kernel.
#pragma once

#include "sim/locking/lock.h"
#include "sim/locking/lock_tracker.h"

namespace sim {

class RwSem : public Lock {
 public:
  using Lock::Lock;

  // Requires: the calling task does not hold this instance exclusively.
  void down_read(Subclass subclass = Subclass::kNormal, Site site = Site::Here());
  void down_write(Subclass subclass = Subclass::kNormal, Site site = Site::Here());
  // Never parks, so it adds no edge to this class; locks taken later still get edges from it.
  [[nodiscard]] bool down_read_trylock(Site site = Site::Here());
  [[nodiscard]] bool down_write_trylock(Site site = Site::Here());

  void up_read(Site site = Site::Here());
  void up_write(Site site = Site::Here());
  // What the calling task holds shared is nobody's from now on, until an up_read_non_owner(), from
  // a task or an event [percpu_rwsem_release()]. The lock checker sees it released.
  void release_owner(Site site = Site::Here());
  void up_read_non_owner();
  // From writer to reader without a gap; lets waiting readers in.
  void downgrade_write(Site site = Site::Here());

  // By the calling task.
  bool held_exclusive() const { return writer_ != nullptr && writer_ == &world_.current(); }
  bool held_shared() const;
  // By anybody.
  bool is_write_locked() const { return writer_ != nullptr; }
  bool is_locked() const { return writer_ != nullptr || has_readers(); }
  std::vector<TaskId> Owners() const override;
  // A writer is let into the queue behind readers: from there it holds back later ones.
  bool Admits(Access) const override { return writer_ == nullptr && waiters_.empty(); }

 private:
  bool has_readers() const { return !readers_.empty() || unowned_readers_ > 0; }
  void Wait(bool exclusive, Site site);
  void GrantNext();

  Task* writer_ = nullptr;
  absl::InlinedVector<Task*, 4> readers_;
  int unowned_readers_ = 0;
  WaiterQueue waiters_;
};

using ReadGuard = LockGuard<RwSem, &RwSem::down_read, &RwSem::up_read>;
using WriteGuard = LockGuard<RwSem, &RwSem::down_write, &RwSem::up_write>;

}  // namespace sim
