// A folio of file data [include/linux/mm_types.h, page-flags.h, mm/filemap.c].
//
// Contents are granules (see model/ondisk/content.h). The state of its blocks stands for what hangs
// off folio->private: buffer heads, or the iomap_folio_state of the iomap path; one of the two, as
// its inode goes one path only.
//
// Folios of all inodes of one kind share lock classes; the kinds are apart, because the two paths
// order folio lock and handle in opposite ways.
#pragma once

#include <cstdint>
#include <vector>

#include "model/ondisk/content.h"
#include "sim/engine/shared.h"
#include "sim/locking/bit_lock.h"
#include "sim/locking/wait_event.h"
#include "sim/locking/workqueue.h"

namespace model {

class AddressSpace;

// One block of a folio.
struct FolioBlock {
  bool uptodate = false;
  bool dirty = false;
  // Buffer heads only: BH_Mapped, BH_Delay, BH_Unwritten, BH_New, b_blocknr. The iomap path keeps
  // no mappings in the page cache.
  bool mapped = false;
  bool delay = false;
  bool unwritten = false;
  bool is_new = false;
  bool async_write = false;  // BH_Async_Write: under I/O
  Pblk b_blocknr = 0;
};

struct Folio {
  Folio(sim::World& world, AddressSpace& address_space, uint64_t folio_index, uint32_t folio_bytes,
        uint32_t block_bytes, sim::LockClassId lock_class, sim::LockClassId writeback_class,
        Ino ino);

  AddressSpace* mapping;  // null once truncated
  uint64_t index;         // in units of the folio size
  uint32_t size_bytes;
  sim::Shared<bool> dirty;      // PG_dirty
  sim::Shared<bool> writeback;  // PG_writeback
  // iomap: ranges submitted and not completed, plus one while the folio is being submitted
  // (write_bytes_pending). buffer_head: blocks under I/O or waiting for conversion.
  int writeback_pending = 0;
  bool mapped = false;          // a store has faulted it in; under the lock
  sim::BitLock lock;            // PG_locked
  sim::WaitBit writeback_wait;  // for PG_writeback
  // Whose items have ended its writeback before, or are to; for the lock checker.
  sim::Workqueue* conversion = nullptr;
  sim::ObjectId conversion_object;
  sim::Shared<std::vector<FolioBlock>> blocks;
  std::vector<SectorContent> granules;

  uint32_t block_count() const { return static_cast<uint32_t>(blocks.peek().size()); }
  uint64_t pos() const { return index * size_bytes; }
  uint64_t end() const { return pos() + size_bytes; }
  bool uptodate() const;
};

// Holds a folio's lock to the end of the block.
using FolioGuard = sim::BitGuard;

}  // namespace model
