// Waiting for something to become true: wait_event() on a wait queue [kernel/sched/wait.c].
//
// The lock checker treats the event as a lock that a waiter takes and gives back at once, and that
// is held by whoever has to bring it about: see EventScope.
#pragma once

#include "absl/container/inlined_vector.h"
#include "sim/locking/lock.h"
#include "sim/locking/lock_tracker.h"

namespace sim {

class WaitQueue : public Lock {
 public:
  using Lock::Lock;

  // Returns once `condition()` holds; checked at a choice point, and again after each WakeAll().
  template <class Condition>
  void wait_event(Condition condition, Site site = Site::Here()) {
    BeginWait(site);
    while (!Holds(condition)) ParkHere(site);
  }
  // The running task could have to wait here, whether or not it does this time: for the lock
  // checker alone.
  void might_wait(Site site = Site::Here()) {
    tracker().MightSleep("wait_event", site);
    tracker().Sync(*this, site);
  }
  // Gives up at `deadline`: false if the condition does not hold then.
  template <class Condition>
  [[nodiscard]] bool wait_event_until(Condition condition, Nanos deadline,
                                      Site site = Site::Here()) {
    BeginWait(site);
    while (!Holds(condition)) {
      if (!ParkHereUntil(deadline, site)) return Holds(condition);
    }
    return true;
  }
  // For daemons: false once the execution is over and the condition does not hold.
  template <class Condition>
  [[nodiscard]] bool wait_idle(Condition condition, Nanos deadline = World::kNever,
                               Site site = Site::Here()) {
    world_.Step(object(), Access::kRead);
    while (!Holds(condition)) {
      if (!ParkIdleHere(deadline, site)) return Holds(condition);
      if (deadline != World::kNever && world_.ReadClock() >= deadline) return true;
    }
    return true;
  }

  // From a task or an event: something that waiters look at has changed.
  void WakeAll();
  // Is anybody waiting?
  bool active() const { return !waiters_.empty(); }

  // Who would end a wait is not a property of the queue; set by those who know, for reports.
  void set_owner(TaskId owner) { owner_ = owner; }
  std::vector<TaskId> Owners() const override;

 protected:
  void ParkHere(Site site);
  // They go on with `next` to the queue.
  void WakeParked(Access next = Access::kRead);

 private:
  // The condition stands for a loop that reads with READ_ONCE() or takes the lock each time, so its
  // reads are not the race checker's business. Found true, it comes after the last WakeAll().
  template <class Condition>
  bool Holds(Condition& condition) {
    AccessListener* const listener = world_.set_access_listener(nullptr);
    const bool holds = condition();
    world_.set_access_listener(listener);
    if (holds) Got();
    return holds;
  }
  void BeginWait(Site site);
  [[nodiscard]] bool ParkHereUntil(Nanos deadline, Site site);
  [[nodiscard]] bool ParkIdleHere(Nanos deadline, Site site);
  void Leave(Task& task);

  absl::InlinedVector<Task*, 2> waiters_;
  TaskId owner_;
};

// From its construction to its end the running context has to bring about `event`: whatever it
// waits for in between, those who wait for the event wait for too.
class EventScope {
 public:
  explicit EventScope(WaitQueue& event, Site site = Site::Here());
  ~EventScope();
  EventScope(const EventScope&) = delete;
  EventScope& operator=(const EventScope&) = delete;

 private:
  World& world_;
  WaitQueue& event_;
  Site site_;
};

// A bit that is set until something is done, and the wait for that [kernel/sched/wait_bit.c].
//
// For strategies that want turns it is like a lock that is held while it is set, and that waiters
// take and give back at once: a waiter takes its turn when the bit is clear. That it could have
// come before, and parked, leads nowhere else.
class WaitBit : public WaitQueue {
 public:
  using WaitQueue::WaitQueue;

  // Requires: it is clear.
  void set_bit();
  // From a task or an event. Requires: it is set.
  void clear_and_wake_up_bit();
  void wait_on_bit(Site site = Site::Here());

  bool Admits(Access) const override { return !is_set_; }

 private:
  bool is_set_ = false;
};

// Something that is done in so many steps, and the wait for the last of them
// [kernel/sched/completion.c, which knows one step].
//
// The steps may be done in any order. A waiter takes its turn, where strategies want turns, when
// all are done. All steps of its life belong to the wait: it is not used again.
class Completion : public WaitQueue {
 public:
  Completion(World& world, LockClassId lock_class, InstanceName name, int steps = 1)
      : WaitQueue(world, lock_class, name), steps_left_(steps) {}

  // One more step is to be done. Requires: nobody has waited.
  void expect() { ++steps_left_; }
  // One step is done. From a task or an event.
  void complete();
  void wait_for_completion(Site site = Site::Here());
  bool done() const { return steps_left_ == 0; }

  bool Admits(Access) const override { return done(); }

 private:
  int steps_left_ = 0;
};

}  // namespace sim
