// A workqueue with a limit on how many of its items run at once [kernel/workqueue.c, max_active].
//
// Each slot is a daemon task that takes items in the order queued. While an item runs, the lock
// checker sees the slot as held: whatever the item waits for, every later item waits for too, and
// so does whoever waits for what a later item brings about, where the queue has a single slot. The
// kernel's checker knows as much of flush_work(), and under the same condition
// [kernel/workqueue.c:start_flush_work()]. With more slots it takes as many items that wait; that
// is found when it happens, as a deadlock.
//
// Not modelled: worker pools and rescuers; there is always a worker for a free slot.
#pragma once

#include <deque>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "sim/locking/wait_event.h"

namespace sim {

class Workqueue {
 public:
  // `name` must be static. `slot_class` is the class that an item holds while it runs.
  Workqueue(World& world, const char* name, LockClassId slot_class, int max_active);

  // From a task or an event.
  void queue_work(absl::AnyInvocable<void()> work);
  // Only items of this queue bring `event` about: a deadlock's waits for it are waits for a slot.
  void BringsAbout(WaitQueue& event);
  // Before a wait for such an event, for the lock checker alone; `is_over`: the event is there.
  void might_wait_for_item(absl::FunctionRef<bool()> is_over, Site site = Site::Here());
  // Returns when everything queued before has run.
  void flush_workqueue(Site site = Site::Here());

 private:
  void Worker();

  World& world_;
  const bool single_slot_;
  WaitQueue not_empty_;
  WaitQueue slot_;  // wakes those who flush
  std::deque<absl::AnyInvocable<void()>> items_;
  uint64_t queued_ = 0;
  std::deque<uint64_t> running_;  // sequence numbers of items being run, ascending
  uint64_t taken_ = 0;
};

}  // namespace sim
