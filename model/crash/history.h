// What the workload did to each file and what it was promised: the reference of every file oracle.
//
// The running file system calls it as things happen; checkers and read-back only read. For each
// file it keeps the byte-accurate contents that a read(2) must return, and what a state recovered
// after a power cut may and must show:
//
// - A byte may hold what some write put at exactly that place, unless the recovered state contains
//   a truncate, a punched hole or a zeroed range that took its block off the file; or zero.
//   Anything else is stale data. Where a hole or zeroed range ends within a block, zeros are
//   written in place: only a sync makes that durable.
// - Zero is wrong where the contract says so (FileContract) and no state of the file ever had a
//   zero there below its size: the recovered size covers data that is not there. A truncate that is
//   yet to commit may have zeroed its tail, though, and so on.
// - After a successful sync, a byte holds what it held when the sync began, or a later write's; and
//   a sync that overlaps with the making of a hole or zeroed range promises nothing for that range:
//   the data may be gone from the page cache and the hole not yet part of a transaction. And
//   the size and the file itself are there, unless a truncate since then, or an unlink that the
//   recovered state contains, explains it. fsync and sync also promise the name.
// - A name leads where the creations, unlinks and renames of the recovered transactions have left
//   it: each of them is there as a whole or not at all (name_rules.h).
// - A sync of a range, as msync and O_SYNC writes make it, promises so much of the bytes of that
//   range, and a size that covers the last of them that is not zero.
// - A sync that begins while a write(2) of the file has not returned promises nothing of that
// write:
//   its data may be in the page cache and its size yet to be journalled. Stores through a mapping
//   return at once.
// - Direct I/O promises nothing by itself. Where it and somebody else change the same bytes at a
//   time, past each other's locks, who wins is not defined: such bytes are contested, and from then
//   on nothing is said of them but that they are not stale. The page cache writes whole folios.
// - After a rename over another file, a state that contains the rename has what was delayed of the
//   new file when it began, if the file system said that it would (BeginReplace()).
//
// Order among the writes and truncates of one file is the order of the calls here; writes are
// compared by WriteId, each of which stands for what one copy under a folio lock has put there.
//
// After a write error nothing is promised for that file any more: fsync has told, once, and what
// the page cache still has need not reach the disk.
//
// Not modelled: hard links; a file has one name.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "model/ondisk/content.h"
#include "model/ondisk/geometry.h"

namespace model {

// An inode number and the i_generation that tells its users in time apart.
struct FileKey {
  Ino ino = 0;
  uint32_t generation = 0;

  auto operator<=>(const FileKey&) const = default;
};

struct FileContract {
  // The end of what was appended may read as zeros after a power cut. True for buffer_head inodes,
  // whose i_disksize is journalled when writeback is submitted; false for iomap inodes, whose
  // i_disksize follows the data. Only the last block counts: writes complete in any order, so one
  // before it may be on its way while the last is there; and a size that a truncate has set says
  // nothing about data.
  bool zero_tail_allowed = true;
  // data=writeback: blocks of an unlinked file may be overwritten before the unlink has committed.
  bool kept_until_unlinked = true;
};

// Position in the order of all events of a history; 0 is before the first.
using HistorySeq = uint32_t;

// Bytes [first, second) of a file.
using FileRange = std::pair<uint64_t, uint64_t>;

enum class SyncKind : uint8_t { kFsync, kFdatasync, kSync };
using SyncId = uint32_t;

// A file as it was in the reference when a sync began that has succeeded.
struct DurablePromise {
  SyncKind kind = SyncKind::kFsync;
  HistorySeq began = 0;
  HistorySeq ended = 0;
  uint64_t size_bytes = 0;
  std::vector<SectorContent> granules;
  Tid named = 0;  // the transaction that gave the file its name; 0 for fdatasync, which need not
};

// What a state that contains a rename over another file shows of the new one: `ranges` as they were
// when the rename began, and a size that covers them.
struct ReplacePromise {
  HistorySeq began = 0;
  Tid tid = 0;  // the rename's transaction
  uint64_t size_bytes = 0;
  std::vector<SectorContent> granules;
  std::vector<FileRange> ranges;  // ascending

