// What a task holds while it waits, in terms of lock classes: the part that it has in a deadlock.
#pragma once

#include <string>
#include <vector>

#include "sim/engine/world.h"

namespace sim {

struct HoldAndWait {
  std::vector<std::string> held;  // outermost first; as LockName::Text()
  // The same: what it waits for, and what that stands for; empty: no lock or event.
  std::vector<std::string> wanted;
  bool parked = false;  // else it is about to ask, with a subclass that is not known yet

  bool operator==(const HoldAndWait&) const = default;
};

// What `task` holds, and waits for if it is parked; if it is ready, what its next turn asks for.
HoldAndWait HoldAndWaitOf(const World& world, const Task& task);

// One wait of a lock cycle: who holds the one wants the other.
struct CycleWait {
  std::string held, wanted;
  bool learnt = false;  // LockEdge::learnt: nobody is known to hold the one
};

// Whether `task` does the cycle's wait `i`: it holds the one and wants the other; or has the other
// by now, taken later, and does the next wait.
bool Does(const HoldAndWait& task, const std::vector<CycleWait>& cycle, size_t i);

// Whether each of the cycle's waits is done by one of these tasks.
bool IsDeadlockOf(const std::vector<CycleWait>& cycle, const std::vector<HoldAndWait>& tasks);

}  // namespace sim
