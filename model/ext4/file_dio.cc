// O_DIRECT reads and writes [fs/ext4/file.c; fs/ext4/inode.c, ext4_iomap_begin()].
//
//   sb_start_write > i_rwsem (shared to read, and to write blocks that are there) > i_dio_count
//
// Both kinds of inodes take this path. A write shares i_rwsem if it neither makes the file grow nor
// allocates; not, either, if it writes part of a block that is unwritten, of which the rest is
// zeroed. Blocks below i_size are unwritten until the data is there. Those beyond are written at
// once, and the orphan list has the inode until its size is right, so that a power cut in between
// takes them away again.
//
// Not modelled: IOCB_NOWAIT, atomic writes, the alignment of user memory; files with inline data,
// which take the buffered path and fail there.

#include <algorithm>

#include "model/ext4/ext4.h"
#include "model/vfs/syscalls.h"
#include "sim/check.h"

namespace model {
namespace {

constexpr uint32_t kDioMaxBlocks = 4096;  // DIO_MAX_BLOCKS

bool IsDatasyncDirty(const Ext4Inode& inode) {  // ext4_inode_datasync_dirty()
  return !jbd2_transaction_committed(inode.sbi.s_journal, inode.i_datasync_tid);
}

// Allocates the first blocks of `map`.
Errno ext4_iomap_alloc(Ext4Inode& inode, Ext4MapBlocks& map) {
  SIM_FRAME("ext4_iomap_alloc");
  Ext4SbInfo& sbi = inode.sbi;
  map.m_len = std::min(map.m_len, kDioMaxBlocks);
  for (int retries = 0;;) {
    Ext4Handle handle(sbi, ext4_chunk_trans_blocks(inode, map.m_len));
    if (!handle.ok()) return handle.error();
    // By i_size: writeback of delayed blocks may raise i_disksize up to there at any time, and show
    // what is beyond where it was.
    const bool beyond_eof = uint64_t{map.m_lblk} * sbi.block_bytes() >= inode.i_size.load();
    uint32_t flags = kGetBlocksCreate;
    if (!beyond_eof) flags |= kGetBlocksUnwritExt;
    Ext4MapBlocks got = map;
    Errno error = ext4_map_blocks(handle.get(), inode, got, flags);
    error = FirstError(error, handle.stop());
    if (error == Errno::kOk) map = got;
    if (error != Errno::kNoSpc || !ext4_should_retry_alloc(sbi, &retries)) return error;
  }
}

class Ext4DioOps : public IomapDioOps {
 public:
  Errno iomap_begin(Inode& vfs_inode, uint64_t offset, uint64_t length, IomapFlags flags,
                    Iomap& iomap) const override {
    SIM_FRAME("ext4_iomap_begin");
    Ext4Inode& inode = EXT4_I(vfs_inode);
    Ext4MapBlocks map = MapRequest(inode, offset, length);
    const bool within = offset + length <= inode.i_size.load();
    Errno error = Errno::kOk;
    // What is allocated needs no handle; unwritten blocks are converted when the data is there.
    if (!flags.write || within) error = ext4_map_blocks(nullptr, inode, map, 0);
    const bool there = within && (map.m_flags & (kMapMapped | kMapUnwritten)) != 0;
    if (error == Errno::kOk && flags.write && !there) error = ext4_iomap_alloc(inode, map);
    if (error != Errno::kOk) return error;
    ext4_set_iomap(inode, iomap, map);
    iomap.dirty = IsDatasyncDirty(inode) || !within;
    return Errno::kOk;
  }

  Errno end_io(Inode& vfs_inode, uint64_t pos, uint64_t size, Errno error,
               bool unwritten) const override;

  void submit_io(Inode& vfs_inode, const Iomap& iomap, uint64_t pos,
                 std::unique_ptr<sim::Bio> bio) const override {
    Ext4SbInfo& sbi = EXT4_I(vfs_inode).sbi;
    bio->sector = sbi.geometry.first_sector(iomap.addr) + (pos - iomap.offset) / kGranuleBytes;
    sbi.device.submit_bio(std::move(bio));
  }

