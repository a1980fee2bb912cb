// When an allocation may enter reclaim of the file system [mm/page_alloc.c:fs_reclaim_acquire(),
// include/linux/sched/mm.h:current_gfp_context()].
//
// Such an allocation takes and gives back the class "fs_reclaim", which reclaim holds: what reclaim
// takes must not be held by who allocates so. The scopes nest.
//
// Not modelled: __GFP_NOLOCKDEP, the class of MMU notifiers.
#pragma once

#include <cstdint>

namespace sim {

enum class Gfp : uint8_t {
  kKernel,  // GFP_KERNEL
  kNoFs,    // GFP_NOFS: no calls into the file system
  kNoIo,    // GFP_NOIO: no I/O, hence none either
  kAtomic,  // GFP_ATOMIC, GFP_NOWAIT: no reclaim at all
};

// What a task has switched off.
struct ReclaimScopes {
  int nofs = 0;        // memalloc_nofs_save() without its restore
  int noio = 0;        // memalloc_noio_save() without its restore
  int in_reclaim = 0;  // PF_MEMALLOC: it is reclaim itself

  bool MayReclaimFs(Gfp gfp) const {
    return gfp == Gfp::kKernel && nofs == 0 && noio == 0 && in_reclaim == 0;
  }
};

}  // namespace sim
