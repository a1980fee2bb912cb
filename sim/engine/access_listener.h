// What a race checker listens to: which parts of an execution come after each other because of what
// tasks do to synchronise, and what they read and write in between.
//
// A *context* is a task or one event. Every call but OnEventStart() is about the running context;
// there is none while a world is set up, and nothing is told then.
#pragma once

#include "sim/engine/footprint.h"
#include "sim/engine/ids.h"
#include "sim/engine/instance_name.h"

namespace sim {

class Task;

// How a field may be accessed without being a data race, as the kernel's memory model has it.
enum class Sharing : uint8_t {
  kPlain,          // conflicting accesses must be ordered
  kLocklessReads,  // READ_ONCE() of what WRITE_ONCE() stores: reads need no order, writes do
  kAtomic,         // atomic or approximate: no access needs order, and none gives any
  kOrdered,        // store-release and load-acquire, or a fully ordered atomic: gives order as well
};

// A field of the modelled kernel: the same for all objects that have it. Static strings, or such as
// outlive the world.
struct FieldType {
  const char* name;
  Sharing sharing = Sharing::kPlain;
  const char* why = "";  // not kPlain: what the kernel does there
};

// That field of one object.
struct Field {
  FieldType type;
  InstanceName owner;
  ObjectId object;
};

class AccessListener {
 public:
  virtual ~AccessListener() = default;

  // What the running context did so far comes before all that `task` does from now on: it has
  // started it, or ended its wait.
  virtual void OnSpawn(const Task& task) = 0;
  virtual void OnWake(const Task& task) = 0;
  // The same for an event that it has brought about.
  virtual void OnSchedule(EventId event) = 0;
  virtual void OnEventStart(EventId event) = 0;
  virtual void OnEventEnd() = 0;

  // A release comes before every later acquisition of `sync`; a shared one before exclusive ones
  // only, as a reader's unlock before a writer's lock.
  virtual void OnRelease(ObjectId sync, bool exclusive) = 0;
  virtual void OnAcquire(ObjectId sync, bool exclusive) = 0;

  virtual void OnAccess(const Field& field, Access access) = 0;
};

}  // namespace sim
