#include "sim/engine/event_queue.h"

#include <algorithm>

namespace sim {

EventQueue::EventQueue() : keys_(FirstChildOf(kRoot), kLast) {}

EventId EventQueue::Push(Nanos at, Event::Run run, void* self, uint64_t arg, ObjectId object) {
  SIM_CHECK(at >= 0 && at < kNever);
  SIM_CHECK(next_id_ != EventId::kNone);
  const EventId id{next_id_++};
  const uint32_t slot = TakeSlot();
  slots_[slot] = {run, self, arg, object};
  if (end_ == keys_.size()) keys_.resize(keys_.size() + 4, kLast);
  SiftUp(end_++, Key{static_cast<uint64_t>(at)} << 64 | uint64_t{id.value} << 32 | slot);
  return id;
}

Event EventQueue::PopEarliest() {
  SIM_CHECK(!empty());
  return Remove(kRoot);
}

Event EventQueue::Pop(EventId id) {
  const size_t i = Find(id);
  SIM_CHECK(i != end_);
  return Remove(i);
}

bool EventQueue::Cancel(EventId id) {
  const size_t i = Find(id);
  if (i == end_) return false;
  Remove(i);
  return true;
}

// Sorts the keys, which leaves a heap, and one that is nearly sorted when a strategy that lists the
// events before each step comes again.
void EventQueue::ListPending(std::vector<Event>& pending) {
  std::sort(keys_.begin() + kRoot, keys_.begin() + static_cast<ptrdiff_t>(end_));
  pending.clear();
  for (size_t i = kRoot; i < end_; ++i) pending.push_back(EventOf(keys_[i]));
}

void EventQueue::Clear() {
  std::fill(keys_.begin() + kRoot, keys_.begin() + static_cast<ptrdiff_t>(end_), kLast);
  end_ = kRoot;
  slots_.clear();
  free_slot_ = kNoSlot;
  next_id_ = 0;
}

Event EventQueue::EventOf(Key key) const {
  const Slot& slot = slots_[SlotOf(key)];
  return {AtOf(key), IdOf(key), slot.object, slot.run, slot.self, slot.arg};
}

// What was pushed last is likely near the end.
size_t EventQueue::Find(EventId id) const {
  size_t i = end_ - 1;
  while (i >= kRoot && IdOf(keys_[i]) != id) --i;
  return i >= kRoot ? i : end_;
}

// Moves the hole at `i` down to a leaf, then the last key from there up to its place: it comes from
// the bottom and nearly always belongs there, so this saves its comparison on every level.
Event EventQueue::Remove(size_t i) {
  const Key removed = keys_[i];
  const Event event = EventOf(removed);
  slots_[SlotOf(removed)].next_free = free_slot_;
  free_slot_ = SlotOf(removed);

  const Key last = keys_[--end_];
  keys_[end_] = kLast;
  if (i == end_) return event;
  for (size_t first = FirstChildOf(i); first < end_; first = FirstChildOf(i)) {
    const Key* child = &keys_[first];
    const size_t a = IsBefore(child[1], child[0]);
    const size_t b = 2 + IsBefore(child[3], child[2]);
    const size_t least = a ^ ((a ^ b) & (0 - IsBefore(child[b], child[a])));
    keys_[i] = child[least];
    i = first + least;
  }
  SiftUp(i, last);
  return event;
}

// Puts `key` at `i` or, by moving ancestors down, above it.
void EventQueue::SiftUp(size_t i, Key key) {
  while (i > kRoot && key < keys_[ParentOf(i)]) {
    keys_[i] = keys_[ParentOf(i)];
    i = ParentOf(i);
  }
  keys_[i] = key;
}

uint32_t EventQueue::TakeSlot() {
  const uint32_t slot = free_slot_;
  if (slot != kNoSlot) {
    free_slot_ = slots_[slot].next_free;
    return slot;
  }
  slots_.emplace_back();
  return static_cast<uint32_t>(slots_.size() - 1);
}

}  // namespace sim
