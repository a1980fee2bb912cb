// EventQueue: what is going to happen in a world: timers, I/O completions, work to start.
//
// Events come out in the order of (time, order of creation), whatever was cancelled or taken out of
// order in between, so that a timed run needs no other tie-break. An exploring strategy instead
// lists what is pending and takes any of it.
//
// A 4-ary heap of 16-byte keys, in which siblings share a cache line, and the rest of each event in
// a slot that does not move. What happens mostly starts something that happens later, so the place
// of the event popped last stays free, just below the root, for the next one pushed: one way down
// the heap serves both. Worlds have few events pending, so what is not the earliest is found by a
// look at each key. The arrays only grow: a steady state allocates nothing.
#pragma once

#include <boost/align/aligned_allocator.hpp>
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

class EventQueue {
 public:
  // Later than any event.
  static constexpr Nanos kNever = std::numeric_limits<Nanos>::max();

  EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  bool empty() const { return size() == 0; }
  size_t size() const { return end_ - kRoot - (hole_ != kNoHole ? 1 : 0); }

  // When the earliest pending event is due; kNever if none is pending.
  Nanos earliest_at() const { return AtOf(keys_[kRoot]); }

  // The event that PopEarliest() would return; none if none is pending.
  EventId earliest_id() const { return IdOf(keys_[kRoot]); }

  // The `self` of that event; null if none is pending.
  void* earliest_self() const { return empty() ? nullptr : slots_[SlotOf(keys_[kRoot])].self; }

  // The id of the next event.
  EventId next_id() const { return EventId{next_id_}; }

  // Ids count from 0 since the construction or the last Clear().
  // Requires: 0 <= at < kNever; `run` is not null; `self` lives until the event has run or is gone.
  EventId Push(Nanos at, Event::Run run, void* self, uint64_t arg, ObjectId object = {});

  // Requires: not empty.
  Event PopEarliest();

  // Takes one event, earliest or not, in time linear in size().
  // Requires: IsPending(id).
  Event Pop(EventId id);

  // False if the event is not pending: it was popped or cancelled before. Linear in size().
  bool Cancel(EventId id);

  // Linear in size().
  bool IsPending(EventId id) const { return Find(id) != end_; }

  // Replaces the contents of `pending` by all pending events, in the order in which PopEarliest()
  // would return them.
  void ListPending(std::vector<Event>& pending);

  // Drops every event and starts ids from 0 again; keeps the memory.
  void Clear();

 private:
  // Time, id and slot, from the most significant bit: one comparison orders two events.
  __extension__ typedef unsigned __int128 Key;
  static constexpr size_t kCacheLine = 64;

  static constexpr Key kLast = Key{kNever} << 64 | UINT64_MAX;  // id none, after every event
  static constexpr size_t kRoot = 3;  // so that the children of i are the line from 4 * (i - 2)
  static constexpr size_t kNoHole = 0;
  static constexpr uint32_t kNoSlot = UINT32_MAX;

  struct alignas(32) Slot {
    Event::Run run = nullptr;
    void* self = nullptr;
    uint64_t arg = 0;
    ObjectId object;
    uint32_t next_free = kNoSlot;
  };

  static Nanos AtOf(Key key) { return static_cast<Nanos>(key >> 64); }
  static EventId IdOf(Key key) { return EventId{static_cast<uint32_t>(key >> 32)}; }
  static uint32_t SlotOf(Key key) { return static_cast<uint32_t>(key); }
  // 1 or 0. A comparison would become a branch, mispredicted every other time; keys have 127 bits.
  static size_t IsBefore(Key a, Key b) { return static_cast<size_t>((a - b) >> 127); }
  static size_t ParentOf(size_t i) { return i / 4 + 2; }
  static constexpr size_t FirstChildOf(size_t i) { return 4 * (i - 2); }

  Event EventOf(Key key) const;
  size_t Find(EventId id) const;  // end_ if not pending
  // Which of four: 0 to 3.
  static size_t LeastOf(const Key* siblings) {
    const size_t a = IsBefore(siblings[1], siblings[0]);
    const size_t b = 2 + IsBefore(siblings[3], siblings[2]);
    return a ^ ((a ^ b) & (0 - IsBefore(siblings[b], siblings[a])));
  }
  // The event at `i`, whose place is then free.
  Event Take(size_t i);
  Event Remove(size_t i);
  void Fill(size_t i);
  void CloseHole();
  size_t MoveDown(size_t hole);
  void SiftUp(size_t i, Key key);
  void AddSlot();

  // The heap is keys_[kRoot] to keys_[end_ - 1]; kLast fills what is left of the last line.
  std::vector<Key, boost::alignment::aligned_allocator<Key, kCacheLine>> keys_;
  size_t end_ = kRoot;
  size_t hole_ = kNoHole;  // a child of the root, kLast
  std::vector<Slot> slots_;
  uint32_t free_slot_ = kNoSlot;
  uint32_t next_id_ = 0;
};

}  // namespace sim
