// The journal: handles, transactions, commit, checkpoint [fs/jbd2/].
//
// contract of the module; see each part's file
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "model/ext4/policy.h"
#include "model/vfs/buffer_head.h"
#include "sim/locking/bit_lock.h"
#include "sim/locking/mutex.h"
#include "sim/locking/spinlock.h"
#include "sim/locking/wait_event.h"

namespace model {

class Journal;
struct Transaction;

// jbd2_inode: what the journal knows of an inode whose data must reach the disk before a commit.
struct JournalInode {
  Transaction* i_transaction = nullptr;
  Transaction* i_next_transaction = nullptr;
  void* i_vfs_inode = nullptr;  // the owner's, for its callbacks
  bool write_data = false;      // JI_WRITE_DATA: the commit submits the range
  bool wait_data = false;       // JI_WAIT_DATA: the commit waits for it
  bool commit_running = false;  // JI_COMMIT_RUNNING
  uint64_t i_dirty_start = 0;   // bytes, inclusive
  uint64_t i_dirty_end = 0;
};

struct Handle;  // handle_t

struct JournalOptions {
  bool barrier = true;
  sim::Nanos commit_interval = 5'000'000'000;
  int max_commit_revokes = 0;
};

struct HandleOrError {
  Handle* handle = nullptr;
  Errno error = Errno::kOk;
};

}  // namespace model
