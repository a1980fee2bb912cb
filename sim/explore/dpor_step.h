// Turns as partial-order reduction (dpor.h) speaks of them beyond the execution that they are of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "sim/engine/footprint.h"
#include "sim/engine/ids.h"

namespace sim {

// An actor, by a number that is the same in all executions. An event's id will not do: it depends
// on the order of independent turns.
using DporActor = uint32_t;
inline constexpr DporActor kNoDporActor = UINT32_MAX;

// Gives actors their numbers; for any number of threads. Nothing depends on which numbers.
class DporActors {
 public:
  // An event's creator, turn and place among what that turn made; or kTask and the task.
  using Key = std::tuple<DporActor, uint32_t, uint32_t>;
  static constexpr DporActor kTask = kNoDporActor - 1;

  DporActor Task(TaskId id) { return NumberOf({kTask, id.value, 0}); }
  // The `nth` turn of `creator` made it, as its `which`-th event. No creator: made before any turn.
  DporActor Event(DporActor creator, uint32_t nth, uint32_t which) {
    return NumberOf({creator, nth, which});
  }

  // Of all actors so far, by their numbers.
  std::vector<Key> Keys() const {
    const std::lock_guard lock(mutex_);
    std::vector<Key> keys(numbers_.size());
    for (const auto& [key, number] : numbers_) keys[number] = key;
    return keys;
  }

 private:
  DporActor NumberOf(const Key& key) {
    const std::lock_guard lock(mutex_);
    return numbers_.try_emplace(key, static_cast<DporActor>(numbers_.size())).first->second;
  }

  mutable std::mutex mutex_;  // guards what follows
  std::map<Key, DporActor> numbers_;
};

// What an actor does in one turn.
struct DporStep {
  DporActor actor = kNoDporActor;
  bool asks = false;    // for a lock, the object of the first access, and waits for it
  bool fixed = true;    // the accesses count as those that it will have; ...
  bool certain = true;  // ... and are: it was taken after these very turns, but for their order
  absl::InlinedVector<Footprint, 3> accesses;
};

inline bool Depend(const DporStep& a, const DporStep& b) {
  if (!a.fixed || !b.fixed) return true;
  return std::any_of(a.accesses.begin(), a.accesses.end(), [&](const Footprint& x) {
    return std::any_of(b.accesses.begin(), b.accesses.end(),
                       [&](const Footprint& y) { return Conflict(x, y); });
  });
}

}  // namespace sim