  bool Covers(uint64_t pos_bytes) const;
};

// The bytes [begin, end) as they were when a sync of no more than them began that has succeeded.
struct RangePromise {
  HistorySeq began = 0;
  HistorySeq ended = 0;
  uint64_t begin = 0;
  uint64_t end = 0;                     // at most the size
  uint64_t size_bytes = 0;              // the end of its last byte that is not zero; 0: none
  std::vector<SectorContent> granules;  // of the whole file
  Tid named = 0;                        // as of a DurablePromise

  bool Covers(uint64_t pos_bytes) const { return begin <= pos_bytes && pos_bytes < end; }
};

using DirectId = uint32_t;

// What a read(2) returns.
struct FileContents {
  uint64_t size_bytes = 0;
  std::vector<SectorContent> granules;

  // Zeros beyond the end; no smaller.
  void Grow(uint64_t new_size_bytes);
  void Shrink(uint64_t new_size_bytes, GranuleTable& table);
  // The bytes become those of `content_of` their granule. Requires: below the size.
  void Put(uint64_t begin, uint64_t end, absl::FunctionRef<SectorContent(uint32_t)> content_of,
           GranuleTable& table);
};

class HistoryListener {
 public:
  virtual ~HistoryListener() = default;
  // `file` has a new promise: what was allowed to be lost until now no longer is.
  virtual void OnPromise(FileKey file) = 0;
};

class History {
 public:
  // `granules` must outlive the history; it is the one that the page cache uses.
  explicit History(GranuleTable& granules) : granules_(granules) {}
  // What has happened in `from`, going on with `granules`, a copy of its table.
  History(const History& from, GranuleTable& granules);
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  void set_listener(HistoryListener* listener) { listener_ = listener; }

  // --- The running file system says what happens ------------------------------------------------
  // A new, empty file, in transaction `tid` (0: before the run). Requires: `file` is new.
  void Created(FileKey file, std::string name, FileContract contract, Tid tid);
  // A write(2) through the page cache. Calls may overlap.
  void BeginCall(FileKey file);
  void EndCall(FileKey file);
  // What a write(2) or a store is about to put at [pos, pos + len), under the folio lock; also for
  // the initial contents of a file that exists before the run. Ids are 1, 2, 3, ...
  WriteId BeginWrite(FileKey file, uint64_t pos_bytes, uint64_t len_bytes);
  // These bytes of `write` are in the page cache now, and i_size covers them.
  // Requires: within the range of the write.
  void Copied(WriteId write, uint64_t pos_bytes, uint64_t len_bytes);
  // The same of a store: it is no part of a call.
  void Stored(WriteId write, uint64_t pos_bytes, uint64_t len_bytes);
  // i_size is `new_size` now, down or up; `tid` is the transaction that journals it. Also for the
  // size of a file that exists before the run (tid 0).
  void Truncated(FileKey file, uint64_t new_size_bytes, Tid tid);
  // [begin, end) is about to become zeros other than by a write: from now on, zeros may be there in
  // any state. One at a time in a file, with nobody else changing it.
  void BeginZero(FileKey file, uint64_t begin_bytes, uint64_t end_bytes);
  // It reads as zeros now. Of it, [unmapped_begin, unmapped_end) are blocks that do so because of
  // transactions up to `tid`; the rest has been zeroed in place.
  void EndZero(FileKey file, uint64_t unmapped_begin, uint64_t unmapped_end, Tid tid);
  // `tid` journals this size, which is not that of any data that was written back.
  void SizeSet(FileKey file, uint64_t size_bytes, Tid tid) {
    Get(file).sizes.push_back({tid, size_bytes});
  }
  // Direct I/O is about to write [begin, end), and perhaps zeros around it, up to whole blocks; it
  // has, or with `ok` false some of it, when it ends.
  DirectId BeginDirect(FileKey file, uint64_t begin_bytes, uint64_t end_bytes,
                       uint32_t block_bytes);
  void EndDirect(DirectId direct, bool ok);
  // The folio with [begin, end) of `file` is to be written back, as a whole.
  void Dirtied(FileKey file, uint64_t begin_bytes, uint64_t end_bytes);
  // Writing back data of `file` has failed.
  void WriteFailed(FileKey file) { Get(file).write_failed = true; }
  // The name is gone; the handle that removes it is open, in transaction `tid`.
  void Unlinked(FileKey file, Tid tid);
  // `file` has the name `name` now instead of its former one; a file that had it has been unlinked
  // in the same call. The handle is open, in transaction `tid`.
  void Renamed(FileKey file, std::string name, Tid tid);
  // A rename of `file` over another is about to start, and the file system takes it on itself to
  // have `delayed`, ranges of the file that are not allocated yet, on the device before the rename
  // can be recovered.
  ReplacePromise BeginReplace(FileKey file, std::vector<FileRange> delayed) const;
  // The rename is part of transaction `tid`.
  void EndReplace(FileKey file, ReplacePromise promise, Tid tid);
  // fsync(2), fdatasync(2) or O_SYNC on `file`, before it looks at anything.
  SyncId BeginSync(SyncKind kind, FileKey file);
  // The same of the bytes [begin, end) of it.
  SyncId BeginSyncRange(SyncKind kind, FileKey file, uint64_t begin_bytes, uint64_t end_bytes);
  // sync(2): all files that have a name.
  SyncId BeginSyncAll();
  // `ok`: it returned 0. Once per id.
  void EndSync(SyncId sync, bool ok);

