// What the locks with one owner at a time share: a task takes it, or waits in line until it is
// handed over.
#pragma once

#include <string_view>
#include <vector>

#include "sim/locking/lock.h"
#include "sim/locking/lock_tracker.h"

namespace sim {

class ExclusiveLock : public Lock {
 public:
  using Lock::Lock;

  bool is_locked() const { return locked_; }
  // By the calling task.
  bool held() const { return locked_ && owner_ == &world_.current(); }
  std::vector<TaskId> Owners() const override;
  bool Admits(Access) const override { return !locked_; }

 protected:
  // Who calls it has made the choice point.
  void Take(Subclass subclass, Site site);
  // The choice point, and what comes of it; never parks.
  [[nodiscard]] bool TryTake(Site site);
  // By its owner. By anybody else it is a finding, `misuse`, and nothing happens: false.
  bool Give(std::string_view misuse, Site site);
  // To the first in line, or to nobody.
  void PassOn();

  bool locked_ = false;
  Task* owner_ = nullptr;  // who has to give it back; null: nobody holds it, or a completion has to

 private:
  WaiterQueue waiters_;
};

}  // namespace sim
