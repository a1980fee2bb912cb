// The in-memory structures of ext4 and what its files call of each other [fs/ext4/ext4.h].
//
// One file of this folder stands for the kernel file of the same name; inode.c, which is long, is
// several: inode.cc (mapping, size), inode_bh.cc, inode_iomap.cc, writepages.cc.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "model/ext4/extents_status.h"
#include "model/ext4/policy.h"
#include "model/iomap/iomap.h"
#include "model/jbd2/jbd2.h"
#include "model/vfs/inode.h"
#include "sim/locking/spinlock.h"
#include "sim/locking/workqueue.h"

namespace model {

struct Ext4Inode;
struct Ext4SbInfo;

// --- Mapping blocks ------------------------------------------------------------------------------

// EXT4_MAP_*
enum MapFlags : uint32_t {
  kMapNew = 1 << 0,
  kMapMapped = 1 << 1,
  kMapUnwritten = 1 << 2,
  kMapDelayed = 1 << 3,
};

// EXT4_GET_BLOCKS_*
enum GetBlocksFlags : uint32_t {
  kGetBlocksCreate = 1 << 0,
  kGetBlocksUnwritExt = 1 << 1,        // what is created is unwritten
  kGetBlocksDelallocReserve = 1 << 2,  // the blocks were reserved: consume the reservation
  kGetBlocksConvert = 1 << 3,          // unwritten becomes written
  kGetBlocksMetadataNofail = 1 << 4,   // may dip into the reserved clusters
  kGetBlocksIoSubmit = 1 << 5,         // from writeback, which submits the data itself
  kGetBlocksZero = 1 << 6,
  kGetBlocksConvertUnwritten = 1 << 7,  // written becomes unwritten
};

// ext4_map_blocks
struct Ext4MapBlocks {
  Lblk m_lblk = 0;
  uint32_t m_len = 0;
  Pblk m_pblk = 0;
  uint32_t m_flags = 0;    // MapFlags; 0: a hole
  uint64_t m_seq = 0;      // i_es_seq, sampled with the look-up
  uint32_t allocated = 0;  // blocks that the call has taken from the allocator

  Lblk end() const { return m_lblk + m_len; }
};

// --- I/O under way -------------------------------------------------------------------------------

// ext4_io_end: the I/O of one writeback extent of a buffer_head inode [page-io.c]. Counts its
// bios; whoever drops the last reference ends it.
struct Ext4IoEnd {
  explicit Ext4IoEnd(Ext4Inode& owner);

  Ext4Inode& inode;
  sim::ObjectId object;
  int count = 1;             // the submitter's, and one a bio
  bool unwritten = false;    // EXT4_IO_END_UNWRITTEN: convert before writeback ends
  Handle* handle = nullptr;  // reserved for the conversion
  Errno error = Errno::kOk;
  // io_end_vec: the unwritten extents, offset and size in bytes.
  std::vector<std::pair<uint64_t, uint64_t>> extents;
  std::vector<FolioRef> folios;  // one entry a block written: their writeback ends with us
};

// --- Inode ---------------------------------------------------------------------------------------

struct Ext4Inode : Inode {
  Ext4Inode(Ext4SbInfo& sbi, Ino ino, uint32_t generation, bool iomap);
  ~Ext4Inode() override;

  Ext4SbInfo& sbi;
  const bool buffered_iomap;  // EXT4_STATE_BUFFERED_IOMAP: fixed while the inode is in memory
  FileType type = FileType::kRegular;
  std::string name;  // for reports
  sim::RwSem i_data_sem;
  sim::SpinLock i_es_lock;
  sim::Shared<uint64_t> i_disksize;
  sim::Shared<uint64_t> i_es_seq;
  sim::Shared<ExtentStatusTree> i_es_tree;
  sim::Shared<ExtentNode> i_data;  // the root of the extent tree
  sim::Shared<uint32_t> i_blocks;  // in file system blocks
  sim::Shared<uint32_t> i_reserved_data_blocks;
  bool inline_data = false;          // EXT4_INLINE_DATA_FL
  sim::Shared<bool> on_orphan_list;  // i_orphan is linked
  sim::Shared<Ino> next_orphan;      // NEXT_ORPHAN(): kept in i_dtime
  sim::Shared<Tid> i_sync_tid, i_datasync_tid;
  JournalInode jinode;
  sim::SpinLock i_completed_io_lock;  // irq-safe
  sim::Shared<std::deque<std::shared_ptr<Ext4IoEnd>>> i_rsv_conversion_list;
  sim::Shared<std::deque<std::unique_ptr<IomapIoend>>> i_iomap_ioend_list;
  bool conversion_queued = false;  // i_rsv_conversion_work is pending

