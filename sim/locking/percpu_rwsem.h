// percpu_rw_semaphore: readers cost nothing, a writer waits for all of them
// [kernel/locking/percpu-rwsem.c].
//
// Who may go in is decided as in rw_semaphore: a waiting writer holds back later readers. What
// differs in the kernel is cost (a writer waits for a grace period), which is not modelled.
#pragma once

#include "sim/locking/rwsem.h"

namespace sim {

class PercpuRwSem {
 public:
  PercpuRwSem(World& world, LockClassId lock_class, InstanceName name)
      : rwsem_(world, lock_class, name) {}

  void percpu_down_read(Site site = Site::Here()) { rwsem_.down_read(Subclass::kNormal, site); }
  [[nodiscard]] bool percpu_down_read_trylock(Site site = Site::Here()) {
    return rwsem_.down_read_trylock(site);
  }
  void percpu_up_read(Site site = Site::Here()) { rwsem_.up_read(site); }
  void percpu_down_write(Site site = Site::Here()) { rwsem_.down_write(Subclass::kNormal, site); }
  void percpu_up_write(Site site = Site::Here()) { rwsem_.up_write(site); }

  bool held_shared() const { return rwsem_.held_shared(); }
  RwSem& rwsem() { return rwsem_; }  // for guards

 private:
  RwSem rwsem_;
};

}  // namespace sim
