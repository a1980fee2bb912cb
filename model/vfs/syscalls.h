// The system calls that scenarios are made of [fs/read_write.c, fs/aio.c, fs/open.c, fs/sync.c].
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/vfs/inode.h"

namespace model {

// write(2) of `len` bytes at `pos`; the user's memory can be read for `readable` bytes only.
// A synchronous one syncs what it has written.
IoResult ksys_write(Inode& inode, UserMemory& memory, uint64_t pos, uint64_t len, WriteSync sync,
                    uint64_t readable = UINT64_MAX);
IoResult ksys_read(Inode& inode, uint64_t pos, uint64_t len);
// The same of a file that is open with O_DIRECT. A read gives the granules from that of `pos` on,
// as far as it has read.
IoResult ksys_write_direct(Inode& inode, UserMemory& memory, uint64_t pos, uint64_t len,
                           WriteSync sync, uint64_t readable = UINT64_MAX);
IoResult ksys_read_direct(Inode& inode, UserMemory& memory, uint64_t pos, uint64_t len,
                          std::vector<SectorContent>& granules);
// io_submit(2) of one such write. kIocbQueued: it goes on, and `ki_complete` will be called, in a
// task or an event; anything else is its result.
IoResult io_submit_write(Inode& inode, UserMemory& memory, uint64_t pos, uint64_t len,
                         WriteSync sync, std::function<void(IoResult)> ki_complete);
Errno do_sys_truncate(Inode& inode, uint64_t size);
// fallocate(2); len > 0
Errno ksys_fallocate(Inode& inode, FallocMode mode, uint64_t offset, uint64_t len);
// sync_file_range(2) of [pos, end) with SYNC_FILE_RANGE_WRITE: starts writeback, promises nothing.
// `end` 0: to the end of the file.
Errno ksys_sync_file_range(Inode& inode, uint64_t pos, uint64_t end);
// fsync(2), fdatasync(2)
Errno do_fsync(Inode& inode, bool datasync);
// msync(2) with MS_SYNC, of a shared mapping of [pos, pos + len); len > 0.
Errno ksys_msync(Inode& inode, UserMemory& memory, uint64_t pos, uint64_t len);
// sync(2)
Errno ksys_sync(SuperBlock& sb);

// fsfreeze(8), [fs/super.c]: waits until nobody writes, writes everything back, and empties the
// journal. Until thaw_super(), by the same task, nobody changes anything; it is as if frozen for
// that long. After a failure the file system is not frozen.
//
// thaw_super() does not take s_umount: the kernel hides the order from its checker there, and
// nothing that holds s_umount waits for a frozen file system that is clean.
Errno freeze_super(SuperBlock& sb);
void thaw_super(SuperBlock& sb);

// Drops a reference; the last one of a file without a name ends the file.
void ihold(Inode& inode);
void iput(Inode& inode);

// --- What the file systems' write paths share
// ------------------------------------------------------

// Of [begin, end), which was written with O_SYNC or O_DSYNC.
Errno generic_write_sync(Inode& inode, uint64_t begin, uint64_t end, WriteSync sync);
// Makes sure that a first part of the data can be read; the number of bytes that cannot, of `len`.
uint64_t fault_in_iov_iter_readable(IovIter& from, uint64_t len);
// Copies into a locked folio with page faults disabled; returns the bytes copied.
uint32_t copy_folio_from_iter_atomic(Folio& folio, uint32_t offset, uint32_t len, IovIter& from);

}  // namespace model
