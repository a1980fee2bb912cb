#include "model/mm/address_space.h"

#include <algorithm>

#include "model/vfs/inode.h"
#include "sim/check.h"

namespace model {

AddressSpace::AddressSpace(sim::World& world, Inode& host, const MappingClasses& classes,
                           uint32_t folio_bytes, uint32_t block_bytes)
    : invalidate_lock(world, classes.invalidate_lock, {"inode", host.i_ino}),
      i_mmap_rwsem(world, classes.i_mmap_rwsem, {"inode", host.i_ino}),
      world_(world),
      host_(host),
      classes_(classes),
      folio_bytes_(folio_bytes),
      block_bytes_(block_bytes),
      i_pages_(world.NewObject()),
      wb_err_(world, {"wb_err", sim::Sharing::kAtomic, "errseq_t"}, {"inode", host.i_ino},
              Errno::kOk) {}

bool AddressSpace::tagged_dirty() const {
  world_.Touch(i_pages_, sim::Access::kRead);
  return dirty_folios_ > 0;
}

bool AddressSpace::has_folios() const {
  world_.Touch(i_pages_, sim::Access::kRead);
  return !folios_.empty();
}

FolioRef AddressSpace::filemap_get_folio(uint64_t index) {
  world_.Touch(i_pages_, sim::Access::kRead);
  const auto it = folios_.find(index);
  return it != folios_.end() ? it->second : nullptr;
}

FolioRef AddressSpace::filemap_grab_folio(uint64_t index) {
  for (;;) {
    FolioRef folio = filemap_get_folio(index);
    if (folio == nullptr) {
      world_.Touch(i_pages_, sim::Access::kWrite);
      folio = std::make_shared<Folio>(world_, *this, index, folio_bytes_, block_bytes_,
                                      classes_.folio, classes_.writeback, host_.i_ino);
      folios_.emplace(index, folio);
    }
    folio->lock.lock();
    if (folio->mapping == this) return folio;
    folio->lock.unlock();  // truncated while we waited
  }
}

FolioRef AddressSpace::filemap_lock_folio(uint64_t index) {
  for (;;) {
    FolioRef folio = filemap_get_folio(index);
    if (folio == nullptr) return nullptr;
    folio->lock.lock();
    if (folio->mapping == this) return folio;
    folio->lock.unlock();
  }
}

FolioRef AddressSpace::NextDirty(uint64_t index, uint64_t last) {
  world_.Touch(i_pages_, sim::Access::kRead);
  for (auto it = folios_.lower_bound(index); it != folios_.end() && it->first <= last; ++it) {
    if (it->second->dirty) return it->second;
  }
  return nullptr;
}

FolioRef AddressSpace::NextFolio(uint64_t index, uint64_t last) {
  world_.Touch(i_pages_, sim::Access::kRead);
  const auto it = folios_.lower_bound(index);
  return it != folios_.end() && it->first <= last ? it->second : nullptr;
}

void AddressSpace::folio_mark_dirty(Folio& folio) {
  world_.Touch(i_pages_, sim::Access::kWrite);
  host_.i_sb.history.Dirtied(host_.key(), folio.pos(), folio.end());
  if (folio.dirty) return;
  folio.dirty = true;
  ++dirty_folios_;
  host_.i_sb.s_bdi.AccountDirty(folio.size_bytes);
  host_.i_sb.s_bdi.__mark_inode_dirty(host_);
}

bool AddressSpace::folio_clear_dirty_for_io(Folio& folio) {
  SIM_CHECK(folio.lock.is_locked());
  world_.Touch(i_pages_, sim::Access::kWrite);
  if (!folio.dirty) return false;
  folio.dirty = false;
  --dirty_folios_;
  host_.i_sb.s_bdi.AccountDirty(-int64_t{folio.size_bytes});
  return true;
}

void AddressSpace::folio_start_writeback(Folio& folio) {
  SIM_CHECK(folio.lock.is_locked() && !folio.writeback);
  folio.writeback_wait.set_bit();
  folio.writeback = true;
  host_.i_sb.s_bdi.AccountWriteback(folio.size_bytes);
}

void AddressSpace::folio_end_writeback(Folio& folio) {
  SIM_CHECK(folio.writeback);
  folio.writeback = false;
  host_.i_sb.s_bdi.AccountWriteback(-int64_t{folio.size_bytes});
  folio.writeback_wait.clear_and_wake_up_bit();
}

void AddressSpace::LeaveWritebackTo(Folio& folio, sim::Workqueue& conversion) {
  world_.Touch(folio.conversion_object, sim::Access::kWrite);
  if (folio.conversion == nullptr) conversion.BringsAbout(folio.writeback_wait);
  folio.conversion = &conversion;
}

void AddressSpace::folio_wait_writeback(Folio& folio) {
  SIM_FRAME("folio_wait_writeback");
  world_.Touch(folio.conversion_object, sim::Access::kRead);
  if (folio.conversion != nullptr) {
    folio.conversion->might_wait_for_item([&] { return !folio.writeback; });
  }
  folio.writeback_wait.wait_on_bit();
}

void AddressSpace::truncate_pagecache(uint64_t new_size) {
  SIM_FRAME("truncate_pagecache");
  unmap_mapping_range();
  truncate_inode_pages(new_size);
  unmap_mapping_range();  // whatever was faulted in before its folio went
}

// Every store faults, mapped or not; what remains is the lock.
void AddressSpace::unmap_mapping_range() {
  SIM_FRAME("unmap_mapping_range");
  sim::ReadGuard guard(i_mmap_rwsem);
}

void AddressSpace::truncate_inode_pages(uint64_t new_size) {
  truncate_inode_pages_range(new_size, UINT64_MAX);
}

void AddressSpace::truncate_pagecache_range(uint64_t start, uint64_t end) {
  SIM_FRAME("truncate_pagecache_range");
  unmap_mapping_range();
  truncate_inode_pages_range(start, end);
}

void AddressSpace::truncate_inode_pages_range(uint64_t start, uint64_t end) {
  SIM_FRAME("truncate_inode_pages_range");
  const uint64_t last = (end - 1) / folio_bytes_;
  for (uint64_t index = start / folio_bytes_;; ++index) {
    const FolioRef next = NextFolio(index, last);
    if (next == nullptr) return;
    index = next->index;
    const FolioRef folio = filemap_lock_folio(index);
    if (folio == nullptr) continue;
    FolioGuard guard(folio->lock, sim::kAdoptLock);
    folio_wait_writeback(*folio);
    if (folio->pos() >= start && folio->end() <= end) {
      RemoveFolio(*folio);
    } else {
      const uint64_t pos = folio->pos();
      truncate_inode_partial_folio(*folio, static_cast<uint32_t>(std::max(start, pos) - pos),
                                   static_cast<uint32_t>(std::min(end, folio->end()) - pos));
    }
  }
}

void AddressSpace::truncate_inode_partial_folio(Folio& folio, uint32_t start, uint32_t end) {
  folio_zero_range(folio, start, end);
  // Blocks wholly within have nothing left to write [folio_invalidate()].
  for (uint32_t b = (start + block_bytes_ - 1) / block_bytes_; (b + 1) * block_bytes_ <= end; ++b) {
    const bool was_uptodate = folio.blocks.load()[b].uptodate;
    folio.blocks.update()[b] = FolioBlock{};
    folio.blocks.update()[b].uptodate = was_uptodate;
  }
}

void AddressSpace::RemoveFolio(Folio& folio) {
  world_.Touch(i_pages_, sim::Access::kWrite);
  (void)folio_clear_dirty_for_io(folio);
  folio.mapping = nullptr;
  folios_.erase(folio.index);
}

void AddressSpace::folio_zero_range(Folio& folio, uint32_t start, uint32_t end) {
  SIM_CHECK(folio.lock.is_locked() && end <= folio.size_bytes);
  GranuleTable& granules = host_.i_sb.granules;
  while (start < end) {
    const uint32_t g = start / kGranuleBytes;
    const uint32_t stop = std::min(end, (g + 1) * kGranuleBytes);
    folio.granules[g] = granules.Overlay(folio.granules[g], start % kGranuleBytes,
                                         stop - g * kGranuleBytes, kZeroContent);
    start = stop;
  }
}

void AddressSpace::invalidate_mapping_pages(uint64_t start, uint64_t end) {
  SIM_FRAME("invalidate_mapping_pages");
  for (uint64_t index = start / folio_bytes_;; ++index) {
    FolioRef folio = NextFolio(index, (end - 1) / folio_bytes_);
    if (folio == nullptr) return;
    index = folio->index;
    if (!folio->lock.trylock()) continue;
    FolioGuard guard(folio->lock, sim::kAdoptLock);
    // Ours, and the page cache's: nobody else is about to use it. Who looks a folio up has one
    // more.
    world_.Touch(i_pages_, sim::Access::kWrite);
    const bool clean = !folio->dirty && !folio->writeback;
    const bool unused = folio->mapping == this && folio.use_count() == 2;
    if (clean && unused) RemoveFolio(*folio);
  }
}

Errno AddressSpace::invalidate_inode_pages2_range(uint64_t start, uint64_t end) {
  SIM_FRAME("invalidate_inode_pages2_range");
  Errno error = Errno::kOk;
  for (uint64_t index = start / folio_bytes_;; ++index) {
    const FolioRef next = NextFolio(index, (end - 1) / folio_bytes_);
    if (next == nullptr) return error;
    index = next->index;
    const FolioRef folio = filemap_lock_folio(index);
    if (folio == nullptr) continue;
    FolioGuard guard(folio->lock, sim::kAdoptLock);
    folio_wait_writeback(*folio);
    if (std::exchange(folio->mapped, false)) unmap_mapping_range();
    if (folio->dirty) {
      error = Errno::kBusy;
    } else {
      RemoveFolio(*folio);
    }
  }
}

void AddressSpace::mapping_set_error(Errno error) {
  if (error == Errno::kOk) return;
  if (wb_err_ == Errno::kOk) wb_err_ = error;
  host_.i_sb.history.WriteFailed(host_.key());
}

bool AddressSpace::filemap_range_needs_writeback(uint64_t start, uint64_t end) {
  SIM_FRAME("filemap_range_needs_writeback");
  const uint64_t last = end / folio_bytes_;
  for (uint64_t index = start / folio_bytes_;; ++index) {
    const FolioRef folio = NextFolio(index, last);
    if (folio == nullptr) return false;
    index = folio->index;
    if (folio->dirty.load_racy() || folio->writeback) return true;
  }
}

Errno AddressSpace::filemap_check_errors() {
  const Errno error = wb_err_;
  if (error != Errno::kOk) wb_err_ = Errno::kOk;
  return error;
}

Errno AddressSpace::filemap_fdatawrite_range(uint64_t start, uint64_t end, SyncMode mode) {
  SIM_FRAME("filemap_fdatawrite_range");
  if (!tagged_dirty()) return Errno::kOk;
  WritebackControl wbc;
  wbc.sync_mode = mode;
  wbc.range_start = start;
  wbc.range_end = end;
  return host_.writepages(wbc);
}

Errno AddressSpace::filemap_fdatawait_range(uint64_t start, uint64_t end) {
  SIM_FRAME("filemap_fdatawait_range");
  WaitRange(start, end);
  return filemap_check_errors();
}

void AddressSpace::filemap_fdatawait_keep_errors() {
  SIM_FRAME("filemap_fdatawait_keep_errors");
  WaitRange(0, UINT64_MAX);
}

void AddressSpace::WaitRange(uint64_t start, uint64_t end) {
  const uint64_t last = end / folio_bytes_;
  for (uint64_t index = start / folio_bytes_;; ++index) {
    const FolioRef folio = NextFolio(index, last);
    if (folio == nullptr) break;
    index = folio->index;
    folio_wait_writeback(*folio);
  }
}

Errno AddressSpace::file_write_and_wait_range(uint64_t start, uint64_t end) {
  SIM_FRAME("file_write_and_wait_range");
  const Errno written = filemap_fdatawrite_range(start, end, SyncMode::kAll);
  return FirstError(written, filemap_fdatawait_range(start, end));
}

Errno AddressSpace::filemap_write_and_wait_range(uint64_t start, uint64_t end) {
  SIM_FRAME("filemap_write_and_wait_range");
  const Errno written = filemap_fdatawrite_range(start, end, SyncMode::kAll);
  WaitRange(start, end);
  return FirstError(written, wb_err_.load());
}

}  // namespace model
