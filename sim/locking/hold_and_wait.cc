#include "sim/locking/hold_and_wait.h"

#include <algorithm>

#include "sim/lockdep/report.h"
#include "sim/locking/lock_tracker.h"
#include "sim/locking/wait_event.h"

namespace sim {
namespace {

// "name" of "name/subclass"
std::string_view ClassOf(std::string_view lock) { return lock.substr(0, lock.rfind('/')); }

bool Wants(const HoldAndWait& task, const std::string& lock) {
  return std::any_of(task.wanted.begin(), task.wanted.end(), [&](const std::string& wanted) {
    return task.parked ? wanted == lock : ClassOf(wanted) == ClassOf(lock);
  });
}

}  // namespace

HoldAndWait HoldAndWaitOf(const World& world, const Task& task) {
  const LockTracker& tracker = world.lock_tracker();
  const bool parked = task.state() == Task::State::kParked;
  const auto* wanted = dynamic_cast<const Lock*>(parked ? task.waiting_on() : task.gate());
  // Who comes to an event that has happened goes on; a lock may be taken by others before.
  const bool has_happened =
      !parked && dynamic_cast<const WaitQueue*>(wanted) != nullptr && wanted->Admits(Access::kRead);
  if (has_happened) wanted = nullptr;
  const auto text = [&](LockClassId lock_class, uint32_t subclass) {
    return LockName{.name = tracker.validator().ClassName(lock_class), .subclass = subclass}.Text();
  };
  HoldAndWait found{.parked = parked};
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

bool Does(const HoldAndWait& task, const std::vector<CycleWait>& cycle, size_t i) {
  auto held = task.held.begin();
  for (size_t step = 0; step < cycle.size(); ++step) {
    const CycleWait& wait = cycle[(i + step) % cycle.size()];
    if (!wait.learnt) {
      held = std::find(held, task.held.end(), wait.held);
      if (held == task.held.end()) return false;
    }
    if (Wants(task, wait.wanted)) return true;
  }
  return false;
}

bool IsDeadlockOf(const std::vector<CycleWait>& cycle, const std::vector<HoldAndWait>& tasks) {
  for (size_t i = 0; i < cycle.size(); ++i) {
    const bool done = std::any_of(tasks.begin(), tasks.end(),
                                  [&](const HoldAndWait& task) { return Does(task, cycle, i); });
    if (!done) return false;
  }
  return true;
}

}  // namespace sim
