#include "sim/locking/hold_and_wait.h"

#include <algorithm>

#include "sim/lockdep/report.h"
#include "sim/locking/lock_tracker.h"

namespace sim {

HoldAndWait HoldAndWaitOf(const World& world, const Task& task) {
  const LockTracker& tracker = world.lock_tracker();
  const bool parked = task.state() == Task::State::kParked;
  const auto* wanted = dynamic_cast<const Lock*>(parked ? task.waiting_on() : task.gate());
  const auto text = [&](LockClassId lock_class, uint32_t subclass) {
    return LockName{.name = tracker.validator().ClassName(lock_class), .subclass = subclass}.Text();
  };
  HoldAndWait found;
  if (wanted != nullptr) {
    found.wanted = {text(wanted->lock_class(), 0)};
    for (const LockClassId event : wanted->stands_for()) found.wanted.push_back(text(event, 0));
  }
  for (const HeldLock& lock : world.lock_tracker().held(task.id()).locks()) {
    const Acquisition& held = lock.acquisition;
    std::string name = text(held.lock_class, held.subclass);
    // The checker is told before the wait.
    const bool is_wanted = parked && wanted != nullptr && held.instance == wanted->object().value;
    (is_wanted ? found.wanted.front() : found.held.emplace_back()) = std::move(name);
  }
  return found;
}

bool Waits(const HoldAndWait& task, const CycleWait& wait) {
  return std::find(task.wanted.begin(), task.wanted.end(), wait.wanted) != task.wanted.end() &&
         (wait.learnt ||
          std::find(task.held.begin(), task.held.end(), wait.held) != task.held.end());
}

bool IsDeadlockOf(const std::vector<CycleWait>& cycle, const std::vector<HoldAndWait>& tasks) {
  return std::all_of(cycle.begin(), cycle.end(), [&](const CycleWait& wait) {
    return std::any_of(tasks.begin(), tasks.end(),
                       [&](const HoldAndWait& task) { return Waits(task, wait); });
  });
}

}  // namespace sim