  // --- What a read must return ------------------------------------------------------------------
  // Granules of `file` beyond its size are zero.
  SectorContent ReferenceContent(FileKey file, uint32_t granule) const;
  uint64_t ReferenceSize(FileKey file) const;

  // --- What checkers ask ------------------------------------------------------------------------
  struct Write {
    FileKey file;
    uint64_t pos_bytes = 0;
    uint64_t len_bytes = 0;
  };
  // A truncate that made the file smaller, or [begin, end) that became zeros.
  struct Removal {
    HistorySeq began = 0;
    HistorySeq done = UINT32_MAX;  // when it was complete; UINT32_MAX: not yet
    uint64_t begin = 0;
    uint64_t end = UINT64_MAX;  // that of a truncate
    Tid tid = UINT32_MAX;       // states from this transaction on show nothing older ...
    uint64_t unmapped_begin = 0;
    uint64_t unmapped_end = 0;  // ... in this part of it
    WriteId next_write = 0;     // writes with smaller ids came before it

    bool is_truncate() const { return end == UINT64_MAX; }
    bool Covers(uint64_t pos_bytes) const { return begin <= pos_bytes && pos_bytes < end; }
  };
  struct Unlink {
    HistorySeq seq = 0;
    Tid tid = 0;
  };
  struct File {
    FileKey key;
    std::string name;                      // the first that it had: what reports call it
    std::vector<std::string> later_names;  // by renames, in order
    Tid named = 0;                         // the transaction of the last
    FileContract contract;
    FileContents contents;
    int calls = 0;  // under way, and if any are, the contents without what they have copied
    FileContents settled;
    std::vector<Removal> removals;                // in order
    std::vector<std::pair<Tid, uint64_t>> sizes;  // SizeSet(), and of truncates down: in order
    std::optional<Unlink> unlinked;
    bool write_failed = false;
    HistorySeq changed = 0;            // the last change of contents or size
    std::vector<FileRange> contested;  // who changed them last is not known
    std::vector<FileRange> once_zero;  // below the size and zero at some time: ascending, disjoint
    // Of the successful syncs so far, the one that began last: it implies the others.
    std::optional<DurablePromise> promise;
    std::vector<RangePromise> range_promises;  // that began later: in order
    std::vector<ReplacePromise> replacements;  // in order