  bool counts_until_ended(const Inode& inode) const override {
    return !PolicyOf(inode).dio_done_before_convert;
  }
  bool invalidates_after(const Inode& inode) const override {
    return !PolicyOf(inode).dio_keeps_page_cache;
  }

 private:
  static const Policy& PolicyOf(const Inode& inode) {
    return static_cast<const Ext4Inode&>(inode).sbi.policy;
  }
};

const Ext4DioOps kDioOps{};

// Requires: i_rwsem exclusively.
Errno ext4_handle_inode_extension(Ext4Inode& inode, uint64_t new_size) {
  SIM_FRAME("ext4_handle_inode_extension");
  SIM_CHECK(inode.i_rwsem.held_exclusive());
  Ext4Handle handle(inode.sbi, 2);
  if (!handle.ok()) return handle.error();
  if (new_size > inode.i_size.load()) inode.i_size.store(new_size);
  Errno error = Errno::kOk;
  if (ext4_update_i_disksize(inode, new_size)) error = ext4_mark_inode_dirty(*handle, inode);
  if (error == Errno::kOk && inode.i_nlink > 0) error = ext4_orphan_del(*handle, inode);
  return FirstError(error, handle.stop());
}

Errno Ext4DioOps::end_io(Inode& vfs_inode, uint64_t pos, uint64_t size, Errno error,
                         bool unwritten) const {
  SIM_FRAME("ext4_dio_write_end_io");
  Ext4Inode& inode = EXT4_I(vfs_inode);
  const Policy& policy = inode.sbi.policy;
  if (error == Errno::kFault && size > 0 && policy.orphan_del_on_short_extend) error = Errno::kOk;
  const bool may_convert = error == Errno::kOk || policy.convert_on_io_error;
  if (may_convert && size > 0 && unwritten) {
    const Errno converted = ext4_convert_unwritten_extents(nullptr, inode, pos, size);
    error = FirstError(error, converted);
  }
  if (error != Errno::kOk) return error;
  // ORDER: the data is on disk; now the size may say so. Either size may be behind.
  const uint64_t end = pos + size;
  const bool disksize_behind = end > inode.i_disksize.load() && !policy.dio_disksize_by_i_size;
  if (end <= inode.i_size.load() && !disksize_behind) return Errno::kOk;
  return ext4_handle_inode_extension(inode, end);
}

// Requires: i_rwsem exclusively, and the write is over.
void ext4_inode_extension_cleanup(Ext4Inode& inode, bool need_trunc) {
  SIM_FRAME("ext4_inode_extension_cleanup");
  if (need_trunc) ext4_truncate_failed_write(inode);
  // Also if somebody else has raised i_disksize, and end_io() had nothing to do.
  DropOrphanAfterFailure(inode);
}

// --- write(2) ------------------------------------------------------------------------------------

// i_rwsem, one way or the other, to the end of the block.
class InodeLock {
 public:
  InodeLock(sim::RwSem& i_rwsem, bool shared) : i_rwsem_(i_rwsem), shared_(shared) { Lock(); }
  ~InodeLock() { Unlock(); }
  InodeLock(const InodeLock&) = delete;
  InodeLock& operator=(const InodeLock&) = delete;

  bool shared() const { return shared_; }
  // Gives it up and takes it exclusively.
  void Upgrade() {
    Unlock();
    shared_ = false;
    Lock();
  }

 private:
  void Lock() { shared_ ? i_rwsem_.down_read() : i_rwsem_.down_write(); }
  void Unlock() { shared_ ? i_rwsem_.up_read() : i_rwsem_.up_write(); }

