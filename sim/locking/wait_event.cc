#include "sim/locking/wait_event.h"

#include <algorithm>

namespace sim {

void WaitQueue::WakeAll() {
  world_.Touch(object(), Access::kWrite);
  Gives();
  for (Task* task : waiters_) {
    // One whose deadline has passed is on its way already.
    if (task->state() == Task::State::kParked) world_.Wake(*task);
  }
  waiters_.clear();
}

std::vector<TaskId> WaitQueue::Owners() const {
  return owner_.valid() ? std::vector{owner_} : std::vector<TaskId>{};
}

void WaitQueue::BeginWait(Site site) {
  might_wait(site);
  world_.Step(object(), Access::kRead);
}

void WaitQueue::ParkHere(Site site) {
  waiters_.push_back(&world_.current());
  ParkFor(site);
}

bool WaitQueue::ParkHereUntil(Nanos deadline, Site site) {
  Task& task = world_.current();
  waiters_.push_back(&task);
  tracker().Contended(*this, site);
  const bool woken = world_.ParkUntil(*this, deadline, site);
  tracker().Waited(*this);
  if (!woken) Leave(task);
  return woken;
}

bool WaitQueue::ParkIdleHere(Nanos deadline, Site site) {
  Task& task = world_.current();
  waiters_.push_back(&task);
  const bool going_on = world_.ParkIdle(*this, deadline, site);
  Leave(task);
  return going_on;
}

void WaitQueue::Leave(Task& task) {
  const auto it = std::find(waiters_.begin(), waiters_.end(), &task);
  if (it != waiters_.end()) waiters_.erase(it);
}

EventScope::EventScope(WaitQueue& event, Site site)
    : world_(Task::Current().world()), event_(event), site_(site) {
  world_.lock_tracker().Adopt(event_, site_);
}

EventScope::~EventScope() {
  if (!world_.tearing_down()) world_.lock_tracker().Release(event_, site_);
}

}  // namespace sim
