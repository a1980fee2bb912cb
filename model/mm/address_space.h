// The cached data of one inode [include/linux/fs.h, mm/filemap.c, mm/truncate.c].
//
// Folios are kept by index. A folio that truncate has removed lives on for those who hold a
// reference, with `mapping` null: whoever locks a folio looks at that again, as in the kernel.
//
// Not modelled: readahead, reclaim other than drop_caches, migration, pages that stay mapped (a
// store faults each time; see model/ext4/fault.cc).
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "model/mm/folio.h"
#include "model/vfs/kernel_errno.h"
#include "sim/locking/rwsem.h"

namespace model {

struct Inode;

using FolioRef = std::shared_ptr<Folio>;

enum class SyncMode : uint8_t { kNone, kAll };  // WB_SYNC_NONE, WB_SYNC_ALL

struct WritebackControl {
  SyncMode sync_mode = SyncMode::kNone;
  uint64_t range_start = 0;         // bytes
  uint64_t range_end = UINT64_MAX;  // inclusive
  bool for_sync = false;            // sync(2): the journal is committed once for all
  // From a commit: write what is mapped, allocate nothing [JBD2, ext4's can_map].
  bool no_map = false;
};

// The lock classes of one kind of inode. The two write paths order them in opposite ways, so they
// are classes of their own.
struct MappingClasses {
  sim::LockClassId folio, writeback, invalidate_lock, i_mmap_rwsem;
};

class AddressSpace {
 public:
  AddressSpace(sim::World& world, Inode& host, const MappingClasses& classes, uint32_t folio_bytes,
               uint32_t block_bytes);

  Inode& host() const { return host_; }
  uint32_t folio_bytes() const { return folio_bytes_; }
  uint32_t block_bytes() const { return block_bytes_; }

  sim::RwSem invalidate_lock;
  sim::RwSem i_mmap_rwsem;

  // Null if there is none. The folio is not locked.
  FolioRef filemap_get_folio(uint64_t index);
  // Locked and still of this mapping; created if need be.
  FolioRef filemap_grab_folio(uint64_t index);
  // The same if there is one; null otherwise.
  FolioRef filemap_lock_folio(uint64_t index);
  // The first at or after `index` that is dirty (or, in the second, exists); null: none up to
  // `last`.
  FolioRef NextDirty(uint64_t index, uint64_t last);
  FolioRef NextFolio(uint64_t index, uint64_t last);

  // From the folio's lock holder.
  void folio_mark_dirty(Folio& folio);          // filemap_dirty_folio()
  bool folio_clear_dirty_for_io(Folio& folio);  // false if it was clean
  void folio_start_writeback(Folio& folio);
  // The writeback that it is under ends in an item of `conversion`: who waits for it, then or
  // later, could have to wait for a slot.
  void LeaveWritebackTo(Folio& folio, sim::Workqueue& conversion);
  // From a task or an event: the last of the folio's I/O is done.
  void folio_end_writeback(Folio& folio);
  // Parks until PG_writeback is clear.
  void folio_wait_writeback(Folio& folio);

  // Removes folios beyond `new_size`, waiting for their locks and their writeback, and zeroes the
  // rest of the one that it cuts [mm/truncate.c, truncate_pagecache()].
  void truncate_pagecache(uint64_t new_size);
  // The same of a file that nobody maps.
  void truncate_inode_pages(uint64_t new_size);
  // The same of [start, end) in the middle of a file, whole blocks.
  void truncate_pagecache_range(uint64_t start, uint64_t end);
  // Makes [start, end) of a folio, whose lock is held, read as zeros.
  void folio_zero_range(Folio& folio, uint32_t start, uint32_t end);
  // Drops clean folios of [start, end) that nobody uses; of everything, as echo 1 > drop_caches.
  void invalidate_mapping_pages(uint64_t start = 0, uint64_t end = UINT64_MAX);
  // Drops the folios of [start, end), waiting for their locks and their writeback. kBusy if one was
  // dirty, which stays.
  Errno invalidate_inode_pages2_range(uint64_t start, uint64_t end);

  // --- Writeback --------------------------------------------------------------------------------
  // Is a folio with one of the bytes [start, end] dirty or under writeback just now?
  bool filemap_range_needs_writeback(uint64_t start, uint64_t end);
  // do_writepages() over the range, and the wait for the result.
  Errno filemap_fdatawrite_range(uint64_t start, uint64_t end, SyncMode mode);
  Errno filemap_fdatawait_range(uint64_t start, uint64_t end);
  void filemap_fdatawait_keep_errors();
  Errno file_write_and_wait_range(uint64_t start, uint64_t end);
  // The same, and an fsync will still tell the error.
  Errno filemap_write_and_wait_range(uint64_t start, uint64_t end);

  // The first error since the last call that returned one [mapping_set_error(), errseq].
  void mapping_set_error(Errno error);
  Errno filemap_check_errors();

  bool tagged_dirty() const;
  bool has_folios() const;
  const std::map<uint64_t, FolioRef>& folios() const { return folios_; }

 private:
  void unmap_mapping_range();
  void truncate_inode_pages_range(uint64_t start, uint64_t end);
  void truncate_inode_partial_folio(Folio& folio, uint32_t start, uint32_t end);
  void RemoveFolio(Folio& folio);
  void WaitRange(uint64_t start, uint64_t end);

  sim::World& world_;
  Inode& host_;
  MappingClasses classes_;
  uint32_t folio_bytes_ = 0;
  uint32_t block_bytes_ = 0;
  sim::ObjectId i_pages_;
  std::map<uint64_t, FolioRef> folios_;
  int dirty_folios_ = 0;
  sim::Shared<Errno> wb_err_;
};

}  // namespace model
