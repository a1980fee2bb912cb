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
      lock(world, lock_class, {"folio", ino, folio_index}),
      writeback_wait(world, writeback_class, {"folio", ino, folio_index}),
      blocks(folio_bytes / block_bytes),
      granules(folio_bytes / kGranuleBytes) {}

bool Folio::uptodate() const {
  return std::all_of(blocks.begin(), blocks.end(), [](const FolioBlock& b) { return b.uptodate; });
}

}  // namespace model
