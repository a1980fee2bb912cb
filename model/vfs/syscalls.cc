#include "model/vfs/syscalls.h"

#include <algorithm>

namespace model {

namespace {

IovIter UserBuffer(UserMemory* memory, uint64_t pos, uint64_t len) {
  IovIter iter;
  iter.memory = memory;
  iter.start = pos;
  iter.count = len;
  return iter;
}

IoResult Write(Kiocb iocb, UserMemory& memory, uint64_t len, uint64_t readable) {
  SIM_FRAME("ksys_write");
  sim::ReadGuard sb_start_write(iocb.inode->i_sb.s_writers.rwsem());
  IovIter from = UserBuffer(&memory, iocb.ki_pos, len);
  if (readable < len) from.fault_at = iocb.ki_pos + readable;
  return iocb.inode->i_sb.write_iter(iocb, from);
}

IoResult Read(Kiocb iocb, IovIter to) {
  SIM_FRAME("ksys_read");
  return iocb.inode->i_sb.read_iter(iocb, to);
}

}  // namespace

IoResult ksys_write(Inode& inode, UserMemory& memory, uint64_t pos, uint64_t len, WriteSync sync,
                    uint64_t readable) {
  return Write({.inode = &inode, .ki_pos = pos, .sync = sync}, memory, len, readable);
}

IoResult ksys_write_direct(Inode& inode, UserMemory& memory, uint64_t pos, uint64_t len,
                           WriteSync sync, uint64_t readable) {
  return Write({.inode = &inode, .ki_pos = pos, .sync = sync, .direct = true}, memory, len,
               readable);
}

IoResult ksys_read(Inode& inode, uint64_t pos, uint64_t len) {
  return Read({.inode = &inode, .ki_pos = pos}, UserBuffer(nullptr, pos, len));
}

IoResult ksys_read_direct(Inode& inode, UserMemory& memory, uint64_t pos, uint64_t len,
                          std::vector<SectorContent>& granules) {
  IovIter to = UserBuffer(&memory, pos, len);
  to.into = &granules;
  return Read({.inode = &inode, .ki_pos = pos, .direct = true}, to);
}

IoResult io_submit_write(Inode& inode, UserMemory& memory, uint64_t pos, uint64_t len,
                         WriteSync sync, std::function<void(IoResult)> ki_complete) {
  SIM_FRAME("io_submit_one");
  sim::RwSem& sb_writers = inode.i_sb.s_writers.rwsem();
  sb_writers.down_read();  // kiocb_start_write(): until the write is complete
  sb_writers.release_owner();
  const auto kiocb_end_write = [&sb_writers] { sb_writers.up_read_non_owner(); };
  Kiocb iocb{.inode = &inode, .ki_pos = pos, .sync = sync, .direct = true};
  iocb.ki_complete = [kiocb_end_write, tell = std::move(ki_complete)](IoResult result) {
    kiocb_end_write();
    tell(result);
  };
  IovIter from = UserBuffer(&memory, pos, len);
  const IoResult result = inode.i_sb.write_iter(iocb, from);
  if (result.error != Errno::kIocbQueued) kiocb_end_write();
  return result;
}

Errno do_sys_truncate(Inode& inode, uint64_t size) {
  SIM_FRAME("do_truncate");
  sim::ReadGuard sb_start_write(inode.i_sb.s_writers.rwsem());
  sim::WriteGuard inode_lock(inode.i_rwsem);
  return inode.i_sb.setattr_size(inode, size);
}

Errno ksys_fallocate(Inode& inode, FallocMode mode, uint64_t offset, uint64_t len) {
  SIM_FRAME("vfs_fallocate");
  sim::ReadGuard sb_start_write(inode.i_sb.s_writers.rwsem());
  return inode.i_sb.fallocate(inode, mode, offset, len);
}

Errno ksys_sync_file_range(Inode& inode, uint64_t pos, uint64_t end) {
  return inode.i_mapping.filemap_fdatawrite_range(pos, end - 1, SyncMode::kNone);
}

namespace {

// A sync promises each file as it is when the sync begins.
void LookAt(const Inode& inode) {
  inode.i_sb.world.Touch(inode.call_object, sim::Access::kRead);
  (void)inode.i_mapping.tagged_dirty();
  (void)inode.i_size.data_race();
}

void LookAtAll(const SuperBlock& sb) {
  sb.world.Touch(sb.s_inodes_object, sim::Access::kWrite);
  for (const Inode* const inode : sb.s_inodes) LookAt(*inode);
}

Errno vfs_fsync_range(Inode& inode, uint64_t start, uint64_t end, bool datasync) {
  SIM_FRAME("vfs_fsync_range");
  LookAt(inode);
  History& history = inode.i_sb.history;
  const SyncKind kind = datasync ? SyncKind::kFdatasync : SyncKind::kFsync;
  const bool is_all = start == 0 && end == UINT64_MAX;
  const SyncId sync = is_all ? history.BeginSync(kind, inode.key())
                             : history.BeginSyncRange(kind, inode.key(), start, end + 1);
  const Errno error = inode.i_sb.fsync(inode, start, end, datasync);
  history.EndSync(sync, error == Errno::kOk);
  return error;
}

}  // namespace

Errno do_fsync(Inode& inode, bool datasync) {
  return vfs_fsync_range(inode, 0, UINT64_MAX, datasync);
}

Errno ksys_msync(Inode& inode, UserMemory& memory, uint64_t pos, uint64_t len) {
  SIM_FRAME("ksys_msync");
  {
    sim::ReadGuard mmap_lock(memory.mmap_lock);  // find_vma()
  }
  // ORDER: the file is held, the mapping is not, while data is written.
  return vfs_fsync_range(inode, pos, pos + len - 1, true);
}

Errno generic_write_sync(Inode& inode, uint64_t begin, uint64_t end, WriteSync sync) {
  return vfs_fsync_range(inode, begin, end - 1, sync == WriteSync::kDsync);
}

namespace {

// Requires: s_umount.
void sync_inodes_sb(SuperBlock& sb) {
  SIM_FRAME("sync_inodes_sb");
  sb.s_bdi.writeback_and_wait();
  // wait_sb_inodes(): also those that somebody else had begun to write.
  sb.world.Touch(sb.s_inodes_object, sim::Access::kWrite);
  for (size_t i = 0; i < sb.s_inodes.size(); ++i) {
    sb.s_inodes[i]->i_mapping.filemap_fdatawait_keep_errors();
  }
}

}  // namespace

Errno ksys_sync(SuperBlock& sb) {
  SIM_FRAME("ksys_sync");
  LookAtAll(sb);
  const auto sync = sb.history.BeginSyncAll();
  sim::ReadGuard s_umount(sb.s_umount);
  sync_inodes_sb(sb);
  const Errno error = sb.sync_fs();
  sb.history.EndSync(sync, error == Errno::kOk && sb.syncs());
  return error;
}

Errno freeze_super(SuperBlock& sb) {
  SIM_FRAME("freeze_super");
  LookAtAll(sb);
  const auto sync = sb.history.BeginSyncAll();
  sb.s_writers.percpu_down_write();  // ORDER: without s_umount, which those waited for may want
  Errno error = Errno::kOk;
  {
    sim::WriteGuard s_umount(sb.s_umount);
    sb.s_pagefault_writers.percpu_down_write();
    sync_inodes_sb(sb);
    error = sb.sync_fs();
    sb.s_intwriters.percpu_down_write();
    if (error == Errno::kOk) error = sb.freeze_fs();
  }
  sb.history.EndSync(sync, error == Errno::kOk && sb.syncs());
  if (error != Errno::kOk) thaw_super(sb);
  return error;
}

void thaw_super(SuperBlock& sb) {
  SIM_FRAME("thaw_super");
  sb.s_intwriters.percpu_up_write();
  sb.s_pagefault_writers.percpu_up_write();
  sb.s_writers.percpu_up_write();
}

// References come and go in any order: only the last of a file without a name is told apart.
void ihold(Inode& inode) {
  inode.i_sb.world.Touch(inode.i_count_object, sim::Access::kRead);
  ++inode.i_count;
}

void iput(Inode& inode) {
  const bool has_name = inode.i_nlink > 0;
  inode.i_sb.world.Touch(inode.i_count_object, has_name ? sim::Access::kRead : sim::Access::kWrite);
  if (--inode.i_count > 0 || has_name) return;
  SIM_FRAME("iput");
  inode.i_sb.evict_inode(inode);
}

uint64_t fault_in_iov_iter_readable(IovIter& from, uint64_t len) {
  SIM_FRAME("fault_in_iov_iter_readable");
  if (!std::exchange(from.faulted_in, true)) {
    sim::ReadGuard mmap_lock(from.memory->mmap_lock);  // the first touch of the buffer
  }
  const uint64_t readable = from.fault_at > from.start ? from.fault_at - from.start : 0;
  return len - std::min(len, readable);
}

uint32_t copy_folio_from_iter_atomic(Folio& folio, uint32_t offset, uint32_t len, IovIter& from) {
  const uint64_t readable = from.fault_at > from.start ? from.fault_at - from.start : 0;
  const auto copied = static_cast<uint32_t>(std::min<uint64_t>(len, readable));
  if (copied == 0) return 0;
  Inode& inode = folio.mapping->host();
  from.write = inode.i_sb.history.BeginWrite(inode.key(), folio.pos() + offset, copied);
  GranuleTable& granules = inode.i_sb.granules;
  for (uint32_t begin = offset; begin < offset + copied;) {
    const uint32_t g = begin / kGranuleBytes;
    const uint32_t end = std::min(offset + copied, (g + 1) * kGranuleBytes);
    const auto index = static_cast<uint32_t>(folio.pos() / kGranuleBytes + g);
    folio.granules[g] = granules.Overlay(folio.granules[g], begin % kGranuleBytes,
                                         end - g * kGranuleBytes, DataContent(from.write, index));
    begin = end;
  }
  return copied;
}

}  // namespace model
