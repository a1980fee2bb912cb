// The root directory: looking up, creating and unlinking files [fs/ext4/namei.c, fs/namei.c].
//
//   sb_start_write > i_rwsem of the directory > i_rwsem of the file > handle
//
// Not modelled: times of the directory, hence changes of its inode; directories that grow.

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
                      {.zero_tail_allowed = !created.inode->buffered_iomap});
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
  sbi.history.Unlinked(inode.key());
  // ORDER: no name and no orphan record must never be the state of a committed transaction.
  error = ext4_orphan_add(*handle, inode);
  error = FirstError(error, ext4_mark_inode_dirty(*handle, inode));
  return FirstError(error, handle.stop());
}

}  // namespace

Inode* Ext4SbInfo::lookup(const std::string& name) {
  SIM_FRAME("ext4_lookup");
  const auto entry = dcache.find(name);
  return entry != dcache.end() ? ext4_iget(*this, entry->second) : nullptr;
}

Errno Ext4SbInfo::create(const std::string& name) {
  SIM_FRAME("path_openat");
  const Errno emergency = ext4_emergency_state();
  if (emergency != Errno::kOk) return emergency;
  sim::ReadGuard mnt_want_write(s_writers.rwsem());
  sim::WriteGuard inode_lock(root_i_rwsem);
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
  ++inode->i_count;  // ihold()
  Errno error = Errno::kOk;
  {
    sim::WriteGuard inode_lock(inode->i_rwsem);
    error = ext4_unlink(*this, name, EXT4_I(*inode));
    if (error == Errno::kOk) dcache.erase(name);  // d_delete()
  }
  directory_lock.Unlock();
  iput(*inode);  // the final truncate may happen here, with neither i_rwsem held
  return error;
}

}  // namespace model
