#include "sim/locking/mutex.h"

namespace sim {

void Mutex::mutex_lock(Subclass subclass, Site site) {
  tracker().MightSleep("mutex_lock", site);
  world_.Step(*this, Access::kWrite);
  Take(subclass, site);
}

bool Mutex::mutex_trylock(Site site) { return TryTake(site); }

void Mutex::mutex_unlock(Site site) {
  if (!world_.tearing_down()) Give("mutex_unlock() by a task that does not own it", site);
}

}  // namespace sim
