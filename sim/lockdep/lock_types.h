// The vocabulary of lock checking: what can be said about one acquisition.
//
// Terms and values are those of include/linux/lockdep.h and lockdep_types.h: the read argument of
// lock_acquire(), wait types, subclasses.
#pragma once

#include <cstdint>
#include <string_view>

#include "sim/engine/ids.h"
#include "sim/engine/instance_name.h"
#include "sim/engine/stack_table.h"

namespace sim {

// lock_acquire()'s read argument.
enum class ReadMode : uint8_t {
  kExclusive = 0,
  kShared = 1,           // a queued writer holds it back: down_read()
  kSharedRecursive = 2,  // never waits for a queued writer: read_lock() in interrupts, RCU
};

// What the holder may still do (inner) and what a taker must be allowed to do (outer), in the
// order of LD_WAIT_*. A lock may be taken where each lock held has an inner type at least as
// large as its outer one.
enum class WaitType : uint8_t {
  kInvalid = 0,  // not checked: events, handles
  kFree = 1,     // waits for nothing: RCU
  kSpin = 2,     // raw_spinlock_t
  kConfig = 3,   // spinlock_t: sleeps on PREEMPT_RT; the same as kSpin unless
                 // LockOptions::raw_lock_nesting
  kSleep = 4,    // mutex, rw_semaphore
};

// Rules that all locks of a class share.
struct LockClassTraits {
  WaitType inner = WaitType::kInvalid;
  WaitType outer = WaitType::kInvalid;  // kInvalid: the same as inner
  bool per_cpu = false;                 // local_lock_t: takes no part in interrupt inversions
  bool unique = false;                  // at most one lock of this class at a time, and one that
                                        // excludes: those who hold it exclude each other

  bool checker_only = false;  // nobody waits for it in a simulation, as one would in life

  bool operator==(const LockClassTraits&) const = default;
};
inline constexpr LockClassTraits kSleepingLock{WaitType::kSleep};
inline constexpr LockClassTraits kSpinLock{WaitType::kConfig};
inline constexpr LockClassTraits kRawSpinLock{WaitType::kSpin};

// The class of a lock that there is only one of, so that whoever holds it shuts out all others.
constexpr LockClassTraits Unique(LockClassTraits traits) {
  traits.unique = true;
  return traits;
}

// As many as there is room for in a chain's key; the kernel has MAX_LOCKDEP_SUBCLASSES, 8.
inline constexpr uint32_t kMaxSubclasses = 1 << 26;

// Where something happened: in which frames, at which line of the model, at which step.
struct Here {
  StackId stack = StackTable::kEmpty;  // in the StackTable of the HeldLocks concerned
  Site site;
  uint64_t step = 0;
};

// Which interrupts a context is in, and which could come. The caller keeps nesting counts.
struct IrqState {
  bool in_hardirq = false;
  bool in_softirq = false;
  bool hardirqs_on = true;
  bool softirqs_on = true;
  bool threaded = false;  // in_hardirq, of a handler that PREEMPT_RT runs in a thread

  bool operator==(const IrqState&) const = default;
};

// One call of lock_acquire().
struct Acquisition {
  LockClassId lock_class;
  uint32_t subclass = 0;  // < kMaxSubclasses
  ReadMode read = ReadMode::kExclusive;
  bool trylock = false;        // did not wait: no dependency leads to it
  bool check = true;           // false: only known to be held, as rcu_read_lock() is
  bool event = false;          // held by who has to bring it about; shuts nobody out
  uint64_t instance = 0;       // which lock of the class; any value, unique among live locks
  uint64_t nest_instance = 0;  // nest_lock: the held lock that serialises takers; 0: none
  Here at;
  InstanceName name;
};

}  // namespace sim
