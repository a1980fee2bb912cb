#include "sim/engine/event_queue.h"

#include <algorithm>
#include <utility>

namespace sim {

EventQueue::EventQueue() : keys_(FirstChildOf(kRoot), kLast) {}

EventId EventQueue::Push(Nanos at, Event::Run run, void* self, uint64_t arg, ObjectId object) {
  SIM_CHECK(at >= 0 && at < kNever);
  SIM_CHECK(next_id_ != EventId::kNone);
  const EventId id{next_id_++};
  if (free_slot_ == kNoSlot) AddSlot();
  Slot& slot = slots_[free_slot_];
  const Key key = Key{static_cast<uint64_t>(at)} << 64 | uint64_t{id.value} << 32 | free_slot_;
  free_slot_ = slot.next_free;
  slot = {run, self, arg, object};
  if (hole_ != kNoHole) {
    SiftUp(MoveDown(std::exchange(hole_, kNoHole)), key);
  } else {
    if (end_ == keys_.size()) keys_.resize(keys_.size() + 4, kLast);
    SiftUp(end_++, key);
  }
  return id;
}

Event EventQueue::PopEarliest() {
  SIM_CHECK(!empty());
  CloseHole();
  const Event event = Take(kRoot);
  if (end_ == kRoot + 1) {
    Fill(kRoot);
  } else {
    constexpr size_t kFirst = FirstChildOf(kRoot);
    hole_ = kFirst + LeastOf(&keys_[kFirst]);
    keys_[kRoot] = std::exchange(keys_[hole_], kLast);
  }
  return event;
}

Event EventQueue::Pop(EventId id) {
  CloseHole();
  const size_t i = Find(id);
  SIM_CHECK(i != end_);
  return Remove(i);
}

bool EventQueue::Cancel(EventId id) {
  CloseHole();
  const size_t i = Find(id);
  if (i == end_) return false;
  Remove(i);
  return true;
}

// Sorts the keys, which leaves a heap, and one that is nearly sorted when a strategy that lists the
// events before each step comes again.
void EventQueue::ListPending(std::vector<Event>& pending) {
  CloseHole();
  std::sort(keys_.begin() + kRoot, keys_.begin() + static_cast<ptrdiff_t>(end_));
  pending.clear();
  for (size_t i = kRoot; i < end_; ++i) pending.push_back(EventOf(keys_[i]));
}

void EventQueue::Clear() {
  std::fill(keys_.begin() + kRoot, keys_.begin() + static_cast<ptrdiff_t>(end_), kLast);
  end_ = kRoot;
  hole_ = kNoHole;
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

Event EventQueue::Take(size_t i) {
  const Key taken = keys_[i];
  const Event event = EventOf(taken);
  slots_[SlotOf(taken)].next_free = free_slot_;
  free_slot_ = SlotOf(taken);
  return event;
}

Event EventQueue::Remove(size_t i) {
  const Event event = Take(i);
  Fill(i);
  return event;
}

void EventQueue::CloseHole() {
  if (hole_ != kNoHole) Fill(std::exchange(hole_, kNoHole));
}

// The last key comes from the bottom and nearly always belongs there.
void EventQueue::Fill(size_t i) {
  const Key last = keys_[--end_];
  keys_[end_] = kLast;
  if (i != end_) SiftUp(MoveDown(i), last);
}

// To a leaf: what comes in its place mostly belongs near one, and to compare it on every level
// would be a branch that nobody can predict.
size_t EventQueue::MoveDown(size_t hole) {
  Key* const keys = keys_.data();
  for (size_t first = FirstChildOf(hole); first < end_; first = FirstChildOf(hole)) {
    const size_t least = first + LeastOf(keys + first);
    keys[hole] = keys[least];
    hole = least;
  }
  return hole;
}

// Puts `key` at `i` or, by moving ancestors down, above it.
void EventQueue::SiftUp(size_t i, Key key) {
  while (i > kRoot && key < keys_[ParentOf(i)]) {
    keys_[i] = keys_[ParentOf(i)];
    i = ParentOf(i);
  }
  keys_[i] = key;
}

void EventQueue::AddSlot() {
  free_slot_ = static_cast<uint32_t>(slots_.size());
  slots_.emplace_back();
}

}  // namespace sim