  Errno writepages(WritebackControl& wbc) override;
  Errno write_inode(const WritebackControl& wbc) override;
};

inline Ext4Inode& EXT4_I(Inode& inode) { return static_cast<Ext4Inode&>(inode); }

// --- Super block ---------------------------------------------------------------------------------

struct Ext4Options {
  Geometry geometry;
  uint32_t folio_bytes = 4096;
  bool data_ordered = true;  // false: data=writeback
  bool delalloc = true;
  bool dioread_nolock = true;
  bool data_err_abort = false;
  bool auto_da_alloc = true;  // a rename over a file starts to write the new one
  bool barrier = true;
  sim::Nanos commit_interval = 5'000'000'000;
  int64_t dirty_background_bytes = 16 << 20;
  int64_t dirty_limit_bytes = 64 << 20;
  // By name, also of files still to be created: the inodes that take the iomap path.
  std::set<std::string> iomap_files;
};

// Freed extents that the allocator may hand out again once `efd_tid` has committed
// [ext4_free_data].
struct Ext4FreeData {
  Pblk efd_start = 0;
  uint32_t efd_count = 0;
  Tid efd_tid = 0;
};

struct Ext4SbInfo : SuperBlock {
  // A file system that `mkfs` (see mkfs.h) has made and that is mounted: nothing is cached.
  Ext4SbInfo(sim::World& world, sim::BlockDevice& device, ImageStore& images,
             GranuleTable& granules, History& history, const Ext4Options& options,
             const Policy& policy);
  ~Ext4SbInfo() override;

  const Ext4Options options;
  const Policy policy;
  const Geometry& geometry;  // of `options`
  sim::BlockDevice& device;
  BufferCache buffers;
  Journal s_journal;
  // The single slot that all conversions of unwritten extents share.
  sim::Workqueue rsv_conversion_wq;  // max_active 1
  sim::PercpuRwSem s_writepages_rwsem;
  sim::Mutex s_orphan_lock;
  // In memory, newest first.
  sim::Shared<std::vector<Ino>> s_orphan{world, {"s_orphan"}, {}, {}};
  static constexpr const char* kFlag = "a bit of s_ext4_flags";
  sim::Shared<bool> emergency{
      world, {"EXT4_FLAGS_EMERGENCY_RO", sim::Sharing::kAtomic, kFlag}, {}, false};
  sim::Shared<bool> shutdown{
      world, {"EXT4_FLAGS_SHUTDOWN", sim::Sharing::kAtomic, kFlag}, {}, false};

  // mballoc: what may be allocated, as opposed to what the bitmap on disk says.
  // Set: in use or waiting for the commit that frees it.
  sim::Shared<Bitmap> buddy{world, {"buddy bitmap"}, {}, Bitmap()};
  sim::SpinLock group_lock;
  // In order of tid.
  sim::Shared<std::deque<Ext4FreeData>> s_freed_data{
      world,
      {"s_freed_data_list", sim::Sharing::kLocklessReads,
       "looked at without the lock to see whether a commit could free something"},
      {},
      {}};
  static constexpr const char* kCounted =
      "percpu_counter: approximate, and corrected when it matters";
  sim::Shared<int64_t> s_freeclusters_counter{
      world, {"s_freeclusters_counter", sim::Sharing::kAtomic, kCounted}, {}, 0};
  // Reserved by delayed allocation.
  sim::Shared<int64_t> s_dirtyclusters_counter{
      world, {"s_dirtyclusters_counter", sim::Sharing::kAtomic, kCounted}, {}, 0};
  int64_t s_resv_clusters = 0;
  sim::SpinLock i_block_reservation_lock;  // the kernel has one an inode

