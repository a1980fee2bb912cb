#include "model/vfs/inode.h"

#include <algorithm>

namespace model {
namespace {

// There is one file system in a world, and in a kernel no task holds locks of two at a time.
sim::LockClassId UniqueClass(sim::World& world, const char* name) {
  return world.lock_tracker().Class(name, Unique(sim::kSleepingLock));
}

}  // namespace

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
      i_nlink(
          sb.world,
          {"i_nlink", sim::Sharing::kLocklessReads, "looked at by the last iput() without a lock"},
          {"inode", ino}, 1),
      i_count_object(sb.world.NewObject()),
      i_sync_wait(sb.world, sb.world.lock_tracker().Class("I_SYNC"), {"inode", ino}),
      i_mapping(sb.world, *this, classes, folio_bytes, block_bytes),
      i_dio_count(sb.world, {"i_dio_count", sim::Sharing::kAtomic, "an atomic counter"},
                  {"inode", ino}, 0),
      i_dio_wait(sb.world, sb.world.lock_tracker().Class("i_dio_count"), {"inode", ino}),
      call_object(sb.world.NewObject()) {
  sb.world.Touch(sb.s_inodes_object, sim::Access::kRead);
  const auto behind =
      std::upper_bound(sb.s_inodes.begin(), sb.s_inodes.end(), this,
                       [](const Inode* a, const Inode* b) { return a->key() < b->key(); });
  sb.s_inodes.insert(behind, this);
}

SuperBlock::SuperBlock(sim::World& w, History& h, GranuleTable& g, int64_t dirty_background_bytes,
                       int64_t dirty_limit_bytes, sim::Nanos writeback_interval)
    : world(w),
      history(h),
      granules(g),
      s_umount(w, UniqueClass(w, "&type->s_umount_key"), {}),
      s_writers(w, UniqueClass(w, "sb_writers"), {}),
      s_pagefault_writers(w, UniqueClass(w, "sb_pagefaults"), {}),
      s_intwriters(w, UniqueClass(w, "sb_internal"), {}),
      s_bdi(w, s_umount, dirty_background_bytes, dirty_limit_bytes, writeback_interval),
      s_inodes_object(w.NewObject()) {}

void inode_dio_begin(Inode& inode) { ++inode.i_dio_count; }

void inode_dio_end(Inode& inode) {
  --inode.i_dio_count;
  inode.i_dio_wait.WakeAll();
}

void inode_dio_wait(Inode& inode) {
  SIM_FRAME("inode_dio_wait");
  inode.i_dio_wait.might_wait();
  if (inode.i_dio_count == 0) return;
  inode.i_dio_wait.wait_event([&] { return inode.i_dio_count == 0; });
}

}  // namespace model
