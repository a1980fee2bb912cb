#include "sim/engine/event_queue.h"

#include <algorithm>

namespace sim {

EventQueue::EventQueue()
    : heap_(1), slots_(kInitialSlots), slot_shift_(32 - std::countr_zero(kInitialSlots)) {}

EventId EventQueue::Push(Nanos at, Event::Run run, void* self, uint64_t arg, ObjectId object) {
  SIM_CHECK(at >= 0 && at < kNever);
  SIM_CHECK(next_id_ != EventId::kNone);
  const EventId id{next_id_++};
  InsertSlot({at, id, object, run, self, arg});
  PushKey({at, id.value});
  return id;
}

Event EventQueue::PopEarliest() {
  SIM_CHECK(!empty());
  const EventId id = IdOf(KeyAt(kRoot));
  PopRoot();
  const Event event = TakeSlot(FindSlot(id));
  DropDeadRoots();
  return event;
}

Event EventQueue::Pop(EventId id) {
  const size_t slot = FindSlot(id);
  SIM_CHECK(slot != kNoSlot);
  const Event event = TakeSlot(slot);
  const size_t keys = heap_end_ - kRoot;
  if (keys - size_ > size_ + 16) DropDeadKeys();
  DropDeadRoots();
  return event;
}

bool EventQueue::Cancel(EventId id) {
  if (!IsPending(id)) return false;
  Pop(id);
  return true;
}

// Leaves the keys sorted, which is one of the orders that make a heap, so that a strategy that
// lists the events before each step finds them nearly sorted the next time.
void EventQueue::ListPending(std::vector<Event>& pending) {
  if (heap_end_ - kRoot > size_) DropDeadKeys();
  pending.clear();
  for (size_t i = kRoot; i < heap_end_; ++i) pending.push_back(slots_[FindSlot(IdOf(KeyAt(i)))]);
  std::sort(pending.begin(), pending.end(), [](const Event& a, const Event& b) {
    return EventKey{a.at, a.id.value} < EventKey{b.at, b.id.value};
  });
  for (size_t i = 0; i < pending.size(); ++i) {
    KeyAt(kRoot + i) = {pending[i].at, pending[i].id.value};
  }
}

void EventQueue::Clear() {
  for (size_t i = kRoot; i < heap_end_; ++i) {
    const size_t slot = FindSlot(IdOf(KeyAt(i)));
    if (slot != kNoSlot) TakeSlot(slot);
    KeyAt(i) = kLast;
  }
  heap_end_ = kRoot;
  next_id_ = 0;
}

void EventQueue::PushKey(const EventKey& key) {
  size_t i = heap_end_++;
  if (i / 4 >= heap_.size()) heap_.emplace_back();
  while (i > kRoot) {
    const size_t parent = i / 4 + 2;
    if (!(key < KeyAt(parent))) break;
    KeyAt(i) = KeyAt(parent);
    i = parent;
  }
  KeyAt(i) = key;
}

// Moves the hole at the root down to a leaf, then the last key from there upwards: the last key
// nearly always belongs to the bottom, so this saves its comparison on every level.
void EventQueue::PopRoot() {
  const EventKey last = KeyAt(--heap_end_);
  KeyAt(heap_end_) = kLast;
  if (heap_end_ == kRoot) return;
  size_t i = kRoot;
  for (size_t first = 4 * (i - 2); first < heap_end_; first = 4 * (i - 2)) {
    const EventKey* child = heap_[first / 4].key;
    const size_t left = child[1] < child[0] ? 1 : 0;
    const size_t right = child[3] < child[2] ? 3 : 2;
    const size_t least = child[right] < child[left] ? right : left;
    KeyAt(i) = child[least];
    i = first + least;
  }
  for (; i > kRoot; i = i / 4 + 2) {
    const size_t parent = i / 4 + 2;
    if (!(last < KeyAt(parent))) break;
    KeyAt(i) = KeyAt(parent);
  }
  KeyAt(i) = last;
}

void EventQueue::DropDeadRoots() {
  while (heap_end_ - kRoot > size_ && !IsPending(IdOf(KeyAt(kRoot)))) PopRoot();
}

// Pushes the live keys again, in place: the heap never grows past the key being read.
void EventQueue::DropDeadKeys() {
  const size_t end = heap_end_;
  heap_end_ = kRoot;
  for (size_t i = kRoot; i < end; ++i) {
    const EventKey key = KeyAt(i);
    KeyAt(i) = kLast;
    if (IsPending(IdOf(key))) PushKey(key);
  }
}

size_t EventQueue::FindSlot(EventId id) const {
  for (size_t slot = HomeSlot(id); slots_[slot].id.valid(); slot = NextSlot(slot)) {
    if (slots_[slot].id == id) return slot;
  }
  return kNoSlot;
}

void EventQueue::InsertSlot(const Event& event) {
  if (2 * (size_ + 1) > slots_.size()) GrowSlots();
  ++size_;
  size_t slot = HomeSlot(event.id);
  while (slots_[slot].id.valid()) slot = NextSlot(slot);
  slots_[slot] = event;
}

// Closes the gap: later events of the same run of slots move up, unless that is before their home.
Event EventQueue::TakeSlot(size_t slot) {
  const Event taken = slots_[slot];
  const size_t mask = slots_.size() - 1;
  for (size_t next = NextSlot(slot); slots_[next].id.valid(); next = NextSlot(next)) {
    if (((next - HomeSlot(slots_[next].id)) & mask) < ((next - slot) & mask)) continue;
    slots_[slot] = slots_[next];
    slot = next;
  }
  slots_[slot].id = EventId{};
  --size_;
  return taken;
}

void EventQueue::GrowSlots() {
  std::vector<Event> old(2 * slots_.size());
  old.swap(slots_);
  --slot_shift_;
  for (const Event& event : old) {
    if (!event.id.valid()) continue;
    size_t slot = HomeSlot(event.id);
    while (slots_[slot].id.valid()) slot = NextSlot(slot);
    slots_[slot] = event;
  }
}

}  // namespace sim
