#include "sim/race/happens_before.h"

#include <algorithm>
#include <utility>

namespace sim {

HappensBefore::Context& HappensBefore::OfTask(TaskId task) {
  while (tasks_.size() <= task.value) tasks_.emplace_back().now_.chain = chains_++;
  return tasks_[task.value];
}

void HappensBefore::Spawn(Context* by, TaskId task) {
  if (by != nullptr) Wake(*by, task);
}

void HappensBefore::Wake(Context& by, TaskId task) { Publish(by, OfTask(task).clock_); }

void HappensBefore::Schedule(Context* by, EventId event) {
  if (by != nullptr) Publish(*by, scheduled_[event]);
}

HappensBefore::Context& HappensBefore::StartEvent(EventId event) {
  event_.clock_ = VectorClock();
  event_.published_ = true;
  const auto scheduled = scheduled_.find(event);
  if (scheduled != scheduled_.end()) {
    event_.clock_ = std::move(scheduled->second);
    scheduled_.erase(scheduled);
  }
  const auto chain = std::find_if(event_chains_.begin(), event_chains_.end(),
                                  [this](Epoch last) { return event_.IsAfter(last); });
  event_chain_ = static_cast<size_t>(chain - event_chains_.begin());
  if (chain == event_chains_.end()) event_chains_.push_back({chains_++, 0});
  event_.now_ = event_chains_[event_chain_];
  return event_;
}

void HappensBefore::EndEvent() { event_chains_[event_chain_] = event_.now_; }

void HappensBefore::Release(Context& by, ObjectId sync, bool exclusive) {
  Sync& to = syncs_[sync];
  Publish(by, exclusive ? to.exclusive : to.shared);
}

void HappensBefore::Acquire(Context& by, ObjectId sync, bool exclusive) {
  const auto from = syncs_.find(sync);
  if (from == syncs_.end()) return;
  by.clock_.Join(from->second.exclusive);
  if (exclusive) by.clock_.Join(from->second.shared);
}

}  // namespace sim
