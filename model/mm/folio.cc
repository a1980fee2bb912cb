#include "model/mm/folio.h"

#include <algorithm>

#include "model/mm/address_space.h"

namespace model {

Folio::Folio(sim::World& world, AddressSpace& address_space, uint64_t folio_index,
             uint32_t folio_bytes, uint32_t block_bytes, sim::LockClassId lock_class,
             sim::LockClassId writeback_class, Ino ino)
    : mapping(&address_space),
      index(folio_index),
      size_bytes(folio_bytes),
      dirty(world, {"PG_dirty", sim::Sharing::kAtomic, "a bit of folio->flags"},
            {"folio", ino, folio_index}, false),
      writeback(world,
                {"PG_writeback", sim::Sharing::kOrdered,
                 "a bit of folio->flags; its clearing releases those who wait for it"},
                {"folio", ino, folio_index}, false),
      lock(world, lock_class, {"folio", ino, folio_index}),
      writeback_wait(world, writeback_class, {"folio", ino, folio_index}),
      conversion_object(world.NewObject()),
      blocks(world, {"folio blocks (buffers, iomap_folio_state)"}, {"folio", ino, folio_index},
             std::vector<FolioBlock>(folio_bytes / block_bytes)),
      granules(folio_bytes / kGranuleBytes) {}

bool Folio::uptodate() const {
  // PG_uptodate is a bit of folio->flags, looked at without the lock.
  const std::vector<FolioBlock>& all = blocks.data_race();
  return std::all_of(all.begin(), all.end(), [](const FolioBlock& b) { return b.uptodate; });
}

}  // namespace model
