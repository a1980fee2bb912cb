#include "model/jbd2/journal_locks.h"

#include "model/jbd2/transaction.h"

namespace model {

void PlainSpinLock::spin_lock(sim::Subclass subclass, sim::Site site) {
  if (!guards_fields_) world_.Touch(object(), sim::Access::kWrite);
  tracker().Acquire(*this, sim::ReadMode::kExclusive, subclass, false, site);
  tracker().SpinlockTaken();
  Got();
}

void PlainSpinLock::spin_unlock(sim::Site site) {
  if (world_.tearing_down()) return;
  tracker().Release(*this, site);
  tracker().SpinlockReleased();
  Gives();
}

void LockdepMap::release(sim::Site site) {
  if (!world_.tearing_down()) tracker().Release(*this, site);
}

std::vector<sim::TaskId> UpdatesQueue::Owners() const {
  std::vector<sim::TaskId> owners;
  for (uint32_t task = 0; task < journal_.current_handles.size(); ++task) {
    const Handle* const handle = journal_.current_handles[task];
    if (handle == nullptr || handle->h_transaction == nullptr) continue;
    if (handle->h_transaction == journal_.j_running_transaction) {
      owners.push_back(sim::TaskId{task});
    }
  }
  return owners;
}

}  // namespace model
