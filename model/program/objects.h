// The locks, events and variables of one execution of a lock program, over sim/locking.
#pragma once

#include <deque>
#include <memory>
#include <variant>

#include "model/program/program.h"
#include "sim/locking/bit_lock.h"
#include "sim/locking/mutex.h"
#include "sim/locking/rwsem.h"
#include "sim/locking/spinlock.h"
#include "sim/locking/wait_event.h"
#include "sim/locking/workqueue.h"

namespace model {

// A lock of any kind. percpu_rwsem is a rwsem: they differ in cost alone.
class AnyLock {
 public:
  AnyLock(sim::World& world, const LockDecl& decl);

  void lock(bool read, sim::Subclass subclass, sim::Site site);
  [[nodiscard]] bool trylock(bool read, sim::Site site);
  void unlock(sim::Site site);
  // Requires: of a kind that has readers.
  void downgrade(sim::Site site);
  const sim::Lock& lock() const;

 private:
  std::variant<sim::Mutex, sim::RwSem, sim::SpinLock, sim::BitLock> lock_;
};

// An event that threads wait for; see EventDecl.
class ProgramEvent {
 public:
  ProgramEvent(sim::World& world, const EventDecl& decl);

  void wait(sim::Site site);
  // For daemons: false once the execution is over.
  [[nodiscard]] bool wait_idle(sim::Site site);
  void signal(sim::Site site);
  void clear();
  // Only items of this queue signal it.
  void LeaveTo(sim::Workqueue& items);
  // As signal(), after a delay.
  void submit(sim::Nanos latency);

  sim::WaitQueue& queue() { return queue_; }
  bool is_set() const { return count_ > 0; }
  int64_t count() const { return count_; }

 private:
  static void Complete(void* self, uint64_t unused);
  void Log(const char* what);
  void Set(sim::Site site);
  void Consume() { count_ -= counting_ ? 1 : 0; }

  sim::World& world_;
  sim::WaitQueue queue_;
  sim::Workqueue* items_ = nullptr;  // LeaveTo()
  int64_t count_ = 0;
  bool counting_ = false;
  bool learns_ = false;
};

// A variable that threads share. Every access is a choice point, and is told to the race checker as
// what its declaration says.
class Variable {
 public:
  Variable(sim::World& world, const VariableDecl& decl);

  int64_t value() const { return value_; }
  int64_t load();
  void store(int64_t value, sim::Site site);
  // The value before.
  int64_t add(int64_t amount, sim::Site site);
  int64_t cas(int64_t old_value, int64_t new_value, sim::Site site);
  void wait_until(int64_t value, sim::Site site) {
    changed_.wait_event([this, value] { return value_ == value; }, site);
  }

 private:
  void Set(const char* what, int64_t value, sim::Site site);
  void Log(const char* what, int64_t value);

  sim::World& world_;
  sim::WaitQueue changed_;
  sim::Field field_;
  int64_t value_ = 0;
};

struct Objects {
  Objects(sim::World& world, const LockProgram& program);

  std::deque<AnyLock> locks;
  std::deque<ProgramEvent> events;
  std::deque<Variable> variables;
  std::deque<sim::Workqueue> queues;
  sim::WaitQueue fs_reclaim;  // for the lock checker: what reclaim holds and allocations wait for
};

}  // namespace model
