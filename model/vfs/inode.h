// What the VFS knows of a file and of a file system [include/linux/fs.h].
//
// A file system derives its own inode and super block and fills in the operations.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/crash/history.h"
#include "model/mm/address_space.h"
#include "model/mm/page_writeback.h"
#include "sim/engine/shared.h"
#include "sim/locking/percpu_rwsem.h"
#include "sim/locking/workqueue.h"

namespace model {

struct SuperBlock;

struct Inode {
  Inode(SuperBlock& sb, Ino ino, uint32_t generation, const MappingClasses& classes,
        sim::LockClassId i_rwsem_class, uint32_t folio_bytes, uint32_t block_bytes);
  virtual ~Inode() = default;

  SuperBlock& i_sb;
  Ino i_ino;
  uint32_t i_generation;
  sim::RwSem i_rwsem;
  sim::Shared<uint64_t> i_size;
  sim::Shared<uint32_t> i_nlink;
  int i_count = 0;  // open files and calls in progress: see ihold()
  sim::ObjectId i_count_object;
  bool on_dirty_list = false;  // b_dirty
  bool i_sync = false;         // I_SYNC: being written back
  sim::WaitQueue i_sync_wait;
  AddressSpace i_mapping;
  sim::Shared<int> i_dio_count;  // direct I/O under way
  sim::WaitQueue i_dio_wait;     // for none
  sim::ObjectId call_object;     // a sync reads it, the end of a write(2) writes it

  FileKey key() const { return {i_ino, i_generation}; }

  // address_space_operations.writepages
  virtual Errno writepages(WritebackControl& wbc) = 0;
  // super_operations.write_inode: metadata, which a journal has anyway.
  virtual Errno write_inode(const WritebackControl& wbc) = 0;
};

// A task's user memory: where write(2) copies from.
struct UserMemory {
  UserMemory(sim::World& world, sim::LockClassId mmap_lock_class, uint64_t task)
      : mmap_lock(world, mmap_lock_class, {"task", task}) {}
  sim::RwSem mmap_lock;
};

// The data of one write(2), and how far it was copied [iov_iter].
struct IovIter {
  UserMemory* memory = nullptr;
  WriteId write = 0;               // of the last copy
  uint64_t start = 0;              // file position of its first byte
  uint64_t count = 0;              // bytes left
  uint64_t fault_at = UINT64_MAX;  // file position from which on the memory cannot be read
  bool faulted_in = false;
  // Of a direct read(2): gets what is read, from the sector of `start` on.
  std::vector<SectorContent>* into = nullptr;
};

enum class WriteSync : uint8_t { kNone, kSync, kDsync };  // O_SYNC, O_DSYNC

// Bytes done, or an error if nothing was.
struct IoResult {
  uint64_t bytes = 0;
  Errno error = Errno::kOk;
};

struct Kiocb {
  Inode* inode = nullptr;
  uint64_t ki_pos = 0;
  WriteSync sync = WriteSync::kNone;
  bool direct = false;  // IOCB_DIRECT
  // Of an asynchronous call: told the result, in a task or an event, if the call itself returned
  // kIocbQueued.
  std::function<void(IoResult)> ki_complete = nullptr;
};

// FALLOC_FL_*: none, KEEP_SIZE, PUNCH_HOLE | KEEP_SIZE, ZERO_RANGE, ZERO_RANGE | KEEP_SIZE.
enum class FallocMode : uint8_t {
  kAllocate,
  kAllocateKeepSize,
  kPunchHole,
  kZeroRange,
  kZeroRangeKeepSize,
};

struct SuperBlock {
  SuperBlock(sim::World& world, History& history, GranuleTable& granules,
             int64_t dirty_background_bytes, int64_t dirty_limit_bytes,
             sim::Nanos writeback_interval);
  virtual ~SuperBlock() = default;

  sim::World& world;
  History& history;
  GranuleTable& granules;  // the one that the history uses
  sim::RwSem s_umount;
  sim::PercpuRwSem s_writers;            // the SB_FREEZE_WRITE level
  sim::PercpuRwSem s_pagefault_writers;  // the SB_FREEZE_PAGEFAULT level
  sim::PercpuRwSem s_intwriters;         // the SB_FREEZE_FS level
  BackingDevInfo s_bdi;
  // All that have been in memory, in order of number: who comes to be there first is not seen. Who
  // goes through them writes `s_inodes_object`, who adds one reads it.
  std::vector<Inode*> s_inodes;
  sim::ObjectId s_inodes_object;
  // Ends asynchronous direct writes; there from the first on.
  std::optional<sim::Workqueue> s_dio_done_wq;

  virtual IoResult write_iter(Kiocb& iocb, IovIter& from) = 0;
  virtual IoResult read_iter(Kiocb& iocb, IovIter& to) = 0;
  // Stores through a shared mapping; bytes beyond the end of file are not stored.
  virtual IoResult mmap_store(Inode& inode, UserMemory& memory, uint64_t pos, uint64_t len) = 0;
  virtual Errno setattr_size(Inode& inode, uint64_t size) = 0;
  virtual Errno fallocate(Inode& inode, FallocMode mode, uint64_t offset, uint64_t len) = 0;
  // Of the data [start, end], both included, and of all that the inode has in transactions.
  virtual Errno fsync(Inode& inode, uint64_t start, uint64_t end, bool datasync) = 0;
  virtual Errno sync_fs() = 0;
  // False: sync_fs() says that all is well, and does nothing.
  virtual bool syncs() const = 0;
  virtual Errno freeze_fs() = 0;
  // Null: no such file. With the directory's i_rwsem, or nobody else there.
  virtual Inode* lookup(const std::string& name) = 0;
  // The same for a call that gives a name; held: see iput().
  virtual Inode* path_lookupat(const std::string& name) = 0;
  virtual Errno create(const std::string& name) = 0;
  virtual Errno unlink(const std::string& name) = 0;
  // Over a file that has the new name, if there is one.
  virtual Errno rename(const std::string& old_name, const std::string& new_name) = 0;
  // The last reference is gone.
  virtual void evict_inode(Inode& inode) = 0;
};

// Direct I/O of the inode that is submitted and not complete [fs/inode.c, include/linux/fs.h].
void inode_dio_begin(Inode& inode);
void inode_dio_end(Inode& inode);  // from a task or an event
// Parks until there is none. Requires: i_rwsem exclusively, which keeps new ones away.
void inode_dio_wait(Inode& inode);

}  // namespace model
