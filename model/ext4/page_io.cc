// The end of writeback: what completions do, and the worker that converts [fs/ext4/page-io.c].
//
// All conversions of a file system share one worker. A buffer_head inode's conversion runs on a
// handle that was reserved at submission, as the commit may be waiting for the folio that it ends
// writeback of; an iomap inode's starts an ordinary handle, as no commit waits for those folios.

#include <algorithm>

#include "model/ext4/ext4.h"
#include "sim/check.h"

namespace model {

Ext4IoEnd::Ext4IoEnd(Ext4Inode& owner) : inode(owner), object(owner.i_sb.world.NewObject()) {}

namespace {

bool MayConvert(const Ext4Inode& inode, Errno error) {
  return error == Errno::kOk || inode.sbi.policy.convert_on_io_error;
}

void AbortOnDataError(Ext4Inode& inode, Errno error) {
  if (error != Errno::kOk && inode.sbi.options.data_err_abort) {
    jbd2_journal_abort(inode.sbi.s_journal, Errno::kIo);
  }
}

// --- buffer_head ---------------------------------------------------------------------------------

// The blocks' writeback ends, and with the last of a folio, that of the folio.
void ext4_finish_bio(Ext4IoEnd& io_end) {
  AddressSpace& mapping = io_end.inode.i_mapping;
  mapping.mapping_set_error(io_end.error);
  for (const FolioRef& folio : io_end.folios) {
    if (--folio->writeback_pending == 0) mapping.folio_end_writeback(*folio);
  }
}

// ext4_convert_unwritten_io_end_vec()
Errno ConvertUnder(Ext4Handle& handle, Ext4IoEnd& io_end) {
  if (!handle.ok()) return handle.error();
  Errno error = Errno::kOk;
  for (const auto& [offset, size] : io_end.extents) {
    if (error != Errno::kOk) break;
    error = ext4_convert_unwritten_extents(handle.get(), io_end.inode, offset, size);
  }
  return FirstError(error, handle.stop());
}

Errno ConvertForIoEnd(Ext4IoEnd& io_end) {
  Ext4SbInfo& sbi = io_end.inode.sbi;
  if (Handle* reserved = std::exchange(io_end.handle, nullptr)) {
    Ext4Handle handle(sbi, reserved);
    return ConvertUnder(handle, io_end);
  }
  Ext4Handle handle(sbi, ext4_chunk_trans_blocks(io_end.inode, 1));
  return ConvertUnder(handle, io_end);
}

// On the worker.
void ext4_end_io_end(Ext4IoEnd& io_end) {
  SIM_FRAME("ext4_end_io_end");
  SIM_CHECK(!io_end.folios.empty());
  {
    const sim::EventScope writeback(io_end.folios.front()->writeback_wait);
    const sim::EventScope throttled(io_end.inode.sbi.s_bdi.progress());
    if (MayConvert(io_end.inode, io_end.error)) {
      io_end.error = FirstError(io_end.error, ConvertForIoEnd(io_end));
    } else if (io_end.handle != nullptr) {
      jbd2_journal_free_reserved(*std::exchange(io_end.handle, nullptr));
    }
    AbortOnDataError(io_end.inode, io_end.error);
  }
  ext4_finish_bio(io_end);
}

void ext4_end_io_rsv_work(Ext4Inode& inode) {
  SIM_FRAME("ext4_end_io_rsv_work");
  for (;;) {
    std::shared_ptr<Ext4IoEnd> io_end;
    {
      sim::SpinIrqGuard guard(inode.i_completed_io_lock);
      if (inode.i_rsv_conversion_list->empty()) return;
      io_end = inode.i_rsv_conversion_list->front();
      inode.i_rsv_conversion_list.update().pop_front();
    }
    ext4_end_io_end(*io_end);
  }
}

// In an event.
void ext4_add_complete_io(const std::shared_ptr<Ext4IoEnd>& io_end) {
  SIM_FRAME("ext4_add_complete_io");
  Ext4Inode& inode = io_end->inode;
  sim::SpinIrqGuard guard(inode.i_completed_io_lock);
  const bool idle = inode.i_rsv_conversion_list->empty();
  inode.i_rsv_conversion_list.update().push_back(io_end);
  if (idle) inode.sbi.rsv_conversion_wq.queue_work([&inode] { ext4_end_io_rsv_work(inode); });
}

// --- iomap ---------------------------------------------------------------------------------------

// ext4_iomap_finish_ioend(): conversion and size in one handle.
Errno FinishUnderHandle(Ext4Inode& inode, const IomapIoend& ioend) {
  Ext4Handle handle(inode.sbi, ext4_chunk_trans_blocks(inode, 1));
  if (!handle.ok()) return handle.error();
  Errno error = Errno::kOk;
  if (ioend.unwritten) {
    error = ext4_convert_unwritten_extents(handle.get(), inode, ioend.io_offset, ioend.io_size);
  }
  // ORDER: the data is on disk; now the size may say so.
  if (error == Errno::kOk && ext4_update_i_disksize(inode, ioend.end())) {
    error = ext4_mark_inode_dirty(*handle, inode);
  }
  return FirstError(error, handle.stop());
}

void ext4_iomap_finish_ioend(Ext4Inode& inode, IomapIoend& ioend) {
  SIM_FRAME("ext4_iomap_finish_ioend");
  {
    const sim::EventScope writeback(ioend.parts.front().folio->writeback_wait);
    const sim::EventScope throttled(inode.sbi.s_bdi.progress());
    if (MayConvert(inode, ioend.error)) {
      ioend.error = FirstError(ioend.error, FinishUnderHandle(inode, ioend));
    }
    AbortOnDataError(inode, ioend.error);
  }
  iomap_finish_ioend(ioend);
}

void ext4_iomap_end_io(Ext4Inode& inode) {
  SIM_FRAME("ext4_iomap_end_io");
  for (;;) {
    std::deque<std::unique_ptr<IomapIoend>> ioends;
    {
      sim::SpinIrqGuard guard(inode.i_completed_io_lock);
      ioends.swap(inode.i_iomap_ioend_list.update());
    }
    if (ioends.empty()) return;
    std::sort(ioends.begin(), ioends.end(), [](const auto& a, const auto& b) {
      return a->io_offset < b->io_offset;  // iomap_sort_ioends()
    });
    for (auto& ioend : ioends) {
      ext4_iomap_finish_ioend(inode, *ioend);
      ioend = nullptr;  // and its references to folios
    }
  }
}

// In an event.
void ext4_iomap_end_bio(Ext4Inode& inode, std::unique_ptr<IomapIoend> ioend) {
  SIM_FRAME("ext4_iomap_end_bio");
  const bool needs_worker = ioend->unwritten || ioend->end() > inode.i_disksize.load() ||
                            (ioend->error != Errno::kOk && inode.sbi.options.data_err_abort);
  if (!needs_worker) {
    iomap_finish_ioend(*ioend);
    return;
  }
  sim::SpinIrqGuard guard(inode.i_completed_io_lock);
  const bool idle = inode.i_iomap_ioend_list->empty();
  inode.i_iomap_ioend_list.update().push_back(std::move(ioend));
  if (idle) inode.sbi.rsv_conversion_wq.queue_work([&inode] { ext4_iomap_end_io(inode); });
}

}  // namespace

// Bios end in any order, and the last does what there is to do, all of it at once. The submitter,
// if it is the last, has choice points on the way.
void ext4_put_io_end(const std::shared_ptr<Ext4IoEnd>& io_end) {
  sim::World& world = io_end->inode.i_sb.world;
  world.Touch(io_end->object, world.in_irq() ? sim::Access::kRead : sim::Access::kWrite);
  if (--io_end->count > 0) return;
  if (io_end->unwritten && !io_end->folios.empty()) {
    ext4_add_complete_io(io_end);
    return;
  }
  if (io_end->handle != nullptr) {
    jbd2_journal_free_reserved(*std::exchange(io_end->handle, nullptr));
  }
  ext4_finish_bio(*io_end);
}

void ext4_iomap_submit_ioend(Ext4Inode& inode, std::unique_ptr<IomapIoend> ioend) {
  SIM_FRAME("iomap_submit_ioend");
  if (ioend->unwritten) {
    for (const IomapIoend::Part& part : ioend->parts) {
      inode.i_mapping.LeaveWritebackTo(*part.folio, inode.sbi.rsv_conversion_wq);
    }
  }
  auto bio = std::make_unique<sim::Bio>();
  bio->is_data = true;
  bio->sector = inode.sbi.geometry.first_sector(ioend->io_addr);
  bio->contents.assign(ioend->contents.begin(), ioend->contents.end());
  bio->what = "file data";
  bio->end_io = [&inode, ioend = std::move(ioend)](sim::Bio&, sim::BioStatus status) mutable {
    if (status != sim::BioStatus::kOk) ioend->error = Errno::kIo;
    ext4_iomap_end_bio(inode, std::move(ioend));
  };
  inode.sbi.device.submit_bio(std::move(bio));
}

}  // namespace model
