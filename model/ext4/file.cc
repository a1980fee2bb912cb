// read(2) and write(2) [fs/ext4/file.c].

#include <algorithm>

#include "model/ext4/ext4.h"
#include "model/vfs/syscalls.h"

namespace model {

Errno ext4_dirty_inode(Ext4Inode& inode) {
  SIM_FRAME("ext4_dirty_inode");
  Ext4Handle handle(inode.sbi, 2);
  if (!handle.ok()) return handle.error();
  const Errno error = ext4_mark_inode_dirty(*handle, inode);
  return FirstError(error, handle.stop());
}

namespace {

Errno ext4_write_checks(Ext4Inode& inode, const Kiocb& iocb) {
  SIM_FRAME("ext4_write_checks");
  const Errno error = ext4_dirty_inode(inode);
  if (error != Errno::kOk) return error;
  // Whatever lies in the last block beyond the old end must not come into the file.
  const uint64_t old_size = inode.i_size.load();
  return iocb.ki_pos > old_size ? ext4_block_zero_eof(inode, old_size, iocb.ki_pos) : Errno::kOk;
}

// Tells the reference from when to when the call is under way.
class WriteCall {
 public:
  explicit WriteCall(Ext4Inode& inode) : inode_(inode) {
    inode_.sbi.history.BeginCall(inode_.key());
  }
  ~WriteCall() {
    inode_.sbi.world.Touch(inode_.call_object, sim::Access::kWrite);
    inode_.sbi.history.EndCall(inode_.key());
  }
  WriteCall(const WriteCall&) = delete;
  WriteCall& operator=(const WriteCall&) = delete;

 private:
  Ext4Inode& inode_;
};

IoResult WriteUnderLock(Kiocb& iocb, IovIter& from) {
  Ext4Inode& inode = EXT4_I(*iocb.inode);
  sim::WriteGuard inode_lock(inode.i_rwsem);
  const WriteCall call(inode);
  const Errno error = ext4_write_checks(inode, iocb);
  if (error != Errno::kOk) return {0, error};
  return inode.buffered_iomap ? ext4_iomap_buffered_write(iocb, from)
                              : generic_perform_write(iocb, from);
}

}  // namespace

IoResult ext4_buffered_write_iter(Kiocb& iocb, IovIter& from) {
  SIM_FRAME("ext4_buffered_write_iter");
  const uint64_t begin = iocb.ki_pos;
  const IoResult result = WriteUnderLock(iocb, from);
  if (iocb.sync == WriteSync::kNone || result.bytes == 0) return result;
  const Errno error = generic_write_sync(*iocb.inode, begin, begin + result.bytes, iocb.sync);
  return error == Errno::kOk ? result : IoResult{0, error};
}

IoResult Ext4SbInfo::write_iter(Kiocb& iocb, IovIter& from) {
  SIM_FRAME("ext4_file_write_iter");
  const Errno emergency = ext4_emergency_state();
  if (emergency != Errno::kOk) return {0, emergency};
  return iocb.direct ? ext4_dio_write_iter(iocb, from) : ext4_buffered_write_iter(iocb, from);
}

IoResult Ext4SbInfo::read_iter(Kiocb& iocb, IovIter& to) {
  SIM_FRAME("ext4_file_read_iter");
  if (ext4_forced_shutdown()) return {0, Errno::kIo};
  return iocb.direct ? ext4_dio_read_iter(iocb, to) : generic_file_read_iter(iocb, to);
}

IoResult generic_file_read_iter(Kiocb& iocb, IovIter& to) {
  Ext4Inode& inode = EXT4_I(*iocb.inode);
  const uint64_t len = to.count;
  uint64_t done = 0;
  while (done < len) {
    const uint64_t at = iocb.ki_pos + done;
    const uint64_t size = inode.i_size.load_racy();
    if (at >= size) break;
    const uint32_t folio_bytes = inode.i_mapping.folio_bytes();
    const Errno error = filemap_read_folio(inode, at / folio_bytes);
    if (error != Errno::kOk) return done > 0 ? IoResult{done} : IoResult{0, error};
    done += std::min({len - done, size - at, folio_bytes - at % folio_bytes});
  }
  return {done};
}

Errno ext4_file_open(const Ext4Inode& inode) {
  SIM_FRAME("ext4_file_open");
  return inode.sbi.ext4_forced_shutdown() ? Errno::kIo : Errno::kOk;
}

Errno filemap_read_folio(Ext4Inode& inode, uint64_t index) {
  SIM_FRAME("filemap_read_folio");
  const FolioRef cached = inode.i_mapping.filemap_get_folio(index);
  if (cached != nullptr && cached->uptodate()) return Errno::kOk;
  sim::ReadGuard invalidate_lock(inode.i_mapping.invalidate_lock);
  const FolioRef folio = inode.i_mapping.filemap_grab_folio(index);
  FolioGuard guard(folio->lock, sim::kAdoptLock);
  const uint32_t bs = inode.sbi.block_bytes();
  // ORDER: what is beyond the size is zero and not read: direct I/O may be about to write it.
  const uint64_t size = inode.i_size.load_racy();
  for (uint32_t b = 0; b < folio->block_count(); ++b) {
    FolioBlock& block = folio->blocks.update()[b];
    if (block.uptodate) continue;
    const uint64_t pos = folio->pos() + uint64_t{b} * bs;
    Ext4MapBlocks map{static_cast<Lblk>(pos / bs), 1};
    Errno error = Errno::kOk;
    if (pos < size) error = ext4_map_blocks(nullptr, inode, map, 0);
    if (error == Errno::kOk && (map.m_flags & kMapMapped)) {
      error = ext4_read_block(inode, *folio, b, map.m_pblk);
      block.mapped = !inode.buffered_iomap;
      block.b_blocknr = map.m_pblk;
    } else if (error == Errno::kOk) {
      inode.i_mapping.folio_zero_range(*folio, b * bs, (b + 1) * bs);
      block.uptodate = true;
    }
    if (error != Errno::kOk) return error;
  }
  return Errno::kOk;
}

}  // namespace model
