// What every modelled lock shares: its class, its instance, its queue of waiters.
//
// Every call that may wait is a choice point before it takes effect. Locks are handed over: who
// gives one up picks the next owner by the lock's rule and wakes it as the owner.
//
// Not modelled: optimistic spinning and lock stealing. Both change who wins a race, which the
// strategy explores anyway; neither changes which orders are legal.
//
// While a world is torn down, unlocking does nothing: a power cut runs no unlock.
#pragma once

#include <string>

#include "absl/container/inlined_vector.h"
#include "sim/engine/world.h"
#include "sim/lockdep/validator.h"

namespace sim {

// The nesting annotation of a lock call, as the kernel's _nested() variants take it.
enum class Subclass : uint32_t { kNormal = 0, kParent = 1, kChild = 2, kNonDir2 = 4 };

class Lock : public Waitable {
 public:
  // `lock_class` is shared by every instance under the same rules (all i_data_sem: one class).
  Lock(World& world, LockClassId lock_class, InstanceName name)
      : Lock(world, lock_class, name, world.NewObject()) {}
  // Which object it is was settled before: for what is made by whoever needs it first.
  Lock(World& world, LockClassId lock_class, InstanceName name, ObjectId object)
      : Waitable(object), world_(world), class_(lock_class), name_(name) {}

  LockClassId lock_class() const { return class_; }
  const InstanceName& name() const { return name_; }
  std::string Describe() const override;

  // Whoever waits here waits for what the lock checker knows as `event`, too.
  void StandsFor(const Lock& event) { stands_for_.push_back(event.lock_class()); }
  const absl::InlinedVector<LockClassId, 2>& stands_for() const { return stands_for_; }

 protected:
  // A parked task in a lock's queue; lives on that task's stack.
  struct Waiter {
    Task* task = nullptr;
    bool exclusive = true;
    Waiter* next = nullptr;
  };

  // First come, first served.
  class WaiterQueue {
   public:
    bool empty() const { return first_ == nullptr; }
    Waiter* first() const { return first_; }
    void Push(Waiter& waiter) {
      *last_ = &waiter;
      last_ = &waiter.next;
    }
    void Pop() {
      first_ = first_->next;
      if (first_ == nullptr) last_ = &first_;
    }

   private:
    Waiter* first_ = nullptr;
    Waiter** last_ = &first_;
  };

  LockTracker& tracker() const { return world_.lock_tracker(); }

  // Parks the running task until it is the owner, or woken.
  void ParkFor(Site site);

  // For the race checker: the running context has got the lock, waiting or not; it gives it up.
  void Got(bool exclusive = true) const { world_.Acquired(object(), exclusive); }
  void Gives(bool exclusive = true) const { world_.Released(object(), exclusive); }

  World& world_;

 private:
  LockClassId class_;
  InstanceName name_;
  absl::InlinedVector<LockClassId, 2> stands_for_;
};

struct AdoptLock {};
inline constexpr AdoptLock kAdoptLock;

// Takes in the constructor, gives back in the destructor.
template <class L, void (L::*take)(Subclass, Site), void (L::*give)(Site)>
class LockGuard {
 public:
  explicit LockGuard(L& lock, Subclass subclass = Subclass::kNormal, Site site = Site::Here())
      : lock_(&lock), site_(site) {
    (lock.*take)(subclass, site);
  }
  // The caller has taken it.
  LockGuard(L& lock, AdoptLock, Site site = Site::Here()) : lock_(&lock), site_(site) {}
  ~LockGuard() {
    if (lock_ != nullptr) (lock_->*give)(site_);
  }
  LockGuard(const LockGuard&) = delete;
  LockGuard& operator=(const LockGuard&) = delete;

  // Gives the lock back before the end of the block, and takes it again.
  void Unlock(Site site = Site::Here()) {
    (lock_->*give)(site);
    lock_ = nullptr;
  }
  void Relock(L& lock, Subclass subclass = Subclass::kNormal, Site site = Site::Here()) {
    (lock.*take)(subclass, site);
    lock_ = &lock;
  }

 private:
  L* lock_;
  Site site_;
};

}  // namespace sim
