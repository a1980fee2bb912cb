// A lock program, compiled: what its threads do, as plain lists of instructions.
//
// Instructions name locks, events, variables and queues by number; an element of an array by an
// expression over the thread's registers. Blocks are jumps. It is compiled once and run by any
// number of executions (machine.h), which do not change it. Its texts are what reports point to, so
// it outlives them.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "model/program/expression.h"
#include "sim/engine/access_listener.h"
#include "sim/engine/stack_table.h"
#include "sim/lockdep/lock_types.h"
#include "sim/lockdep/reclaim.h"

namespace model {

enum class LockKind : uint8_t { kMutex, kRwsem, kPercpuRwsem, kSpinlock, kRawSpinlock, kFolio };

struct LockDecl {
  std::string name, lock_class;
  LockKind kind = LockKind::kMutex;
  // Which of an array; in its `index` for locks that may nest in ascending order.
  uint64_t number = sim::InstanceName::kNoNumber;
  uint64_t index = sim::InstanceName::kNoNumber;
  bool unique = false;  // LockClassTraits::unique
};

struct EventDecl {
  std::string name, lock_class;
  int64_t initial = 0;    // how many waits pass before the first signal
  bool counting = false;  // a signal lets one wait pass; otherwise all until it is cleared
  int32_t left_to = -1;   // the queue of which only items signal it, once and for all; -1: none
  bool learns = false;    // nobody says who has to signal it: learnt from executions
};

struct VariableDecl {
  std::string name;
  int64_t initial = 0;
  sim::Sharing sharing = sim::Sharing::kOrdered;
  uint64_t number = sim::InstanceName::kNoNumber;  // which of an array

  bool MayRace() const {
    return sharing == sim::Sharing::kPlain || sharing == sim::Sharing::kLocklessReads;
  }
};

struct QueueDecl {
  std::string name;
  int max_active = 1;
};

// From kSleep to kFlush in the order of scenario::OpKind.
enum class Opcode : uint8_t {
  kSleep,
  kLock,
  kTrylock,  // not got: jump
  kUnlock,
  kDowngrade,
  kAssertHeld,
  kWait,
  kOwe,  // whoever waits for the event waits for this thread, until it signals
  kSignal,
  kClear,
  kSubmit,  // signals by itself after a latency: I/O
  kWaitUntil,
  kLoad,
  kStore,
  kAdd,
  kCas,
  kLet,
  kAssert,
  kIrqOff,
  kIrqOn,
  kBhOff,
  kBhOn,
  kNofsSave,
  kNofsRestore,
  kNoioSave,
  kNoioRestore,
  kAlloc,
  kReclaimBegin,
  kReclaimEnd,
  kQueue,
  kFlush,
  kJump,
  kJumpUnless,
};

struct Instruction {
  Opcode op = Opcode::kJump;
  bool read = false;      // kLock, kTrylock
  bool gets_on = false;   // it brings the thread on: it is in no `while`
  uint32_t subclass = 0;  // kLock
  sim::Gfp gfp = sim::Gfp::kKernel;
  uint32_t first = 0;  // the object ...
  uint32_t count = 1;  // ... or, of an array of so many, the one at `index`
  uint32_t jump = 0;   // where to go on
  uint32_t work = 0;   // kQueue: in LockProgram::works
  int32_t into = -1;   // the register that takes the result; -1: none
  int64_t lo_ns = 0, hi_ns = 0;
  Expression index, value, old_value;
  const char* text = "";  // kAssert: what is asserted
  sim::Site site;
};

// What one thread or work item runs.
struct Routine {
  std::string name;
  sim::FrameSite frame;
  std::vector<Instruction> code;
  size_t registers = 0;
  int64_t me = 0;  // the first register: which thread this is
  int64_t repeat = 1;
  bool daemon = false;  // runs again and again; its first wait is that for work
  sim::IrqState irq;    // in which it runs
  // Events that it alone signals, once: whoever waits for one waits for this thread from its start.
  std::vector<uint32_t> owes;
};

struct LockProgram {
  // Somebody waits for a variable's value, or for an event that `learns`.
  bool learns_ends = false;
  std::deque<std::string> texts;  // what sites and instructions point to
  std::vector<LockDecl> locks;
  std::vector<EventDecl> events;
  std::vector<VariableDecl> variables;
  std::vector<QueueDecl> queues;
  std::deque<Routine> threads, works;
};

}  // namespace model
