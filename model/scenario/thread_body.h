// What a scenario's thread does: its operations, one after the other, as system calls. Each that
// returns is progress (World::MadeProgress()). What it has submitted asynchronously it waits for
// with io_getevents, and at its end; `returns` of such a write is compared when it is complete.
//
// In an event log: call ("write a [0, 4096)"), return ("4096", "ENOSPC").
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/ext4/ext4.h"
#include "model/scenario/scenario.h"
#include "model/vfs/syscalls.h"

namespace scenario {

// Sees the calls that threads make.
class CallListener {
 public:
  virtual ~CallListener() = default;
  virtual void OnCall(const std::string& thread, const Op& op) = 0;
  virtual void OnReturn(const std::string& thread, const Op& op, const OpResult& result) = 0;
};

// "write a [0, 4096)", "truncate a to 0", "sync".
std::string CallText(const Op& op);

class ThreadBody {
 public:
  // `calls`: CallText() of each operation. All must outlive the thread; `listener` may be null.
  ThreadBody(const ThreadConfig& config, const std::vector<std::string>& calls, uint64_t number,
             model::Ext4SbInfo& sbi, CallListener* listener);

  // On the thread's task.
  void Run();

 private:
  OpResult Call(const Op& op, const std::string& text);
  OpResult Perform(const Op& op);
  OpResult OnInode(const Op& op, model::Inode& inode);
  // Held: see iput(); null: no such file.
  model::Inode* Find(const std::string& file);
  OpResult Open(const Op& op);
  OpResult Close(const Op& op);
  OpResult SubmitWrite(const Op& op, model::Inode& inode);
  bool IsBusy(const model::Inode& inode) const;
  OpResult ReadDirect(const Op& op, model::Inode& inode);
  OpResult GetEvents();
  void Check(const Op& op, const OpResult& result);
  void CheckRead(const Op& op, model::Inode& inode, uint64_t bytes);
  void CheckDirectRead(const Op& op, model::Inode& inode, uint64_t bytes,
                       const std::vector<model::SectorContent>& granules, bool settled);

  const ThreadConfig& config_;
  const std::vector<std::string>& calls_;
  model::Ext4SbInfo& sbi_;
  CallListener* listener_ = nullptr;
  model::UserMemory memory_;
  std::map<std::string, model::Inode*> open_files_;

  // An asynchronous write of an open file.
  struct Request {
    const Op* op = nullptr;
    model::Inode* inode = nullptr;
    std::optional<OpResult> result;
  };
  std::deque<Request> requests_;  // that io_getevents has not told of yet
  sim::WaitQueue request_done_;
};

}  // namespace scenario
