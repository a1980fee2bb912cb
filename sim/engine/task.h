// A simulated thread: a fiber, where it stands, and what it waits for.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "sim/engine/fiber.h"
#include "sim/engine/footprint.h"
#include "sim/engine/ids.h"
#include "sim/engine/stack_table.h"

namespace sim {

class World;

// Something that tasks wait for: a lock, an event. Says so in reports of deadlocks.
class Waitable {
 public:
  explicit Waitable(ObjectId object) : object_(object) {}
  virtual ~Waitable() = default;
  Waitable(const Waitable&) = delete;
  Waitable& operator=(const Waitable&) = delete;

  ObjectId object() const { return object_; }
  // Such as "i_data_sem of inode 12".
  virtual std::string Describe() const = 0;
  // The tasks that could end the wait, as far as known; in order of id.
  virtual std::vector<TaskId> Owners() const { return {}; }
  // False if a task that came now with this access, a read or a write, would be parked.
  virtual bool Admits(Access) const { return true; }

 private:
  ObjectId object_;
};

enum class TaskKind : uint8_t {
  kUser,    // the execution ends when all of these have
  kDaemon,  // waits for work in World::ParkIdle(), and ends when that returns false
};

// Lies on top of its stack.
class Task {
 public:
  enum class State : uint8_t { kReady, kRunning, kParked, kDone };

  World& world() const { return world_; }
  TaskId id() const { return id_; }
  const std::string& name() const { return name_; }
  TaskKind kind() const { return kind_; }
  State state() const { return state_; }
  bool idle() const { return idle_; }
  // World::turns() when it last got on with what it is there for.
  uint64_t progress_at() const { return progress_at_; }

  // While ready: what its next turn may wait for; null if that is nothing, or not known before.
  const Waitable* gate() const { return gate_; }

  // What it has been asked to do, for reports: lives as long as the world. Empty: nothing.
  std::string_view operation() const { return operation_; }
  void set_operation(std::string_view operation) { operation_ = operation; }

  // Where it is, for reports; kept by SIM_FRAME.
  StackId stack() const { return stack_; }
  void set_stack(StackId stack) { stack_ = stack; }

  // While parked: on what, and where in the model's source.
  const Waitable* waiting_on() const { return waiting_on_; }
  Site waiting_at() const { return waiting_at_; }

  // The task whose stack this is called on; never in a plain function of the host program.
  static Task& Current() { return *static_cast<Task*>(Fiber::RunningOwner()); }

 private:
  friend class World;

  Task(World& world, TaskId id, std::string name, TaskKind kind, std::byte* room,
       absl::AnyInvocable<void()> body);
  static void Enter(void* task);

  // What every turn needs is together.
  World& world_;
  Fiber fiber_;
  TaskId id_;
  TaskKind kind_;
  State state_ = State::kReady;
  bool started_ = false;
  bool idle_ = false;               // parked in ParkIdle()
  bool timed_out_ = false;          // what ended the last wait with a deadline
  EventId timeout_;                 // while parked with a deadline
  Footprint next_;                  // while ready: what its next turn starts with, ...
  const Waitable* gate_ = nullptr;  // ... and what may park it there
  StackId stack_ = StackTable::kEmpty;
  const Waitable* waiting_on_ = nullptr;
  Site waiting_at_;
  uint64_t progress_at_ = 0;
  std::string_view operation_;
  std::string name_;
  absl::AnyInvocable<void()> body_;
};

}  // namespace sim
