// The locks that one context holds, in the order taken [task_struct::held_locks].
//
// A context is a task together with the interrupts that run on top of it, as in the kernel, or an
// interrupt of its own. Locks taken in different interrupt contexts of one stack do not depend on
// each other.
//
// Unlike the kernel there is no greatest depth (MAX_LOCK_DEPTH).
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/engine/ids.h"
#include "sim/engine/stack_table.h"
#include "sim/lockdep/lock_types.h"

namespace sim {

struct HeldLock {
  Acquisition acquisition;
  uint64_t chain_key = 0;   // of the chain up to and including this lock
  uint8_t irq_context = 0;  // in which it was taken
  uint16_t pins = 0;        // lock_pin_lock()
};

class HeldLocks {
 public:
  // `stacks`, of the acquisitions to come, outlives this; null: they have none.
  explicit HeldLocks(TaskId task = {}, std::string task_name = {},
                     const StackTable* stacks = nullptr)
      : task_(task), task_name_(std::move(task_name)), stacks_(stacks) {}

  TaskId task() const { return task_; }
  const std::string& task_name() const { return task_name_; }
  const StackTable* stacks() const { return stacks_; }

  // Only one task of this name can be there at a time, a daemon: what only it does excludes itself.
  // Requires: nothing has been taken yet.
  void set_unique_task() {
    unique_task_ = true;
    for (char c : task_name_) chain_seed_ = (chain_seed_ ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  }

  // Outermost first.
  const std::vector<HeldLock>& locks() const { return locks_; }
  bool empty() const { return locks_.empty(); }
  // The innermost hold of this instance; null: not held.
  const HeldLock* Find(uint64_t instance) const {
    for (auto held = locks_.rbegin(); held != locks_.rend(); ++held) {
      if (held->acquisition.instance == instance) return &*held;
    }
    return nullptr;
  }
  const IrqState& irq() const { return irq_; }

 private:
  friend class Validator;

  HeldLock* FindMutable(uint64_t instance) {
    return const_cast<HeldLock*>(std::as_const(*this).Find(instance));
  }
  uint8_t irq_context() const { return irq_flags_ & 3; }
  void set_irq(const IrqState& irq) {
    irq_ = irq;
    irq_flags_ = static_cast<uint8_t>((irq.in_hardirq ? 1 : 0) | (irq.in_softirq ? 2 : 0) |
                                      (irq.hardirqs_on ? 4 : 0) | (irq.softirqs_on ? 8 : 0) |
                                      (irq.threaded ? 16 : 0));
  }

  TaskId task_;
  std::string task_name_;
  const StackTable* stacks_ = nullptr;
  bool unique_task_ = false;
  uint64_t chain_seed_ = 0x243f6a8885a308d3;  // its chains are not those of others
  IrqState irq_;
  uint8_t irq_flags_ = 4 | 8;  // irq_, as part of a chain's key
  std::vector<HeldLock> locks_;
};

}  // namespace sim
