// Which parts of an execution come after each other: vector clocks of tasks, events and whatever
// they synchronise by.
//
// What comes before what: a release before a later acquisition of the same object, who wakes before
// who is woken, who spawns before the spawned, who brings an event about before the event. Nothing
// else: that one was scheduled after the other says nothing.
//
// A task is a chain of its own in the clocks. Events are many and short, so one goes on the first
// chain of events whose last one comes before it; there are as many chains as events that were ever
// unordered, and the answers are the same as with one for each.
#pragma once

#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sim/engine/ids.h"
#include "sim/race/vector_clock.h"

namespace sim {

class HappensBefore {
 public:
  // A task, or the event started last.
  class Context {
   public:
    // The time of what it does now.
    Epoch Now() {
      if (published_) {  // what it does from now on is not part of that
        published_ = false;
        clock_.Set({now_.chain, ++now_.time});
      }
      return now_;
    }
    // Does all that happened up to `epoch` come before what it does now?
    bool IsAfter(Epoch epoch) const { return clock_.Includes(epoch); }

   private:
    friend class HappensBefore;

    Epoch now_;
    bool published_ = true;
    VectorClock clock_;
  };

  Context& OfTask(TaskId task);

  // `by`: null for what happens before the world runs, which comes before everything.
  void Spawn(Context* by, TaskId task);
  void Wake(Context& by, TaskId task);
  void Schedule(Context* by, EventId event);
  // The context of an event, until EndEvent().
  Context& StartEvent(EventId event);
  void EndEvent();

  void Release(Context& by, ObjectId sync, bool exclusive);
  void Acquire(Context& by, ObjectId sync, bool exclusive);

 private:
  struct Sync {
    VectorClock exclusive, shared;  // what has been released so
  };

  static void Publish(Context& by, VectorClock& to) {
    to.Join(by.clock_);
    by.published_ = true;
  }

  std::deque<Context> tasks_;  // by TaskId
  absl::flat_hash_map<ObjectId, Sync> syncs_;
  absl::flat_hash_map<EventId, VectorClock> scheduled_;
  std::vector<Epoch> event_chains_;  // the end of the last event on each
  size_t event_chain_ = 0;           // that of the event
  Context event_;
  ChainId chains_ = 0;
};

}  // namespace sim
