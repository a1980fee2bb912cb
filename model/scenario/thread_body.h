// What a scenario's thread does: its operations, one after the other, as system calls.
#pragma once

#include <map>
#include <string>

#include "model/ext4/ext4.h"
#include "model/scenario/scenario.h"
#include "model/vfs/syscalls.h"

namespace scenario {

class ThreadBody {
 public:
  // All must outlive the thread.
  ThreadBody(const ThreadConfig& config, uint64_t number, model::Ext4SbInfo& sbi);

  // On the thread's task.
  void Run();

 private:
  OpResult Perform(const Op& op);
  OpResult OnInode(const Op& op, model::Inode& inode);
  model::Inode* Find(const std::string& file);
  OpResult Open(const Op& op);
  OpResult Close(const Op& op);
  void Check(const Op& op, const OpResult& result);
  void CheckRead(const Op& op, model::Inode& inode, uint64_t bytes);

  const ThreadConfig& config_;
  model::Ext4SbInfo& sbi_;
  model::UserMemory memory_;
  std::map<std::string, model::Inode*> open_files_;
};

}  // namespace scenario
