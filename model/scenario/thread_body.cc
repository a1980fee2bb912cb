#include "model/scenario/thread_body.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "model/scenario/end_checks.h"

namespace scenario {
namespace {

using model::Errno;

OpResult FromErrno(Errno error) {
  return error == Errno::kOk ? OpResult{} : OpResult{model::ErrnoName(error), 0};
}

OpResult FromIo(const model::IoResult& result) {
  if (result.error != Errno::kOk) return FromErrno(result.error);
  return {"", static_cast<int64_t>(result.bytes)};
}

model::WriteSync SyncOf(const Op& op) {
  if (op.sync) return model::WriteSync::kSync;
  return op.dsync ? model::WriteSync::kDsync : model::WriteSync::kNone;
}

std::string Text(const OpResult& result) {
  return result.errno_name.empty() ? absl::StrCat(result.value) : result.errno_name;
}

}  // namespace

std::string CallText(const Op& op) {
  std::string text(kOpKindNames[static_cast<size_t>(op.kind)]);
  if (op.kind == OpKind::kFallocate) {
    text = std::string(kFallocateModeNames[static_cast<size_t>(op.mode)]);
  }
  if (!op.file.empty()) absl::StrAppend(&text, " ", op.file);
  if (op.len_bytes > 0) {
    absl::StrAppend(&text, " [", op.pos_bytes, ", ", op.pos_bytes + op.len_bytes, ")");
  }
  if (op.kind == OpKind::kRename) absl::StrAppend(&text, " to ", op.to);
  if (op.kind == OpKind::kTruncate) absl::StrAppend(&text, " to ", op.size_bytes);
  if (op.kind == OpKind::kShutdown) {
    absl::StrAppend(&text, ", flush ",
                    std::string(kShutdownFlushNames[static_cast<size_t>(op.flush)]));
  }
  return text;
}

ThreadBody::ThreadBody(const ThreadConfig& config, const std::vector<std::string>& calls,
                       uint64_t number, model::Ext4SbInfo& sbi, CallListener* listener)
    : config_(config),
      calls_(calls),
      sbi_(sbi),
      listener_(listener),
      memory_(sbi.world, sbi.world.lock_tracker().Class("&mm->mmap_lock"), number),
      request_done_(sbi.world, sbi.world.lock_tracker().Class("&ctx->wait"), {"task", number}) {}

void ThreadBody::Run() {
  for (int64_t i = 0; i < config_.repeat; ++i) {
    for (size_t n = 0; n < config_.ops.size(); ++n) {
      const OpResult result = Call(config_.ops[n], calls_[n]);
      if (!config_.ops[n].async) Check(config_.ops[n], result);
    }
  }
  (void)GetEvents();
  while (!open_files_.empty()) {
    model::Inode* inode = open_files_.begin()->second;
    open_files_.erase(open_files_.begin());
    model::iput(*inode);
  }
}

OpResult ThreadBody::Call(const Op& op, const std::string& text) {
  sbi_.world.current().set_operation(text);
  const bool logs = sbi_.world.logging();
  if (listener_ != nullptr) listener_->OnCall(config_.name, op);
  if (logs) sbi_.world.Log({.what = "call", .subject = text});
  const OpResult result = Perform(op);
  sbi_.world.MadeProgress();
  if (logs) sbi_.world.Log({.what = "return", .subject = Text(result)});
  if (listener_ != nullptr) listener_->OnReturn(config_.name, op, result);
  return result;
}

OpResult ThreadBody::Perform(const Op& op) {
  switch (op.kind) {
    case OpKind::kSync:
      return FromErrno(model::ksys_sync(sbi_));
    case OpKind::kCommit:
      return FromErrno(model::jbd2_journal_force_commit(sbi_.s_journal));
    case OpKind::kSleep:
      sbi_.world.SleepFor(op.duration_ns);
      return {};
    case OpKind::kEmergency:
      sbi_.emergency = true;
      return {};
    case OpKind::kDropCaches:
      sbi_.world.Touch(sbi_.s_inodes_object, sim::Access::kWrite);
      for (size_t i = 0; i < sbi_.s_inodes.size(); ++i) {
        sbi_.s_inodes[i]->i_mapping.invalidate_mapping_pages();
      }
      return {};
    case OpKind::kFreeze: {
      const Errno error = model::freeze_super(sbi_);
      if (error == Errno::kOk) model::thaw_super(sbi_);
      return FromErrno(error);
    }
    case OpKind::kIoGetevents:
      return GetEvents();
    case OpKind::kCreate:
      return FromErrno(sbi_.create(op.file));
    case OpKind::kUnlink:
      return FromErrno(sbi_.unlink(op.file));
    case OpKind::kShutdown:
      return FromErrno(model::ext4_force_shutdown(sbi_, static_cast<model::GoingFlags>(op.flush)));
    case OpKind::kRename:
      return FromErrno(sbi_.rename(op.file, op.to));
    case OpKind::kOpen:
      return Open(op);
    case OpKind::kClose:
      return Close(op);
    default:
      break;
  }
  model::Inode* inode = Find(op.file);
  if (inode == nullptr) return FromErrno(Errno::kNoEnt);
  const OpResult result = OnInode(op, *inode);
  model::iput(*inode);
  return result;
}

OpResult ThreadBody::OnInode(const Op& op, model::Inode& inode) {
  switch (op.kind) {
    case OpKind::kWrite: {
      if (op.async) return SubmitWrite(op, inode);
      const auto write = op.direct ? model::ksys_write_direct : model::ksys_write;
      return FromIo(write(inode, memory_, op.pos_bytes, op.len_bytes, SyncOf(op),
                          op.fault_at_bytes.value_or(INT64_MAX)));
    }
    case OpKind::kMmapWrite:
      return FromIo(sbi_.mmap_store(inode, memory_, op.pos_bytes, op.len_bytes));
    case OpKind::kRead: {
      if (op.direct) return ReadDirect(op, inode);
      const model::IoResult result = model::ksys_read(inode, op.pos_bytes, op.len_bytes);
      CheckRead(op, inode, result.bytes);
      return FromIo(result);
    }
    case OpKind::kTruncate:
      return FromErrno(model::do_sys_truncate(inode, op.size_bytes));
    case OpKind::kFallocate:
      return FromErrno(model::ksys_fallocate(inode, static_cast<model::FallocMode>(op.mode),
                                             op.pos_bytes, op.len_bytes));
    case OpKind::kFsync:
      return FromErrno(model::do_fsync(inode, false));
    case OpKind::kFdatasync:
      return FromErrno(model::do_fsync(inode, true));
    case OpKind::kMsync:
      return FromErrno(model::ksys_msync(inode, memory_, op.pos_bytes, op.len_bytes));
    case OpKind::kWriteback:
      return FromErrno(model::ksys_sync_file_range(
          inode, op.pos_bytes, op.len_bytes > 0 ? op.pos_bytes + op.len_bytes : 0));
    default:
      SIM_CHECK(false);
      return {};
  }
}

model::Inode* ThreadBody::Find(const std::string& file) {
  const auto open = open_files_.find(file);
  if (open == open_files_.end()) return sbi_.path_lookupat(file);
  model::ihold(*open->second);  // fdget()
  return open->second;
}

OpResult ThreadBody::Open(const Op& op) {
  if (open_files_.contains(op.file)) return {};
  model::Inode* inode = sbi_.path_lookupat(op.file);
  if (inode == nullptr) return FromErrno(Errno::kNoEnt);
  const Errno error = model::ext4_file_open(model::EXT4_I(*inode));
  if (error != Errno::kOk) {
    model::iput(*inode);
    return FromErrno(error);
  }
  open_files_[op.file] = inode;
  return {};
}

OpResult ThreadBody::Close(const Op& op) {
  const auto open = open_files_.find(op.file);
  if (open == open_files_.end()) return FromErrno(Errno::kInval);
  model::Inode* inode = open->second;
  open_files_.erase(open);
  model::iput(*inode);
  return {};
}

OpResult ThreadBody::SubmitWrite(const Op& op, model::Inode& inode) {
  requests_.push_back({&op, &inode, {}});
  Request& request = requests_.back();
  ++inode.i_count;
  const model::IoResult result = model::io_submit_write(inode, memory_, op.pos_bytes, op.len_bytes,
                                                        SyncOf(op), [&](model::IoResult done) {
                                                          request.result = FromIo(done);
                                                          request_done_.WakeAll();
                                                        });
  if (result.error != Errno::kIocbQueued) request.result = FromIo(result);
  return {};
}

OpResult ThreadBody::GetEvents() {
  while (!requests_.empty()) {
    Request& request = requests_.front();
    if (!request.result.has_value()) {
      request_done_.wait_event([&] { return request.result.has_value(); });
    }
    Check(*request.op, *request.result);
    model::iput(*request.inode);
    requests_.pop_front();
  }
  return {};
}

// Somebody may be on the way to change the file.
bool ThreadBody::IsBusy(const model::Inode& inode) const {
  sbi_.world.Touch(inode.i_rwsem.object(), sim::Access::kRead);
  return inode.i_rwsem.is_write_locked() || inode.i_dio_count > 0;
}

OpResult ThreadBody::ReadDirect(const Op& op, model::Inode& inode) {
  const model::History::File& file = *sbi_.history.Find(inode.key());
  const bool was_busy = IsBusy(inode);
  const model::HistorySeq changed = file.changed;
  std::vector<model::SectorContent> granules;
  const model::IoResult result =
      model::ksys_read_direct(inode, memory_, op.pos_bytes, op.len_bytes, granules);
  const bool settled = !was_busy && !IsBusy(inode) && file.changed == changed;
  CheckDirectRead(op, inode, result.bytes, granules, settled);
  return FromIo(result);
}

void ThreadBody::Check(const Op& op, const OpResult& result) {
  if (!op.returns.has_value() || *op.returns == result) return;
  const std::string call =
      absl::StrCat(config_.name, ": ", std::string(kOpKindNames[static_cast<size_t>(op.kind)]),
                   op.file.empty() ? "" : " of ", op.file);
  sbi_.world.Report({"invariant",
                     absl::StrCat(call, " returned ", Text(result), ", wanted ", Text(*op.returns)),
                     ""});
}

// Of bytes that nobody is writing meanwhile.
void ThreadBody::CheckRead(const Op& op, model::Inode& inode, uint64_t bytes) {
  if (IsBusy(inode) || bytes == 0) return;
  CheckContents(model::EXT4_I(inode), op.pos_bytes, op.pos_bytes + bytes);
}

// Of bytes that nobody was writing meanwhile all, of others that they are not somebody else's.
void ThreadBody::CheckDirectRead(const Op& op, model::Inode& inode, uint64_t bytes,
                                 const std::vector<model::SectorContent>& granules, bool settled) {
  const uint64_t end = op.pos_bytes + bytes;
  for (size_t i = 0; i < granules.size(); ++i) {
    const uint64_t pos = op.pos_bytes + i * model::kGranuleBytes;
    if (pos >= end) return;
    const auto bytes_of =
        static_cast<uint32_t>(std::min<uint64_t>(end - pos, model::kGranuleBytes));
    if (!CheckGranule(model::EXT4_I(inode), pos, bytes_of, granules[i], settled)) return;
  }
}

}  // namespace scenario
