// A workqueue with a limit on how many of its items run at once [kernel/workqueue.c, max_active].
//
// Each slot is a daemon task that takes items in the order queued. While an item runs, the lock
// checker sees the slot as held: whatever the item waits for, every later item waits for too.
//
// Not modelled: worker pools and rescuers; there is always a worker for a free slot.
#pragma once

#include <deque>

#include "absl/functional/any_invocable.h"
#include "sim/locking/wait_event.h"

namespace sim {

class Workqueue {
 public:
  // `name` must be static. `slot_class` is the class that an item holds while it runs.
  Workqueue(World& world, const char* name, LockClassId slot_class, int max_active);

  // From a task or an event.
  void queue_work(absl::AnyInvocable<void()> work);
  // Returns when everything queued before has run.
  void flush_workqueue(Site site = Site::Here());

 private:
  void Worker();

  WaitQueue not_empty_;
  WaitQueue slot_;  // wakes those who flush
  std::deque<absl::AnyInvocable<void()>> items_;
  uint64_t queued_ = 0;
  std::deque<uint64_t> running_;  // sequence numbers of items being run, ascending
  uint64_t taken_ = 0;
};

}  // namespace sim
