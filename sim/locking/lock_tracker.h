// Tells the lock checker what the world's tasks do with locks, and keeps what each of them holds.
//
// One per world. The validator behind it may outlive the world and gather the lock graph of many
// executions. Misuse that needs no graph is reported here, as "lock_misuse": a release by a task
// that does not hold the lock, a task that ends with a lock held, a sleeping wait inside a
// spinlock.
#pragma once

#include <string_view>
#include <vector>

#include "sim/engine/world.h"
#include "sim/lockdep/validator.h"
#include "sim/locking/lock.h"
#include "sim/locking/lock_stat.h"

namespace sim {

class LockTracker : public TaskListener {
 public:
  // Makes itself the world's tracker. Both must outlive it. Without `checks`, the validator is told
  // of nothing but classes: to measure what checking costs.
  LockTracker(World& world, Validator& validator, bool checks = true);

  // Measures waits and holds from now on; outlives this. An execution begins.
  void set_stat(LockStat& stat) {
    stat_ = &stat;
    stat.BeginExecution();
  }

  Validator& validator() const { return validator_; }
  LockClassId Class(std::string_view name, LockClassTraits traits = kSleepingLock) {
    return validator_.Class(name, traits);
  }

  // Before the wait, as lock_acquire() in the kernel: the order is wrong whether or not it waits.
  void Acquire(const Lock& lock, ReadMode mode, Subclass subclass, bool trylock, Site site);
  // By the running context, which took it.
  void Release(const Lock& lock, Site site);
  // By any context; `owner` took it.
  void ReleaseFor(const Task& owner, const Lock& lock, Site site);
  // The running task leaves the release to an I/O completion: for the checker it is done now, ...
  void HandOver(const Lock& lock, Site site);
  // ... and the completion does it: for an event log alone.
  void ReleaseHandedOver(const Lock& lock);
  void Downgrade(const Lock& lock);
  // The running context has to bring `event` about, until Release(). What is taken meanwhile
  // depends on it; it depends on nothing.
  void Adopt(const Lock& event, Site site);
  // A wait for whoever holds `lock`, without taking it.
  void Sync(const Lock& lock, Site site);

  // For events of which nobody says who must bring them about: from now on it is kept what each
  // task waits for since it began anew, for Ends().
  void LearnEnds() { learns_ends_ = checks_; }
  // The running task begins with something else: what it did has nothing to do with it.
  void BeginsAnew() {
    if (learns_ends_) context().waits.clear();
  }
  // The running context brings `event` about; see Validator::LearnEnd().
  void Ends(const Lock& event, Site site);

  // The running task parks until it is given `lock`, or woken; and is on its way again.
  void Contended(const Lock& lock, Site site);
  void Waited(const Lock& lock);

  // The running task is about to wait for something that may take long; a finding in an interrupt
  // or under a spinlock.
  void MightSleep(const char* what, Site site) {
    if (world_.in_irq() || context().spinlocks > 0) ReportSleep(what, site);
  }
  void SpinlockTaken() { ++context().spinlocks; }
  void SpinlockReleased() { --context().spinlocks; }
  void IrqsOff(Site site) { SetIrqs(false, site); }
  void IrqsOn(Site site) { SetIrqs(true, site); }
  // The interrupt context that the running task stands for, and which interrupts it has switched
  // off: for the checker alone.
  void SetIrqState(const IrqState& irq, Site site) {
    validator_.SetIrqState(context().held, irq, At(site));
  }
  // lockdep_assert_held()
  void AssertHeld(const Lock& lock, Site site) {
    validator_.CheckHeld(context().held, lock.lock_class(), lock.object().value, At(site));
  }

  void Misuse(const Lock& lock, std::string_view what, Site site);

  // What a task holds, for reports, and the running context; valid until one more task is spawned.
  const HeldLocks& held(TaskId task) { return ContextOf(task).held; }
  const HeldLocks& held() { return context().held; }
  void OnTaskEnd(Task& task) override;

 private:
  struct Context {
    explicit Context(HeldLocks locks) : held(std::move(locks)) {}
    HeldLocks held;
    int spinlocks = 0;
    std::vector<Acquisition> waits;  // of LearnEnds(), each class once
  };

  Context& context() { return world_.in_irq() ? irq_ : ContextOf(world_.current().id()); }
  Context& ContextOf(TaskId task) {
    if (task.value >= tasks_.size()) AddContexts();
    return tasks_[task.value];
  }
  void AddContexts();
  void DropHold(const Lock& lock, Site site);
  void KeepWait(const Acquisition& wait);
  // Requires: the world is logging.
  void Log(const char* what, const Lock& lock, bool shared = false);
  void LogUnlock(const Lock& lock, TaskId owner);
  void ReportSleep(const char* what, Site site);
  Here At(Site site) const { return {world_.stack(), site, world_.turns()}; }
  Acquisition Describe(const Lock& lock, ReadMode mode, Subclass subclass, bool trylock,
                       Site site) const;
  void SetIrqs(bool on, Site site);
  // For stat_.
  TaskId Who() const { return world_.in_irq() ? TaskId{} : world_.current().id(); }
  LockStat::Taking TakingOf(const Lock& lock, ReadMode mode, Subclass subclass, Site site) const;

  World& world_;
  Validator& validator_;
  bool checks_ = true;
  bool learns_ends_ = false;
  LockStat* stat_ = nullptr;
  Context irq_;
  std::vector<Context> tasks_;  // by TaskId
};

}  // namespace sim
