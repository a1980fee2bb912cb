#include "model/scenario/execution_logger.h"

#include "absl/strings/str_cat.h"

namespace scenario {
namespace {

bool Changes(OpKind kind) {
  switch (kind) {
    case OpKind::kWrite:
    case OpKind::kMmapWrite:
    case OpKind::kTruncate:
    case OpKind::kCreate:
    case OpKind::kUnlink:
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
    case OpKind::kSleep:
      return true;
    default:
      return false;
  }
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
    for (const auto& [other, file] : changing_) changed.insert(file);
  }
  if (!Changes(op.kind)) return;
  writes_.Mark(absl::StrCat(Name(op), "-begin ", op.file));
  changing_[thread] = op.file;
  for (auto& [other, changed] : syncs_) changed.insert(op.file);
  if (op.kind == OpKind::kUnlink) unlinked_.insert(op.file);
}

void ExecutionLogger::OnReturn(const std::string& thread, const Op& op, const OpResult& result) {
  if (IsLocal(op.kind)) return;
  if (Changes(op.kind)) {
    changing_.erase(thread);
    return writes_.Mark(absl::StrCat(Name(op), "-done ", op.file));
  }
  const std::set<std::string> changed = std::move(syncs_[thread]);
  syncs_.erase(thread);
  if (!Syncs(op.kind) || !result.errno_name.empty() || !Promises(op, changed)) {
    return writes_.Mark(Name(op) + "-return");
  }
  writes_.Mark(op.kind == OpKind::kSync ? "sync-done" : "fsync-done " + op.file);
}

bool ExecutionLogger::Promises(const Op& op, const std::set<std::string>& changed) const {
  if (op.kind == OpKind::kSync) return changed.empty();
  return !changed.contains(op.file) && !unlinked_.contains(op.file);
}

void ExecutionLogger::OnEnd(const model::Geometry& geometry, const model::ImageStore& images,
                            const model::History& history,
                            const std::vector<model::SectorContent>& before) {
  status_ = RenderLog(geometry, images, history, before, writes_.Finish(), log_);
}

}  // namespace scenario
