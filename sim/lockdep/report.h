// What the validator has to say about locks: plain data, then text in lockdep's layout, then JSON.
//
// A report speaks of *possible* deadlocks, unless it is about misuse. It stands alone: it needs
// neither the validator nor the world that it came from. The text follows the kernel's
// [kernel/locking/lockdep.c:print_circular_bug() and its neighbours], with these differences: no
// addresses but the name of the instance; `at:` gives function and source line; each dependency
// shows where its holder was taken, too; an interrupt report names paths instead of dumping both
// subgraphs; "sync" marks a wait without a hold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nlohmann/json_fwd.hpp"
#include "sim/engine/ids.h"
#include "sim/engine/stack_table.h"
#include "sim/lockdep/lock_types.h"
#include "sim/lockdep/usage.h"

namespace sim {

struct LockName {
  std::string name;
  uint32_t subclass = 0;
  UsageMask usage = 0;           // when the report was made
  uint8_t outer = 0, inner = 0;  // wait types, in the kernel's numbers
  bool checker_only = false;     // LockClassTraits

  std::string Text() const;  // "name" or "name/subclass"
};

// One lock as somebody took it.
struct LockUse {
  LockName lock;
  ReadMode read = ReadMode::kExclusive;
  bool trylock = false;
  bool sync = false;     // waited for, not held
  std::string instance;  // its name; empty: none given
  Site site;
  std::vector<const FrameSite*> frames;  // innermost first
};

// Who did something, and when.
struct LockActor {
  std::string name;
  TaskId task;
  uint64_t execution = 0;
  uint64_t step = 0;
  IrqState irq;
};

// `acquired` was waited for while `held` was held.
struct LockEdge {
  LockUse held, acquired;
  LockActor actor;
  // Nobody was said to hold `held`, an event: the actor waited before it brought the event about,
  // and so did everybody who ever did.
  bool learnt = false;
};

// Whether a cycle can become a deadlock, by general rules over all contexts in which its edges were
// seen; see Validator::Cycles().
enum class CycleVerdict : uint8_t {
  kPossible,  // nothing known excludes it
  kGuarded,   // two of its waits only ever happen under one lock, held by both
  kSameTask,  // two of its waits are only ever one and the same daemon's
};
const char* VerdictName(CycleVerdict verdict);  // "possible", "guarded", "same task only"

// Who was first seen with it, in one line: "writer/2 at ext4_map_blocks+model/ext4/inode.cc:97".
std::string FirstSeenText(const LockEdge& edge);

// edges[i].acquired is edges[i + 1].held, the last one's is edges[0].held; edges[0] closed it.
struct LockCycle {
  std::vector<LockEdge> edges;
  CycleVerdict verdict = CycleVerdict::kPossible;
  std::string why;  // one line; empty for kPossible
};

// Two uses of locks that do not go together when an interrupt comes.
struct IrqConflict {
  UsageBit safe_bit = UsageBit::kUsed, unsafe_bit = UsageBit::kUsed;
  LockUse safe, unsafe;  // who first used the irq-safe and the irq-unsafe lock so
  LockActor safe_actor, unsafe_actor;
  std::vector<LockEdge> path;  // from the safe lock to the unsafe one; empty: they are one
};

enum class ReportKind : uint8_t {
  kLockCycle,
  kRecursiveLock,
  kInconsistentUsage,  // one class irq-safe and irq-unsafe
  kIrqInversion,       // a class became irq-safe or -unsafe, against existing dependencies
  kIrqOrder,           // a new dependency leads from an irq-safe to an irq-unsafe class
  kWaitContext,        // a wait that is not allowed under the locks held, or in this interrupt
  kNestNotHeld,
  kUnlockBalance,  // released but not held
  kHeldAtExit,
  kHeldInUserSpace,  // on return to user space
  kHeldFreed,        // initialised or freed while held
  kNotHeld,          // asserted to be held but not
  kMisuse,           // by another rule; `headline` says which
};

// The finding's kind: "lock_cycle", "recursive_lock", "irq_inversion" or "lock_misuse".
const char* FindingKind(ReportKind kind);
// lockdep's headline: "possible circular locking dependency detected".
std::string Headline(const struct LockReport& report);

struct LockReport {
  ReportKind kind = ReportKind::kLockCycle;
  LockActor actor;
  LockUse lock;               // taken, released, or found held; kHeldAtExit: the outermost
  LockUse holding;            // kRecursiveLock: the hold that it repeats
  std::string nest;           // kNestNotHeld: the lock that was not held, if known
  std::string headline;       // kMisuse
  LockCycle cycle;            // kLockCycle
  IrqConflict irq;            // kInconsistentUsage, kIrqInversion, kIrqOrder
  std::vector<LockUse> held;  // by the actor, outermost first, before `lock`
};

// One line that is the same for each repetition of the same fault.
std::string Message(const LockReport& report);
std::string RenderText(const LockReport& report);
nlohmann::ordered_json ToJson(const LockReport& report);
nlohmann::ordered_json ToJson(const LockCycle& cycle);
nlohmann::ordered_json ToJson(const std::vector<LockEdge>& edges);

}  // namespace sim