  sim::RwSem& i_rwsem_;
  bool shared_ = false;
};

struct DioWrite {
  bool unaligned = false;  // it covers part of a block
  bool extends = false;    // one of the sizes
  bool overwrite = false;  // all its blocks are there ...
  bool unwritten = false;  // ... and unwritten
};

DioWrite LookAt(Ext4Inode& inode, uint64_t pos, uint64_t len) {
  DioWrite write;
  write.unaligned = ((pos | len) & (inode.sbi.block_bytes() - 1)) != 0;
  const bool disksize_behind = pos + len > inode.i_disksize.load();
  write.extends = pos + len > inode.i_size.load() ||
                  (disksize_behind && !inode.sbi.policy.dio_disksize_by_i_size);
  if (pos + len > inode.i_size.load()) return write;
  Ext4MapBlocks map = MapRequest(inode, pos, len);  // ext4_overwrite_io()
  const uint32_t blocks = map.m_len;
  if (ext4_map_blocks(nullptr, inode, map, 0) != Errno::kOk) return write;
  write.overwrite = map.m_len == blocks && (map.m_flags & (kMapMapped | kMapUnwritten)) != 0;
  write.unwritten = (map.m_flags & kMapMapped) == 0;
  return write;
}

// Settles how i_rwsem is held. `force_wait`: the write has to be over before it is given up.
Errno ext4_dio_write_checks(Ext4Inode& inode, uint64_t pos, uint64_t len, InodeLock& inode_lock,
                            DioWrite* write, bool* force_wait) {
  SIM_FRAME("ext4_dio_write_checks");
  *write = LookAt(inode, pos, len);
  const bool zeroes_parts = write->unaligned && (!write->overwrite || write->unwritten);
  const bool may_share = write->overwrite && !write->extends &&
                         (!zeroes_parts || inode.sbi.policy.dio_unaligned_shared);
  if (inode_lock.shared() && !may_share) {
    inode_lock.Upgrade();
    return ext4_dio_write_checks(inode, pos, len, inode_lock, write, force_wait);
  }
  if (!inode_lock.shared() && (write->unaligned || write->extends)) {
    if (zeroes_parts) inode_dio_wait(inode);
    *force_wait = true;
  }
  return ext4_dirty_inode(inode);  // file_modified()
}

Errno AddToOrphans(Ext4Inode& inode) {
  Ext4Handle handle(inode.sbi, 2);
  if (!handle.ok()) return handle.error();
  const Errno error = ext4_orphan_add(*handle, inode);
  return FirstError(error, handle.stop());
}

IoResult DioWriteUnderLock(Ext4Inode& inode, Kiocb& iocb, IovIter& from) {
  // A first look, to save taking the lock twice.
  InodeLock inode_lock(inode.i_rwsem, from.start + from.count <= inode.i_size.load_racy());
  DioWrite write;
  bool force_wait = false;
  Errno error =
      ext4_dio_write_checks(inode, from.start, from.count, inode_lock, &write, &force_wait);
  if (error != Errno::kOk) return {0, error};
  // ORDER: before the first block is allocated that the size does not cover.
  if (write.extends && !inode.sbi.policy.dio_extends_without_orphan) error = AddToOrphans(inode);
  if (error != Errno::kOk) return {0, error};
  const IoResult result = iomap_dio_rw(iocb, from, kDioOps, force_wait);
  const bool failed = result.error != Errno::kOk && result.error != Errno::kNotBlk;
  if (write.extends) ext4_inode_extension_cleanup(inode, failed);
  return result;
}

}  // namespace

IoResult ext4_dio_write_iter(Kiocb& iocb, IovIter& from) {
  SIM_FRAME("ext4_dio_write_iter");
  Ext4Inode& inode = EXT4_I(*iocb.inode);
  if (inode.inline_data) return ext4_buffered_write_iter(iocb, from);
  const IoResult direct = DioWriteUnderLock(inode, iocb, from);
  if (direct.error != Errno::kNotBlk) return direct;
  // Through the page cache, then, and out of it again.
  const uint64_t begin = iocb.ki_pos;
  const IoResult buffered = ext4_buffered_write_iter(iocb, from);
  const uint64_t end = begin + buffered.bytes;
  if (buffered.bytes > 0 &&
      inode.i_mapping.filemap_write_and_wait_range(begin, end - 1) == Errno::kOk) {
    inode.i_mapping.invalidate_mapping_pages(begin, end);
  }
  return buffered;
}

IoResult ext4_dio_read_iter(Kiocb& iocb, IovIter& to) {
  SIM_FRAME("ext4_dio_read_iter");
  Ext4Inode& inode = EXT4_I(*iocb.inode);
  if (inode.inline_data) return generic_file_read_iter(iocb, to);
  sim::ReadGuard inode_lock(inode.i_rwsem);
  return iomap_dio_rw(iocb, to, kDioOps, false);
}

}  // namespace model
