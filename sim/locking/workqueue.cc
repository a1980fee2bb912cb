#include "sim/locking/workqueue.h"

#include <algorithm>
#include <string>

namespace sim {

Workqueue::Workqueue(World& world, const char* name, LockClassId slot_class, int max_active)
    : world_(world),
      single_slot_(max_active == 1),
      not_empty_(world, slot_class, {name}),
      slot_(world, slot_class, {name}) {
  for (int i = 0; i < max_active; ++i) {
    const std::string suffix = max_active == 1 ? "" : "/" + std::to_string(i);
    world.Spawn("kworker/" + std::string(name) + suffix, TaskKind::kDaemon, [this] { Worker(); });
  }
}

void Workqueue::queue_work(absl::AnyInvocable<void()> work) {
  items_.push_back(std::move(work));
  ++queued_;
  not_empty_.WakeAll();
}

void Workqueue::BringsAbout(WaitQueue& event) {
  if (single_slot_) event.StandsFor(slot_);
}

void Workqueue::might_wait_for_item(absl::FunctionRef<bool()> is_over, Site site) {
  if (!single_slot_) return;
  // Items run in the order queued: one that finds it over came after the one that did it.
  const bool in_an_item = world_.lock_tracker().held().Find(slot_.object().value) != nullptr;
  if (!(in_an_item && is_over())) slot_.might_wait(site);
}

void Workqueue::flush_workqueue(Site site) {
  const uint64_t target = queued_;
  slot_.wait_event(
      [&] { return taken_ >= target && (running_.empty() || running_.front() >= target); }, site);
}

void Workqueue::Worker() {
  SIM_FRAME("worker_thread");
  while (not_empty_.wait_idle([this] { return !items_.empty(); })) {
    world_.Touch(not_empty_.object(), Access::kWrite);
    absl::AnyInvocable<void()> work = std::move(items_.front());
    items_.pop_front();
    const uint64_t sequence = taken_++;
    running_.push_back(sequence);  // ascending: taken in order
    {
      EventScope scope(slot_);
      SIM_FRAME("process_one_work");
      work();
    }
    running_.erase(std::find(running_.begin(), running_.end(), sequence));
    slot_.WakeAll();
  }
}

}  // namespace sim
