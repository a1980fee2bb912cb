// Dense ids, in order of creation: what is ordered, hashed and printed instead of addresses.
#pragma once

#include <compare>
#include <cstdint>
#include <utility>

namespace sim {

template <class Tag>
struct Id {
  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t value = kNone;

  constexpr bool valid() const { return value != kNone; }
  constexpr auto operator<=>(const Id&) const = default;
  template <class H>
  friend H AbslHashValue(H h, const Id& id) {
    return H::combine(std::move(h), id.value);
  }
};

using TaskId = Id<struct TaskTag>;
// Anything shared between tasks that a step may read or write: a lock, a Shared<T> cell, a device.
using ObjectId = Id<struct ObjectTag>;
using LockClassId = Id<struct LockClassTag>;
using EventId = Id<struct EventTag>;
// A call stack of the model, interned in a StackTable.
using StackId = Id<struct StackTag>;

using Nanos = int64_t;  // virtual nanoseconds

}  // namespace sim
