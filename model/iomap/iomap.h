// I/O by mappings instead of blocks [fs/iomap/buffered-io.c, direct-io.c, include/linux/iomap.h].
//
// Of buffered I/O a mapping is got with neither folio lock nor handle and covers as much of the
// range as it can; the data then goes folio by folio. Under each folio lock the mapping is checked
// to be still true: if not, it is stale, and the rest of the range starts over.
//
// Not modelled: unshare and copy on write, readahead. Bytes throughout.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "model/vfs/inode.h"
#include "sim/block/block_device.h"

namespace model {

enum class IomapType : uint8_t { kHole, kDelalloc, kMapped, kUnwritten };

// What the mapping is asked for: IOMAP_WRITE, IOMAP_FAULT.
struct IomapFlags {
  bool write = false;
  bool fault = false;
};

struct Iomap {
  IomapType type = IomapType::kHole;
  uint64_t offset = 0;
  uint64_t length = 0;
  Pblk addr = 0;        // of mapped and unwritten ones: the block of `offset`
  bool is_new = false;  // IOMAP_F_NEW
  bool dirty = false;   // IOMAP_F_DIRTY: what reads of the range depend on is not committed
  bool stale = false;   // IOMAP_F_STALE
  uint64_t validity_cookie = 0;

  uint64_t end() const { return offset + length; }
};

// iomap_ops and iomap_write_ops of one call.
class IomapOps {
 public:
  virtual ~IomapOps() = default;
  virtual Errno iomap_begin(Inode& inode, uint64_t pos, uint64_t length, IomapFlags flags,
                            Iomap& iomap) = 0;
  // `written` bytes of [pos, pos + length) were done.
  virtual Errno iomap_end(Inode& inode, uint64_t pos, uint64_t length, uint64_t written,
                          IomapFlags flags, Iomap& iomap) {
    (void)inode, (void)pos, (void)length, (void)written, (void)flags, (void)iomap;
    return Errno::kOk;
  }
  // Under the folio lock: is the mapping still what it was?
  virtual bool iomap_valid(Inode& inode, const Iomap& iomap) = 0;
  // Reads the block of a locked folio from where `iomap` has it.
  virtual Errno read_block(Inode& inode, Folio& folio, uint32_t block, const Iomap& iomap) = 0;
  // Called with the folio unlocked, after the file grew over a block that it shares.
  virtual void isize_extended(Inode& inode, uint64_t from, uint64_t to) = 0;
};

IoResult iomap_file_buffered_write(Kiocb& iocb, IovIter& from, IomapOps& ops);
// Zeroes what is not known to read as zeros; *did_zero if there was such.
Errno iomap_zero_range(Inode& inode, uint64_t pos, uint64_t len, bool* did_zero, IomapOps& ops);
// Makes a locked folio of a shared mapping writable and dirty, for a store.
Errno iomap_page_mkwrite(Inode& inode, Folio& folio, IomapOps& ops);

// The block after the last that a write of `written` bytes at `pos` has touched.
uint64_t iomap_last_written_block(uint64_t pos, uint64_t written, uint32_t block_bytes);
// Calls `punch(offset, length)` for what is reserved in [start, end) and has no dirty data over it.
// With `ignore_dirty` for all of it.
void iomap_write_delalloc_release(Inode& inode, uint64_t start, uint64_t end, bool ignore_dirty,
                                  const std::function<void(uint64_t, uint64_t)>& punch);

// --- Writeback -----------------------------------------------------------------------------------

// Blocks of one extent that one bio writes [iomap_ioend].
struct IomapIoend {
  Inode* io_inode = nullptr;
  bool unwritten = false;  // IOMAP_IOEND_UNWRITTEN
  uint64_t io_offset = 0;
  uint64_t io_size = 0;
  Pblk io_addr = 0;
  Errno error = Errno::kOk;
  struct Part {
    FolioRef folio;
    int blocks = 0;
  };
  std::vector<Part> parts;
  std::vector<SectorContent> contents;

  uint64_t end() const { return io_offset + io_size; }
};

class IomapWritebackOps {
 public:
  virtual ~IomapWritebackOps() = default;
  // The mapping of the dirty block at `pos`, allocated if it was reserved; the folio is locked and
  // under writeback. kHole: there is nothing to write.
  virtual Errno map_blocks(Inode& inode, uint64_t pos, uint64_t dirty_len, Iomap& iomap) = 0;
  // Nothing of the folio from `pos` on can be written.
  virtual void discard_folio(Inode& inode, Folio& folio, uint64_t pos) = 0;
  // False leaves sizes of ioends at whole blocks.
  virtual bool clamp_to_eof() const = 0;
  // Sends it on its way; iomap_finish_ioend() when it is done.
  virtual void submit_ioend(std::unique_ptr<IomapIoend> ioend) = 0;
};

Errno iomap_writepages(Inode& inode, WritebackControl& wbc, IomapWritebackOps& ops);
// The I/O is done, and with it writeback of the folios that had no other.
void iomap_finish_ioend(IomapIoend& ioend);

// --- Direct I/O ----------------------------------------------------------------------------------
//
//   i_rwsem > folio lock, PG_writeback         the range leaves the page cache, before and after
//   i_rwsem > i_dio_count > mmap_lock          mapping, user memory, submission
//             i_dio_count > handle             what ends a write: in the caller, or on
//             s_dio_done_wq
//
// i_dio_count is an event: inode_dio_wait() waits for whoever is between inode_dio_begin() and
// inode_dio_end().
//
// The device has whole sectors; what a write leaves of a new block is zeroed by writes of their
// own. A read or write that has begun does not look at the page cache again until it is done: see
// model/crash/history.h for what is said of bytes that both change at a time.
//
// Not modelled: asynchronous reads, polling, atomic writes, the bounce of buffers; buffers in user
// memory that is itself a mapping of the file.

// iomap_ops and iomap_dio_ops of one kind of file; without state.
class IomapDioOps {
 public:
  virtual ~IomapDioOps() = default;
  virtual Errno iomap_begin(Inode& inode, uint64_t pos, uint64_t length, IomapFlags flags,
                            Iomap& iomap) const = 0;
  // All of a write is over: `size` bytes were submitted, with `unwritten` some of them to unwritten
  // extents. Returns what it comes to.
  virtual Errno end_io(Inode& inode, uint64_t pos, uint64_t size, Errno error,
                       bool unwritten) const = 0;
  // Fills in where `iomap` has `pos`, and sends it to the device.
  virtual void submit_io(Inode& inode, const Iomap& iomap, uint64_t pos,
                         std::unique_ptr<sim::Bio> bio) const = 0;
  // False: inode_dio_end() comes before end_io().
  virtual bool counts_until_ended(const Inode& inode) const = 0;
  // False: what was read into the page cache meanwhile stays there.
  virtual bool invalidates_after(const Inode& inode) const = 0;
};

// Requires: i_rwsem. Fails with kNotBlk if the page cache cannot let go of the range; kIocbQueued:
// see Kiocb. With `force_wait` the call does not return before it is complete, whatever `iocb`
// says. Moves `iocb` and `iter` on.
IoResult iomap_dio_rw(Kiocb& iocb, IovIter& iter, const IomapDioOps& ops, bool force_wait);

}  // namespace model