  std::map<Ino, std::unique_ptr<Ext4Inode>> inodes;     // in memory; see TouchCached()
  std::vector<std::unique_ptr<Ext4Inode>> dead_inodes;  // deleted; see ext4_free_inode()
  std::map<std::string, Ino> dcache;                    // the root directory's entries
  sim::ObjectId dcache_object;
  sim::RwSem root_i_rwsem;  // of the root directory

  // Lock classes of inodes, by kind: [0] buffer_head, [1] iomap.
  MappingClasses mapping_classes[2];
  sim::LockClassId i_rwsem_class, i_data_sem_class, i_es_lock_class, completed_io_class;
  sim::LockClassId data_read_class;  // waits for a read of file data

  // super_operations and file operations; see the file of each kernel function.
  IoResult write_iter(Kiocb& iocb, IovIter& from) override;
  IoResult read_iter(Kiocb& iocb, IovIter& to) override;
  IoResult mmap_store(Inode& inode, UserMemory& memory, uint64_t pos, uint64_t len) override;
  Errno setattr_size(Inode& inode, uint64_t size) override;
  Errno fallocate(Inode& inode, FallocMode mode, uint64_t offset, uint64_t len) override;
  Errno fsync(Inode& inode, uint64_t start, uint64_t end, bool datasync) override;
  Errno sync_fs() override;
  Errno freeze_fs() override;
  Inode* lookup(const std::string& name) override;
  Inode* path_lookupat(const std::string& name) override;
  Errno create(const std::string& name) override;
  Errno unlink(const std::string& name) override;
  Errno rename(const std::string& old_name, const std::string& new_name) override;
  void evict_inode(Inode& inode) override;

  // Whether an inode is in memory is looked at, or changes.
  void TouchCached(Ino ino, sim::Access access) const {
    world.Touch(sim::ObjectId{first_inode_object.value + ino}, access);
  }
  sim::ObjectId first_inode_object;

  uint32_t block_bytes() const { return geometry.block_bytes; }
  bool ext4_forced_shutdown() const { return shutdown; }
  Errno ext4_emergency_state() const {
    if (ext4_forced_shutdown()) return Errno::kIo;
    return emergency ? Errno::kRoFs : Errno::kOk;
  }
  bool syncs() const override { return ext4_emergency_state() == Errno::kOk; }
};

// --- ext4_jbd2.c ---------------------------------------------------------------------------------

// A handle for the length of a block; nested in one that the task has, it is that one.
class Ext4Handle {
 public:
  // ext4_journal_start(), with `rsv_blocks` for a reserved handle to come out of it.
  Ext4Handle(Ext4SbInfo& sbi, int nblocks, int rsv_blocks = 0, sim::Site site = sim::Site::Here());
  // ext4_journal_start_reserved()
  Ext4Handle(Ext4SbInfo& sbi, Handle* reserved, sim::Site site = sim::Site::Here());
  ~Ext4Handle();  // stop(), if that was not done
  Ext4Handle(const Ext4Handle&) = delete;
  Ext4Handle& operator=(const Ext4Handle&) = delete;

  bool ok() const { return handle_ != nullptr; }
  Errno error() const { return error_; }
  Handle& operator*() const { return *handle_; }
  Handle* get() const { return handle_; }
  Tid tid() const;
  // ext4_journal_stop(): may park if the handle is synchronous.
  Errno stop(sim::Site site = sim::Site::Here());

