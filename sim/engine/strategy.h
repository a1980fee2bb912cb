// A strategy makes the choices of an execution: who takes the next turn.
//
// A turn is one step of one actor: a task running from its choice point to its next one, or one
// event (an I/O completion, a timer). The same scenario, seed and turns give the same execution.
#pragma once

#include <cstdint>
#include <span>

#include "sim/engine/footprint.h"
#include "sim/engine/ids.h"

namespace sim {

// Who can take a turn.
struct Actor {
  enum class Kind : uint8_t { kTask, kEvent };
  Kind kind = Kind::kTask;
  uint32_t id = 0;  // TaskId or EventId

  bool operator==(const Actor&) const = default;
};

struct Candidate {
  Actor actor;
  Footprint next;      // what the turn starts with
  Nanos ready_at = 0;  // when it may happen, going by time
  // For strategies that want turns: the turn asks for a lock, and may have to wait for it; ...
  bool asks = false;
  // ... and would now: it would do nothing but park.
  bool blocked = false;
  // Of a task: how many turns had begun when it could first go on.
  uint64_t since = 0;
};

struct ChoicePoint {
  // Tasks by id, then events by time and order of creation; never empty.
  std::span<const Candidate> candidates;
  uint64_t turn = 0;  // of this execution, from 0
  // The task that has just run, if it could go on: choosing another is a preemption.
  TaskId running;
  // Events made so far have ids below, later ones do not; ...
  EventId events_end;
  // The user tasks have returned: what is left are daemons that return.
  bool winding_down = false;
  // ... and so have objects and fields.
  ObjectId objects_end, fields_end;
};

// One turn as it was taken, with everything it touched, in order.
struct Turn {
  Actor actor;
  std::span<const Footprint> accesses;
};

class World;

class Strategy {
 public:
  virtual ~Strategy() = default;

  // Before anything has happened in the world that is to be steered, which lives until OnEnd().
  virtual void OnStart(const World&) {}

  // True if the earliest candidate always goes next; Choose() is then not called.
  virtual bool follows_time() const { return false; }
  // True if OnTurn() is to be called with the footprints of each turn, and Choose() for each turn,
  // even if there is one candidate only.
  virtual bool wants_turns() const { return false; }

  // An index into `point.candidates`, or kAbandon.
  virtual size_t Choose(const ChoicePoint& point) = 0;
  // This execution is of no more interest.
  static constexpr size_t kAbandon = SIZE_MAX;
  virtual void OnTurn(const Turn&) {}
  virtual void OnEnd() {}
};

// The choices of an execution, run-length coded: `actor` took `turns` turns in a row.
struct ScheduleRun {
  Actor actor;
  uint32_t turns = 0;

  bool operator==(const ScheduleRun&) const = default;
};

}  // namespace sim
