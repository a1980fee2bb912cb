#include "model/vfs/inode.h"

namespace model {

Inode::Inode(SuperBlock& sb, Ino ino, uint32_t generation, const MappingClasses& classes,
             sim::LockClassId i_rwsem_class, uint32_t folio_bytes, uint32_t block_bytes)
    : i_sb(sb),
      i_ino(ino),
      i_generation(generation),
      i_rwsem(sb.world, i_rwsem_class, {"inode", ino}),
      i_size(sb.world,
             {"i_size", sim::Sharing::kOrdered,
              "i_size_read() and i_size_write(): load-acquire and store-release"},
             {"inode", ino}, 0),
      i_sync_wait(sb.world, sb.world.lock_tracker().Class("I_SYNC"), {"inode", ino}),
      i_mapping(sb.world, *this, classes, folio_bytes, block_bytes) {
  sb.s_inodes.push_back(this);
}

SuperBlock::SuperBlock(sim::World& w, History& h, GranuleTable& g, int64_t dirty_background_bytes,
                       int64_t dirty_limit_bytes, sim::Nanos writeback_interval)
    : world(w),
      history(h),
      granules(g),
      s_umount(w, w.lock_tracker().Class("&type->s_umount_key"), {}),
      s_writers(w, w.lock_tracker().Class("sb_writers"), {}),
      s_pagefault_writers(w, w.lock_tracker().Class("sb_pagefaults"), {}),
      s_intwriters(w, w.lock_tracker().Class("sb_internal"), {}),
      s_bdi(w, s_umount, dirty_background_bytes, dirty_limit_bytes, writeback_interval) {}

}  // namespace model