 private:
  Ext4SbInfo& sbi_;
  Handle* handle_ = nullptr;
  Errno error_ = Errno::kOk;
};

// Credits [ext4_jbd2.h, ext4_chunk_trans_blocks()].
int ext4_chunk_trans_blocks(const Ext4Inode& inode, uint32_t nrblocks);
int ext4_truncate_credits(const Ext4Inode& inode);

// --- extents.c -----------------------------------------------------------------------------------

// Looks up (without kGetBlocksCreate) or allocates and inserts; requires i_data_sem, exclusively
// to create. On return m_len is what was mapped, or, for a hole, its length within the request.
Errno ext4_ext_map_blocks(Handle* handle, Ext4Inode& inode, Ext4MapBlocks& map, uint32_t flags);
// Frees all blocks of [start, end), right to left; UINT32_MAX: up to the end. May drop and retake
// i_data_sem to restart the handle; the tree is then consistent, and of a truncate `inode` must be
// on the orphan list.
Errno ext4_ext_remove_space(Handle& handle, Ext4Inode& inode, Lblk start, Lblk end);
// Splits where needed and marks [lblk, lblk + len) written; handles of its own unless given one.
Errno ext4_convert_unwritten_extents(Handle* handle, Ext4Inode& inode, uint64_t pos, uint64_t len);

// --- mballoc.c -----------------------------------------------------------------------------------

// Up to `len` contiguous blocks near `goal`. kNoSpc if there are none.
struct Allocation {
  Pblk pblk = 0;
  uint32_t len = 0;
  Errno error = Errno::kOk;
};
Allocation ext4_mb_new_blocks(Handle& handle, Ext4Inode& inode, Pblk goal, uint32_t len,
                              uint32_t flags);
// With `metadata` the block was journalled: it is forgotten and revoked first.
void ext4_free_blocks(Handle& handle, Ext4Inode& inode, Pblk pblk, uint32_t count, bool metadata);
// The commit callback: blocks that transaction `tid` freed may be used again.
void ext4_process_freed_data(Ext4SbInfo& sbi, Tid tid);
// balloc.c
// EXT4_FREECLUSTERS_WATERMARK: 4 * percpu_counter_batch * nr_cpu_ids, of one processor.
inline constexpr int64_t kFreeClustersWatermark = 4 * 32;
bool ext4_has_free_clusters(const Ext4SbInfo& sbi, int64_t nclusters, uint32_t flags);
Errno ext4_claim_free_clusters(Ext4SbInfo& sbi, int64_t nclusters, uint32_t flags);
bool ext4_should_retry_alloc(Ext4SbInfo& sbi, int* retries);
int64_t ext4_count_free_clusters(const Ext4SbInfo& sbi);

// --- inode.c: mapping ----------------------------------------------------------------------------

inline constexpr uint32_t kMaxWritepagesExtentLen = 2048;  // MAX_WRITEPAGES_EXTENT_LEN, blocks

Errno ext4_map_blocks(Handle* handle, Ext4Inode& inode, Ext4MapBlocks& map, uint32_t flags);
// What the extent status tree says of the first blocks of `map`; `es` covers map.m_lblk.
void MapFromExtentStatus(const ExtentStatus& es, Ext4MapBlocks& map);
// Its second half: allocates and remembers. Requires: i_data_sem exclusively.
Errno ext4_map_create_blocks(Handle& handle, Ext4Inode& inode, Ext4MapBlocks& map, uint32_t flags);
// Delayed allocation: reserves what is a hole. kMapNew with kMapDelayed: newly reserved.
Errno ext4_da_map_blocks(Ext4Inode& inode, Ext4MapBlocks& map);
void ext4_da_release_space(Ext4Inode& inode, uint32_t to_free);
void ext4_da_update_reserve_space(Ext4Inode& inode, uint32_t used);
bool ext4_nonda_switch(Ext4SbInfo& sbi);
// Kicks the flusher, if s_umount can be had at once; does not wait for it.
void try_to_writeback_inodes_sb(Ext4SbInfo& sbi);
bool ext4_should_order_data(const Ext4Inode& inode);
bool ext4_should_dioread_nolock(const Ext4Inode& inode);
// Copies the in-core inode into its inode-table block, with i_disksize as its size.
Errno ext4_mark_inode_dirty(Handle& handle, Ext4Inode& inode);
// What fsync, or with `datasync` fdatasync as well, has to see committed.
void ext4_update_inode_fsync_trans(Handle& handle, Ext4Inode& inode, bool datasync);
Errno ext4_jbd2_inode_add_write(Handle& handle, Ext4Inode& inode, uint64_t start, uint64_t len);
Errno ext4_jbd2_inode_add_wait(Handle& handle, Ext4Inode& inode, uint64_t start, uint64_t len);
// Raises i_disksize to `newsize`, but not beyond i_size; false if it is there already. Takes
// i_data_sem, under which truncate changes both.
bool ext4_update_i_disksize(Ext4Inode& inode, uint64_t newsize);
// Makes the rest of the block of `from` read zeros, up to `end` at most: in the cache at once, and
// on disk before anything that a later handle journals. Requires: no handle, no folio lock.
Errno ext4_block_zero_eof(Ext4Inode& inode, uint64_t from, uint64_t end);
void pagecache_isize_extended(Ext4Inode& inode, uint64_t from, uint64_t to);
// Makes the parts of blocks at both ends of the range read zeros, in the cache; nothing orders when
// that comes to the disk. Requires: no handle, no folio lock.
Errno ext4_zero_partial_blocks(Ext4Inode& inode, uint64_t from, uint64_t end);
Errno ext4_truncate(Ext4Inode& inode);
// After a failed extending write has been undone: the inode leaves the orphan list again.
void DropOrphanAfterFailure(Ext4Inode& inode);

// --- ialloc.c, orphan.c, namei.c -----------------------------------------------------------------

Ext4Inode* ext4_iget(Ext4SbInfo& sbi, Ino ino);  // reads it if it is not in memory
Errno ext4_orphan_add(Handle& handle, Ext4Inode& inode);
Errno ext4_orphan_del(Handle& handle, Ext4Inode& inode);

// --- inode_bh.cc, inode_iomap.cc, page-io.c ------------------------------------------------------

IoResult generic_perform_write(Kiocb& iocb, IovIter& from);
// Reads one block of a locked folio from the device; parks.
Errno ext4_read_block(Ext4Inode& inode, Folio& folio, uint32_t block, Pblk pblk);
IoResult ext4_iomap_buffered_write(Kiocb& iocb, IovIter& from);
Errno ext4_do_writepages(Ext4Inode& inode, WritebackControl& wbc);
Errno ext4_iomap_writepages(Ext4Inode& inode, WritebackControl& wbc);
// Drops a reference; from a task or an event.
void ext4_put_io_end(const std::shared_ptr<Ext4IoEnd>& io_end);
// Sends an iomap ioend to the device.
void ext4_iomap_submit_ioend(Ext4Inode& inode, std::unique_ptr<IomapIoend> ioend);
// iomap_zero_range() on an iomap inode: folio locked, no handle. Holes and clean unwritten blocks
// read as zeros anyway; *did_zero if anything else was there.
Errno ext4_iomap_zero_range(Ext4Inode& inode, uint64_t from, uint32_t len, bool* did_zero);

// The mapping that `map` is; and the blocks of [offset, offset + length).
void ext4_set_iomap(const Ext4Inode& inode, Iomap& iomap, const Ext4MapBlocks& map);
Ext4MapBlocks MapRequest(const Ext4Inode& inode, uint64_t offset, uint64_t length);
// Gives back what a failed extending write has allocated beyond i_size.
void ext4_truncate_failed_write(Ext4Inode& inode);

// iomap_page_mkwrite(): the folio is locked.
Errno ext4_iomap_page_mkwrite(Ext4Inode& inode, Folio& folio, bool delalloc);

// --- ioctl.c -------------------------------------------------------------------------------------

// EXT4_GOING_FLAGS_*: what is written before nothing is any more.
enum class GoingFlags : uint8_t {
  kDefault,     // everything: the file system is frozen, and thawed when it is shut down
  kLogflush,    // the running transaction, with the ordered data that it waits for
  kNologflush,  // nothing
};
// From now on every call that reads or changes a file returns EIO, handles cannot be started,
// nothing is written back, and what no transaction has committed never will be. Parks. Fails if the
// file system cannot be frozen.
Errno ext4_force_shutdown(Ext4SbInfo& sbi, GoingFlags flags);

// --- file.c, file_dio.cc -------------------------------------------------------------------------

// file_modified(): the times of the inode, in a handle of their own.
Errno ext4_dirty_inode(Ext4Inode& inode);
// open(2) of a file that is there; it only fails.
Errno ext4_file_open(const Ext4Inode& inode);
// Requires: i_rwsem is not held.
IoResult ext4_buffered_write_iter(Kiocb& iocb, IovIter& from);
IoResult generic_file_read_iter(Kiocb& iocb, IovIter& to);
IoResult ext4_dio_write_iter(Kiocb& iocb, IovIter& from);
IoResult ext4_dio_read_iter(Kiocb& iocb, IovIter& to);
// Fills a folio from disk, unless it is uptodate.
Errno filemap_read_folio(Ext4Inode& inode, uint64_t index);

}  // namespace model
