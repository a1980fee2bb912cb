// EventQueue: what is going to happen in a world: timers, I/O completions, work to start.
//
// Events come out in the order of (time, order of creation), whatever was cancelled or taken out of
// order in between, so that a timed run needs no other tie-break. An exploring strategy instead
// lists what is pending and takes any of it.
//
// Two arrays: a 4-ary heap of 16-byte keys whose siblings share a cache line, and a hash table from
// id to the rest of the event. An event that is cancelled or taken out of order leaves its key in
// the heap; such keys are dropped when they reach the top, at ListPending(), or when they are the
// majority. Both arrays only grow, so a steady state allocates nothing.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "sim/check.h"
#include "sim/engine/ids.h"

namespace sim {

struct Event {
  using Run = void (*)(void* self, uint64_t arg);

  Nanos at = 0;
  EventId id;
  ObjectId object;  // footprint: what `run` writes; none: nothing shared
  Run run = nullptr;
  void* self = nullptr;
  uint64_t arg = 0;

  void operator()() const { run(self, arg); }
};

// By which events are ordered. The default comes after every event.
struct EventKey {
  Nanos at = std::numeric_limits<Nanos>::max();
  uint64_t sequence = UINT64_MAX;  // EventId

  // Without a branch: in a heap it would be mispredicted every other time.
  friend bool operator<(const EventKey& a, const EventKey& b) {
    return (int{a.at < b.at} | (int{a.at == b.at} & int{a.sequence < b.sequence})) != 0;
  }
};

class EventQueue {
 public:
  // Later than any event.
  static constexpr Nanos kNever = std::numeric_limits<Nanos>::max();

  EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  bool empty() const { return size_ == 0; }
  size_t size() const { return size_; }

  // When the earliest pending event is due; kNever if none is pending.
  Nanos earliest_at() const { return KeyAt(kRoot).at; }

  // The event that PopEarliest() would return; none if none is pending.
  EventId earliest_id() const { return IdOf(KeyAt(kRoot)); }

  // Requires: 0 <= at < kNever; `run` is not null; `self` lives until the event has run or is gone.
  // Ids count from 0 since the construction or the last Clear().
  EventId Push(Nanos at, Event::Run run, void* self, uint64_t arg, ObjectId object = {});

  // Requires: not empty.
  Event PopEarliest();

  // Takes one event, earliest or not.
  // Requires: IsPending(id).
  Event Pop(EventId id);

  // False if the event is not pending: it was popped or cancelled before.
  bool Cancel(EventId id);

  bool IsPending(EventId id) const { return FindSlot(id) != kNoSlot; }

  // Replaces the contents of `pending` by all pending events, in the order in which PopEarliest()
  // would return them.
  void ListPending(std::vector<Event>& pending);

  // Drops every event and starts ids from 0 again; keeps the memory.
  void Clear();

 private:
  struct alignas(64) CacheLine {
    EventKey key[4];
  };
  static constexpr EventKey kLast{};  // fills the places behind the heap's end
  static constexpr size_t kRoot = 3;  // so that children 4(i - 2) .. 4(i - 2) + 3 share a line
  static constexpr size_t kNoSlot = SIZE_MAX;
  static constexpr size_t kInitialSlots = 64;

  static EventId IdOf(const EventKey& key) { return EventId{static_cast<uint32_t>(key.sequence)}; }

  EventKey& KeyAt(size_t i) { return heap_[i / 4].key[i % 4]; }
  const EventKey& KeyAt(size_t i) const { return heap_[i / 4].key[i % 4]; }

  void PushKey(const EventKey& key);
  void PopRoot();
  void DropDeadRoots();
  void DropDeadKeys();

  // Fibonacci hashing: scatters runs of ids, which are what lives long together.
  size_t HomeSlot(EventId id) const { return (id.value * UINT32_C(2654435769)) >> slot_shift_; }
  size_t NextSlot(size_t slot) const { return (slot + 1) & (slots_.size() - 1); }
  size_t FindSlot(EventId id) const;
  void InsertSlot(const Event& event);
  Event TakeSlot(size_t slot);
  void GrowSlots();

  std::vector<CacheLine> heap_;  // keys kRoot .. heap_end_ - 1, then kLast
  size_t heap_end_ = kRoot;
  std::vector<Event> slots_;  // linear probing; free: id is none
  int slot_shift_ = 0;
  size_t size_ = 0;  // events pending; heap_end_ - kRoot - size_ keys are dead
  uint32_t next_id_ = 0;
};

}  // namespace sim
