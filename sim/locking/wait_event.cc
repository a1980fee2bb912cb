#include "sim/locking/wait_event.h"

#include <algorithm>

#include "sim/check.h"

namespace sim {

void WaitQueue::WakeAll() {
  world_.Touch(object(), Access::kWrite);
  Gives();
  WakeParked();
}

void WaitQueue::WakeParked(Access next) {
  for (Task* task : waiters_) {
    // One whose deadline has passed is on its way already.
    if (task->state() == Task::State::kParked) world_.Wake(*task, next);
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

void WaitBit::set_bit() {
  SIM_CHECK(!is_set_);
  world_.Touch(object(), Access::kTake);
  is_set_ = true;
}

void WaitBit::clear_and_wake_up_bit() {
  SIM_CHECK(is_set_);
  world_.Touch(object(), Access::kGive);
  is_set_ = false;
  Gives();
  WakeParked();
}

void WaitBit::wait_on_bit(Site site) {
  might_wait(site);
  world_.Step(*this, Access::kRead);
  while (is_set_) ParkHere(site);
  world_.Touch(object(), Access::kTakeShared);
  world_.Touch(object(), Access::kGiveShared);
  Got();
}

void Completion::complete() {
  SIM_CHECK(steps_left_ > 0);
  world_.Touch(object(), Access::kGiveShared);
  Gives(false);
  if (--steps_left_ == 0) WakeParked(Access::kTake);
}

// It starts as a lock that is handed over: it comes from all who have given it up.
void Completion::wait_for_completion(Site site) {
  might_wait(site);
  world_.Step(*this, Access::kTake);
  while (!done()) ParkHere(site);
  world_.Touch(object(), Access::kGive);
  Got();
}

EventScope::EventScope(WaitQueue& event, Site site)
    : world_(Task::Current().world()), event_(event), site_(site) {
  world_.lock_tracker().Adopt(event_, site_);
}

EventScope::~EventScope() {
  if (!world_.tearing_down()) world_.lock_tracker().Release(event_, site_);
}

}  // namespace sim
