// Mounting, and what the super block and its inodes consist of [fs/ext4/super.c].
//
// A mount is part of the set-up: it reads without simulated time or steps. The log is empty then,
// so there is nothing to recover and no orphan to clean up.
//
// Lock classes have the names that the kernel's checker shows. Folio locks and PG_writeback, which
// it does not see, are classes by kind of inode.

#include <algorithm>

#include "model/ext4/ext4.h"
#include "sim/check.h"

namespace model {
namespace {

constexpr sim::Nanos kWritebackInterval = 5'000'000'000;  // dirty_writeback_centisecs

// Of i_sync_tid and i_datasync_tid.
constexpr char kWordUnderHandle[] =
    "one word, written under a handle: two that race have the same transaction";

sim::LockClassId Class(sim::World& world, const char* name) {
  return world.lock_tracker().Class(name);
}

// Of a lock that each file system has one of.
sim::LockClassId UniqueClass(sim::World& world, const char* name) {
  return world.lock_tracker().Class(name, Unique(sim::kSleepingLock));
}

sim::LockClassId SpinClass(sim::World& world, const char* name) {
  return world.lock_tracker().Class(name, sim::kSpinLock);
}

MappingClasses ClassesOf(sim::World& world, const char* folio, const char* writeback) {
  return {Class(world, folio), Class(world, writeback), Class(world, "mapping.invalidate_lock"),
          Class(world, "&mapping->i_mmap_rwsem")};
}

// A block as the mount finds it, kept in memory from then on.
BufferHead& ReadAtMount(BufferCache& buffers, Pblk pblk) {
  BufferHead& bh = buffers.sb_getblk(pblk);
  const SectorContent content = buffers.device().current(buffers.geometry().first_sector(pblk));
  SIM_CHECK(KindOf(content) == ContentKind::kImage);
  bh.content = buffers.images().Get(ImageOf(content));
  bh.uptodate = true;
  return bh;
}

Ext4Inode& InodeOf(JournalInode& jinode) { return *static_cast<Ext4Inode*>(jinode.i_vfs_inode); }

// In the commit: writes what is mapped, under folio locks, and allocates nothing.
void ext4_journal_submit_inode_data_buffers(JournalInode& jinode) {
  SIM_FRAME("ext4_journal_submit_inode_data_buffers");
  WritebackControl wbc;
  wbc.sync_mode = SyncMode::kAll;
  wbc.range_start = jinode.i_dirty_start;
  wbc.range_end = jinode.i_dirty_end;
  wbc.no_map = true;
  (void)ext4_do_writepages(InodeOf(jinode), wbc);
}

void ext4_journal_finish_inode_data_buffers(JournalInode& jinode) {
  SIM_FRAME("ext4_journal_finish_inode_data_buffers");
  // Errors stay with the mapping, for fsync to tell.
  InodeOf(jinode).i_mapping.filemap_fdatawait_range(jinode.i_dirty_start, jinode.i_dirty_end);
}

JournalOptions JournalOptionsOf(Ext4SbInfo& sbi) {
  JournalOptions options;
  options.barrier = sbi.options.barrier;
  options.commit_interval = sbi.options.commit_interval;
  options.j_commit_callback = [&sbi](Tid tid) { ext4_process_freed_data(sbi, tid); };
  options.j_submit_inode_data_buffers = ext4_journal_submit_inode_data_buffers;
  options.j_finish_inode_data_buffers = ext4_journal_finish_inode_data_buffers;
  return options;
}

// ext4_calculate_resv_clusters(): 2 %, at most 4096.
int64_t ReservedClusters(const Geometry& geometry) {
  return std::min<int64_t>(geometry.blocks / 50, 4096);
}

}  // namespace

Ext4Inode::Ext4Inode(Ext4SbInfo& s, Ino ino, uint32_t generation, bool iomap)
    : Inode(s, ino, generation, s.mapping_classes[iomap ? 1 : 0], s.i_rwsem_class,
            s.options.folio_bytes, s.block_bytes()),
      sbi(s),
      buffered_iomap(iomap),
      i_data_sem(s.world, s.i_data_sem_class, {"inode", ino}),
      i_es_lock(s.world, s.i_es_lock_class, {"inode", ino}),
      i_disksize(s.world,
                 {"i_disksize", sim::Sharing::kLocklessReads,
                  "writes are WRITE_ONCE() under i_data_sem; looked at without it"},
                 {"inode", ino}, 0),
      i_es_seq(s.world,
               {"i_es_seq", sim::Sharing::kLocklessReads,
                "validity of an iomap: READ_ONCE(), and looked at again under the folio lock"},
               {"inode", ino}, 0),
      i_es_tree(s.world, {"i_es_tree"}, {"inode", ino}, {}),
      i_data(s.world, {"i_data (extent tree)"}, {"inode", ino}, {}),
      i_blocks(s.world, {"i_blocks"}, {"inode", ino}, 0),
      i_reserved_data_blocks(s.world, {"i_reserved_data_blocks"}, {"inode", ino}, 0),
      on_orphan_list(s.world, {"i_orphan"}, {"inode", ino}, false),
      next_orphan(s.world, {"NEXT_ORPHAN"}, {"inode", ino}, 0),
      i_sync_tid(s.world, {"i_sync_tid", sim::Sharing::kAtomic, kWordUnderHandle}, {"inode", ino},
                 0),
      i_datasync_tid(s.world, {"i_datasync_tid", sim::Sharing::kAtomic, kWordUnderHandle},
                     {"inode", ino}, 0),
      i_completed_io_lock(s.world, s.completed_io_class, {"inode", ino}),
      i_rsv_conversion_list(s.world, {"i_rsv_conversion_list"}, {"inode", ino}, {}),
      i_iomap_ioend_list(s.world, {"i_iomap_ioend_list"}, {"inode", ino}, {}) {
  jbd2_journal_init_jbd_inode(jinode, this);
}

Ext4Inode::~Ext4Inode() = default;

Ext4SbInfo::Ext4SbInfo(sim::World& w, sim::BlockDevice& dev, ImageStore& images, GranuleTable& g,
                       History& h, const Ext4Options& o, const Policy& p)
    : SuperBlock(w, h, g, o.dirty_background_bytes, o.dirty_limit_bytes, kWritebackInterval),
      options(o),
      policy(p),
      geometry(options.geometry),
      device(dev),
      buffers(w, dev, geometry, images),
      s_journal(w, buffers, policy, JournalOptionsOf(*this)),
      rsv_conversion_wq(w, "ext4-rsv-conversion", Class(w, "(wq_completion)ext4-rsv-conversion"),
                        1),
      s_writepages_rwsem(w, UniqueClass(w, "&sbi->s_writepages_rwsem"), {}),
      s_orphan_lock(w, UniqueClass(w, "&sbi->s_orphan_lock"), {}),
      group_lock(w, SpinClass(w, "&bgl->locks[i].lock"), {}),
      s_resv_clusters(ReservedClusters(geometry)),
      i_block_reservation_lock(w, SpinClass(w, "&(ei->i_block_reservation_lock)"), {}),
      dcache_object(w.NewObject()),
      root_i_rwsem(w, Class(w, "&type->i_mutex_dir_key"), {"inode", kRootIno}),
      mapping_classes{ClassesOf(w, "folio lock (buffer_head)", "PG_writeback (buffer_head)"),
                      ClassesOf(w, "folio lock (iomap)", "PG_writeback (iomap)")},
      i_rwsem_class(Class(w, "&sb->s_type->i_mutex_key")),
      i_data_sem_class(Class(w, "&ei->i_data_sem")),
      i_es_lock_class(SpinClass(w, "&ei->i_es_lock")),
      completed_io_class(SpinClass(w, "&ei->i_completed_io_lock")),
      data_read_class(Class(w, "read of file data")),
      first_inode_object(w.NewObjects(geometry.inodes + 1)) {
  ReadAtMount(buffers, geometry.superblock());
  const BufferHead& group_desc = ReadAtMount(buffers, geometry.group_descriptors());
  const BufferHead& bitmap = ReadAtMount(buffers, geometry.block_bitmap());
  buddy.init(std::get<Bitmap>(bitmap.content));
  s_freeclusters_counter.init(std::get<GroupDescriptors>(group_desc.content).bg_free_blocks_count);
  dcache =
      std::get<DirectoryBlock>(ReadAtMount(buffers, geometry.root_directory()).content).entries;
}

Ext4SbInfo::~Ext4SbInfo() = default;

}  // namespace model
