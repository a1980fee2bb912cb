// The root directory: looking up, creating, unlinking and renaming files
// [fs/ext4/namei.c, fs/namei.c].
//
//   sb_start_write > i_rwsem of the directory > i_rwsem of the file > handle
//   a rename over another file: both files' i_rwsem > s_writepages_rwsem, and then the handle;
//   at the end i_rwsem of the directory > sb_internal > handle
//
// Not modelled: times of the directory, hence changes of its inode; directories that grow; renames
// of directories and between directories, for which s_vfs_rename_mutex is; RENAME_EXCHANGE and
// RENAME_WHITEOUT.

#include <algorithm>
#include <optional>
#include <utility>

#include "model/ext4/dir.h"
#include "model/ext4/ialloc.h"
#include "model/vfs/syscalls.h"

namespace model {
namespace {

constexpr int kDirectoryBlockCredits = 1;
constexpr int kOrphanCredits = 2;  // the superblock, and the inode

DirectoryBlock& Entries(BufferHead& bh) { return std::get<DirectoryBlock>(bh.content); }

Errno ext4_add_entry(Handle& handle, BufferHead& directory, const std::string& name, Ino ino) {
  SIM_FRAME("ext4_add_entry");
  const Errno error = jbd2_journal_get_write_access(handle, directory);
  if (error != Errno::kOk) return error;
  Entries(directory).entries[name] = ino;
  return jbd2_journal_dirty_metadata(handle, directory);
}

Errno ext4_delete_entry(Handle& handle, BufferHead& directory, const std::string& name) {
  SIM_FRAME("ext4_delete_entry");
  const Errno error = jbd2_journal_get_write_access(handle, directory);
  if (error != Errno::kOk) return error;
  Entries(directory).entries.erase(name);
  return jbd2_journal_dirty_metadata(handle, directory);
}

// Requires: i_rwsem of the directory, exclusively.
Errno ext4_create(Ext4SbInfo& sbi, const std::string& name) {
  SIM_FRAME("ext4_create");
  BufferHead* directory = sbi.buffers.sb_bread(sbi.geometry.root_directory());
  if (directory == nullptr) return Errno::kIo;
  if (!DirectoryHasRoom(Entries(*directory), name, sbi.block_bytes())) return Errno::kNoSpc;
  Ext4Handle handle(sbi, kInodeAllocCredits + kDirectoryBlockCredits);
  if (!handle.ok()) return handle.error();
  const NewInode created = ext4_new_inode(*handle, sbi, name);
  if (created.error != Errno::kOk) return created.error;
  const Errno error = ext4_add_entry(*handle, *directory, name, created.inode->i_ino);
  if (error != Errno::kOk) return error;
  sbi.history.Created(created.inode->key(), name,
                      {.zero_tail_allowed = !created.inode->buffered_iomap,
                       .kept_until_unlinked = sbi.options.data_ordered},
                      handle.tid());
  sbi.world.Touch(sbi.dcache_object, sim::Access::kWrite);
  sbi.dcache[name] = created.inode->i_ino;  // d_instantiate_new()
  return handle.stop();
}

// Requires: i_rwsem of the directory and of the file, exclusively.
Errno ext4_unlink(Ext4SbInfo& sbi, const std::string& name, Ext4Inode& inode) {
  SIM_FRAME("ext4_unlink");
  BufferHead* directory = sbi.buffers.sb_bread(sbi.geometry.root_directory());
  if (directory == nullptr) return Errno::kIo;
  Ext4Handle handle(sbi, kDirectoryBlockCredits + kOrphanCredits);
  if (!handle.ok()) return handle.error();
  Errno error = ext4_delete_entry(*handle, *directory, name);
  if (error != Errno::kOk) return error;
  --inode.i_nlink;  // drop_nlink()
  sbi.history.Unlinked(inode.key(), handle.tid());
  // ORDER: no name and no orphan record must never be the state of a committed transaction.
  error = ext4_orphan_add(*handle, inode);
  error = FirstError(error, ext4_mark_inode_dirty(*handle, inode));
  return FirstError(error, handle.stop());
}

// --- rename(2) -----------------------------------------------------------------------------------

constexpr int kRenameCredits = kDirectoryBlockCredits + 1 + kOrphanCredits;  // 1: the inode renamed

// What a flush of `inode` allocates, in bytes: delayed blocks with dirty data. A folio that is
// under writeback is passed over.
std::vector<FileRange> DelayedRanges(const Ext4Inode& inode) {
  const uint64_t bs = inode.i_mapping.block_bytes();
  std::vector<FileRange> ranges;
  for (const auto& [index, folio] : inode.i_mapping.folios()) {
    for (uint32_t b = 0; b < folio->block_count() && !folio->writeback.peek(); ++b) {
      const FolioBlock& block = folio->blocks.peek()[b];
      const uint64_t pos = folio->pos() + b * bs;
      if (!block.dirty || !block.delay || pos >= inode.i_size.peek()) continue;
      ranges.emplace_back(pos, pos + bs);
    }
  }
  return ranges;
}

// ext4_alloc_da_blocks() [inode.c]: starts to write what is delayed, and waits for none of it.
Errno ext4_alloc_da_blocks(Ext4Inode& inode) {
  SIM_FRAME("ext4_alloc_da_blocks");
  if (inode.i_reserved_data_blocks == 0) return Errno::kOk;
  return inode.i_mapping.filemap_fdatawrite_range(0, UINT64_MAX, SyncMode::kNone);
}

// auto_da_alloc, for programs that replace a file without fsync: what is delayed is allocated now,
// so that the rename does not commit before it. With data=ordered, and where blocks are allocated
// written, that commit waits for the data too, which is the promise. Unwritten blocks
// (dioread_nolock, iomap) may still be so then, and read as zeros; and the size of an iomap inode
// follows its data, whenever that arrives. An error is not the rename's: fsync tells it.
std::optional<ReplacePromise> AllocateBeforeReplacing(Ext4Inode& inode) {
  Ext4SbInfo& sbi = inode.sbi;
  if (!sbi.options.auto_da_alloc) return std::nullopt;
  ReplacePromise promise = sbi.history.BeginReplace(inode.key(), DelayedRanges(inode));
  if (sbi.policy.rename_without_flush) return promise;
  const Errno error = ext4_alloc_da_blocks(inode);
  const bool is_ordered =
      ext4_should_order_data(inode) && !inode.buffered_iomap && !ext4_should_dioread_nolock(inode);
  if (error != Errno::kOk || !is_ordered) return std::nullopt;
  return promise;
}

// An entry that is there leads to another inode.
Errno ext4_setent(Handle& handle, BufferHead& directory, const std::string& name, Ino ino) {
  SIM_FRAME("ext4_setent");
  const Errno error = jbd2_journal_get_write_access(handle, directory);
  if (error != Errno::kOk) return error;
  Entries(directory).entries.at(name) = ino;
  return jbd2_journal_dirty_metadata(handle, directory);
}

// Under the handle. `new_inode`, null if there is none, has the new name so far.
Errno MoveName(Handle& handle, BufferHead& directory, const std::string& old_name,
               Ext4Inode& old_inode, const std::string& new_name, Ext4Inode* new_inode) {
  Errno error = new_inode == nullptr ? ext4_add_entry(handle, directory, new_name, old_inode.i_ino)
                                     : ext4_setent(handle, directory, new_name, old_inode.i_ino);
  if (error != Errno::kOk) return error;
  if (old_inode.sbi.policy.rename_restarts_handle) {
    error = jbd2_journal_restart(handle, kRenameCredits, 0);
    if (error != Errno::kOk) return error;
  }
  error = ext4_mark_inode_dirty(handle, old_inode);  // i_ctime: so fsync sees the new name durable
  error =
      FirstError(error, ext4_delete_entry(handle, directory, old_name));  // ext4_rename_delete()
  if (error != Errno::kOk || new_inode == nullptr) return error;
  --new_inode->i_nlink;  // ext4_dec_count()
  error = ext4_mark_inode_dirty(handle, *new_inode);
  // ORDER: no name and no orphan record must never be the state of a committed transaction.
  return FirstError(error, ext4_orphan_add(handle, *new_inode));
}

// Requires: i_rwsem of the directory and of both files, exclusively.
Errno ext4_rename(Ext4Inode& old_inode, const std::string& new_name, Ext4Inode* new_inode) {
  SIM_FRAME("ext4_rename");
  Ext4SbInfo& sbi = old_inode.sbi;
  const std::string old_name = old_inode.name;
  BufferHead* directory = sbi.buffers.sb_bread(sbi.geometry.root_directory());
  if (directory == nullptr) return Errno::kIo;
  if (new_inode == nullptr && !DirectoryHasRoom(Entries(*directory), new_name, sbi.block_bytes())) {
    return Errno::kNoSpc;
  }
  // ORDER: before the handle: writeback takes s_writepages_rwsem, folio locks and handles.
  std::optional<ReplacePromise> promise;
  const bool flush_under_handle = sbi.policy.rename_flush_under_handle;
  if (new_inode != nullptr && !flush_under_handle) promise = AllocateBeforeReplacing(old_inode);
  const int flush_credits = flush_under_handle ? ext4_chunk_trans_blocks(old_inode, 1) : 0;
  Ext4Handle handle(sbi, kRenameCredits + flush_credits);
  if (!handle.ok()) return handle.error();
  if (new_inode != nullptr && flush_under_handle) promise = AllocateBeforeReplacing(old_inode);
  const Errno error = MoveName(*handle, *directory, old_name, old_inode, new_name, new_inode);
  if (error != Errno::kOk) return FirstError(error, handle.stop());
  if (new_inode != nullptr) sbi.history.Unlinked(new_inode->key(), handle.tid());
  sbi.history.Renamed(old_inode.key(), new_name, handle.tid());
  if (promise) sbi.history.EndReplace(old_inode.key(), *std::move(promise), handle.tid());
  old_inode.name = new_name;
  return handle.stop();
}

// Requires: i_rwsem of the directory, exclusively. `target` may be null.
Errno vfs_rename(Ext4Inode& source, const std::string& new_name, Ext4Inode* target) {
  SIM_FRAME("vfs_rename");
  if (&source == target) return Errno::kOk;
  // lock_two_nondirectories(): by address, here by number.
  Ext4Inode* first = &source;
  Ext4Inode* second = target;
  if (second != nullptr && second->i_ino < first->i_ino) std::swap(first, second);
  sim::WriteGuard inode_lock(first->i_rwsem);
  std::optional<sim::WriteGuard> inode_lock_nested;
  if (second != nullptr) {
    inode_lock_nested.emplace(second->i_rwsem, sim::Subclass::kNonDir2, sim::Site::Here());
  }
  Ext4SbInfo& sbi = source.sbi;
  const std::string old_name = source.name;
  const Errno error = ext4_rename(source, new_name, target);
  if (error != Errno::kOk) return error;
  sbi.world.Touch(sbi.dcache_object, sim::Access::kWrite);
  sbi.dcache.erase(old_name);  // d_move()
  sbi.dcache[new_name] = source.i_ino;
  return Errno::kOk;
}

}  // namespace

Inode* Ext4SbInfo::lookup(const std::string& name) {
  SIM_FRAME("ext4_lookup");
  world.Touch(dcache_object, sim::Access::kRead);
  const auto entry = dcache.find(name);
  return entry != dcache.end() ? ext4_iget(*this, entry->second) : nullptr;
}

Inode* Ext4SbInfo::path_lookupat(const std::string& name) {
  SIM_FRAME("path_lookupat");
  world.Touch(dcache_object, sim::Access::kRead);
  const auto entry = dcache.find(name);
  if (entry == dcache.end()) return nullptr;
  TouchCached(entry->second, sim::Access::kRead);
  Inode* inode = nullptr;
  if (const auto it = inodes.find(entry->second); it != inodes.end()) {
    inode = it->second.get();  // lookup_fast()
  } else {
    sim::ReadGuard directory_lock(root_i_rwsem);  // lookup_slow(): no unlink while it is read
    inode = lookup(name);
  }
  if (inode != nullptr) ihold(*inode);
  return inode;
}

Errno Ext4SbInfo::create(const std::string& name) {
  SIM_FRAME("path_openat");
  const Errno emergency = ext4_emergency_state();
  if (emergency != Errno::kOk) return emergency;
  sim::ReadGuard mnt_want_write(s_writers.rwsem());
  sim::WriteGuard inode_lock(root_i_rwsem);
  world.Touch(dcache_object, sim::Access::kRead);
  if (dcache.contains(name)) return Errno::kExist;
  return ext4_create(*this, name);
}

Errno Ext4SbInfo::unlink(const std::string& name) {
  SIM_FRAME("do_unlinkat");
  const Errno emergency = ext4_emergency_state();
  if (emergency != Errno::kOk) return emergency;
  sim::ReadGuard mnt_want_write(s_writers.rwsem());
  sim::WriteGuard directory_lock(root_i_rwsem, sim::Subclass::kParent);
  Inode* inode = lookup(name);
  if (inode == nullptr) return Errno::kNoEnt;
  ihold(*inode);
  Errno error = Errno::kOk;
  {
    sim::WriteGuard inode_lock(inode->i_rwsem);
    error = ext4_unlink(*this, name, EXT4_I(*inode));
    if (error == Errno::kOk) {
      world.Touch(dcache_object, sim::Access::kWrite);
      dcache.erase(name);  // d_delete()
    }
  }
  directory_lock.Unlock();
  iput(*inode);  // the final truncate may happen here, with neither i_rwsem held
  return error;
}

Errno Ext4SbInfo::rename(const std::string& old_name, const std::string& new_name) {
  SIM_FRAME("do_renameat2");
  const Errno emergency = ext4_emergency_state();
  if (emergency != Errno::kOk) return emergency;
  sim::ReadGuard mnt_want_write(s_writers.rwsem());
  sim::WriteGuard directory_lock(root_i_rwsem, sim::Subclass::kParent);  // lock_rename()
  Inode* source = lookup(old_name);
  if (source == nullptr) return Errno::kNoEnt;
  Inode* target = lookup(new_name);
  for (Inode* held : {source, target}) {
    if (held != nullptr) ihold(*held);
  }
  const Errno error =
      vfs_rename(EXT4_I(*source), new_name, target != nullptr ? &EXT4_I(*target) : nullptr);
  // The file that was replaced may end here, still under the lock of the directory.
  for (Inode* held : {target, source}) {
    if (held != nullptr) iput(*held);
  }
  return error;
}

}  // namespace model
