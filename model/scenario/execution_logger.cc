#include "model/scenario/execution_logger.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace scenario {
namespace {

bool Changes(OpKind kind) {
  switch (kind) {
    case OpKind::kWrite:
    case OpKind::kMmapWrite:
    case OpKind::kTruncate:
    case OpKind::kFallocate:
    case OpKind::kCreate:
    case OpKind::kUnlink:
    case OpKind::kRename:
      return true;
    default:
      return false;
  }
}

bool Syncs(OpKind kind) {
  return kind == OpKind::kFsync || kind == OpKind::kFdatasync || kind == OpKind::kSync;
}

bool IsLocal(OpKind kind) {
  switch (kind) {
    case OpKind::kRead:
    case OpKind::kOpen:
    case OpKind::kClose:
    case OpKind::kDropCaches:
    case OpKind::kIoGetevents:
    case OpKind::kSleep:
      return true;
    default:
      return false;
  }
}

std::vector<std::string> FilesOf(const Op& op) {
  return op.to.empty() ? std::vector<std::string>{op.file} : std::vector{op.file, op.to};
}

std::string Name(const Op& op) { return std::string(kOpKindNames[static_cast<size_t>(op.kind)]); }

}  // namespace

void ExecutionLogger::OnSubmit(const sim::BlockDevice& device, const sim::Bio& bio) {
  writes_.OnSubmit(device, bio);
}

void ExecutionLogger::OnFlushed(const sim::BlockDevice& device, const sim::Bio& bio) {
  writes_.OnFlushed(device, bio);
}

void ExecutionLogger::OnComplete(const sim::BlockDevice& device, const sim::Bio& bio, size_t done) {
  writes_.OnComplete(device, bio, done);
}

void ExecutionLogger::OnCall(const std::string& thread, const Op& op) {
  if (Syncs(op.kind)) {
    std::set<std::string>& changed = syncs_[thread];
    for (const auto& [other, files] : changing_) changed.insert(files.begin(), files.end());
    for (const auto& [other, files] : in_flight_) changed.insert(files.begin(), files.end());
  }
  stopped_ |= op.kind == OpKind::kShutdown || op.kind == OpKind::kEmergency;
  if (!Changes(op.kind)) return;
  const std::vector<std::string> files = FilesOf(op);
  writes_.Mark(absl::StrCat(Name(op), "-begin ", absl::StrJoin(files, " ")));
  for (auto& [other, changed] : syncs_) changed.insert(files.begin(), files.end());
  if (op.kind == OpKind::kUnlink || op.kind == OpKind::kRename) {
    unlinked_.insert(files.begin(), files.end());
  }
  changing_[thread] = files;
}

void ExecutionLogger::OnReturn(const std::string& thread, const Op& op, const OpResult& result) {
  if (op.kind == OpKind::kIoGetevents) in_flight_.erase(thread);
  if (op.async) in_flight_[thread].insert(op.file);
  if (IsLocal(op.kind)) return;
  if (Changes(op.kind)) {
    changing_.erase(thread);
    return writes_.Mark(absl::StrCat(Name(op), "-done ", absl::StrJoin(FilesOf(op), " ")));
  }
  const std::set<std::string> changed = std::move(syncs_[thread]);
  syncs_.erase(thread);
  if (!Syncs(op.kind) || !result.errno_name.empty() || !Promises(op, changed)) {
    return writes_.Mark(Name(op) + "-return");
  }
  writes_.Mark(op.kind == OpKind::kSync ? "sync-done" : "fsync-done " + op.file);
}

bool ExecutionLogger::Promises(const Op& op, const std::set<std::string>& changed) const {
  if (op.kind == OpKind::kSync) return changed.empty() && !stopped_;
  return !changed.contains(op.file) && !unlinked_.contains(op.file);
}

void ExecutionLogger::OnEnd(const model::Geometry& geometry, const model::ImageStore& images,
                            const model::History& history,
                            const std::vector<model::SectorContent>& before) {
  status_ = RenderLog(geometry, images, history, before, writes_.Finish(), log_);
}

}  // namespace scenario
