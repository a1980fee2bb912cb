#include "sim/locking/bit_lock.h"

namespace sim {

void BitLock::lock(Subclass subclass, Site site) {
  tracker().MightSleep("lock bit", site);
  world_.Step(*this, Access::kWrite);
  Take(subclass, site);
}

bool BitLock::trylock(Site site) { return TryTake(site); }

void BitLock::unlock(Site site) {
  if (world_.tearing_down()) return;
  world_.Touch(object(), Access::kGive);
  if (!locked_) {
    tracker().Misuse(*this, "unlock of a bit that nobody holds", site);
    return;
  }
  if (owner_ != nullptr) {
    tracker().ReleaseFor(*owner_, *this, site);
  } else {
    tracker().ReleaseHandedOver(*this);
  }
  PassOn();
}

void BitLock::hand_over(Site site) {
  tracker().HandOver(*this, site);
  owner_ = nullptr;
}

}  // namespace sim