    const std::string& last_name() const { return later_names.empty() ? name : later_names.back(); }
    // In states that contain transactions up to `recovered`, the file has lost its name for good.
    bool UnlinkedInPrefix(Tid recovered) const {
      return unlinked.has_value() && unlinked->tid <= recovered;
    }
    // Of removals in the transactions up to `recovered`: the first write since the last one that
    // took the block with the byte at `pos_bytes` off. Older ones must not be seen there.
    WriteId FirstWriteInPrefix(uint64_t pos_bytes, Tid recovered) const;
    // Of removals that were complete before `seq`: the first write since the last one that covers
    // the byte.
    WriteId FirstWriteBefore(uint64_t pos_bytes, HistorySeq seq) const;
    // Have transactions up to `recovered` set this size other than for data written back?
    bool SizeWasSet(uint64_t size, Tid recovered) const;
    // A removal that is not in the prefix covers the byte at `pos_bytes`: its zeroes may be there.
    bool RemovedAfterPrefix(uint64_t pos_bytes, Tid recovered) const;
    // Something since `seq` removes the byte at `pos_bytes` from states that contain transactions
    // up to `recovered`; a truncate may have done so before it commits.
    bool RemovedSince(uint64_t pos_bytes, HistorySeq seq, Tid recovered) const;
    // A hole or zeroed range that covers the byte was being made some time in [began, ended].
    bool ZeroedMeanwhile(uint64_t pos_bytes, HistorySeq began, HistorySeq ended) const;
    bool OnceZero(uint64_t pos_bytes) const;
    bool Contested(uint64_t begin_bytes, uint64_t end_bytes) const;
    // What a sync that begins now promises.
    const FileContents& Settled() const { return calls > 0 ? settled : contents; }
  };

  // Null if nobody said that it was created.
  const File* Find(FileKey file) const;
  const Write& write(WriteId id) const { return writes_[id - 1]; }
  // Which write of its file it is, from 0: the same however writes of several files fall together.
  uint64_t WriteOfFile(WriteId id) const;
  WriteId last_write() const { return static_cast<WriteId>(writes_.size()); }
  const std::map<FileKey, File>& files() const { return files_; }
  // The names as the transactions up to `recovered` have left them.
  std::map<std::string, FileKey> NamesAt(Tid recovered) const;
  const GranuleTable& granules() const { return granules_; }

 private:
  struct Direct {
    FileKey file;
    uint64_t begin = 0;
    uint64_t end = 0;
    uint32_t block_bytes = 0;
  };

  struct Sync {
    std::vector<std::pair<FileKey, DurablePromise>> promises;
    std::optional<std::pair<FileKey, RangePromise>> range;
  };

  // `file`: none if the name is gone.
  struct NameChange {
    Tid tid = 0;
    std::string name;
    std::optional<FileKey> file;
  };

  File& Get(FileKey file);
  void Promise(Sync& sync, SyncKind kind, const File& file) const;
  void EndSyncRange(FileKey key, RangePromise promise);
  uint64_t EndOfData(const FileContents& contents, uint64_t begin, uint64_t end) const;
  void ContestCommon(FileKey file, FileRange a, FileRange b);
  void Contest(FileKey file, FileRange range);
  static void AddOnceZero(File& file, uint64_t begin, uint64_t end);

  GranuleTable& granules_;
  HistoryListener* listener_ = nullptr;
  HistorySeq seq_ = 0;
  std::map<FileKey, File> files_;
  std::vector<NameChange> name_changes_;  // in order, and so by tid
  std::vector<Write> writes_;             // by id - 1
  std::vector<Sync> syncs_;
  DirectId last_direct_ = 0;
  std::map<DirectId, Direct> directs_;  // under way
};

}  // namespace model
