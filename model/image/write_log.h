// One execution's writes as dm-log-writes would have recorded them below the file system
// [drivers/md/dm-log-writes.c], and the device that they were made to.
//
// The order is that of the kernel's target: a plain write waits, once it has completed, for the
// next flush that is submitted, and goes into the log with it when that has completed; an FUA write
// goes there when it completes, a mark at once. What no flush has taken comes last. Hence all that
// precedes a mark is durable by then.
//
// A recording cannot tell everything: of a write that was in flight while others completed it only
// says when it was sure to be there. So each state that a power cut could leave according to the
// log is one that it could leave here, but not the reverse.
//
// A device without a volatile cache has every write durable as it completes: all are FUA. One that
// ignores flushes gives a log without any, in order of completion. A write that failed is there as
// far as it came.
//
// Data is text with the tags of recorded workloads (model/recorded/content_rules.h), a write's tag
// being its WriteId; what the disk held before mkfs says kStalePattern.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "model/crash/history.h"
#include "model/ondisk/disk_layout.h"
#include "model/ondisk/image_store.h"
#include "model/recorded/content_rules.h"
#include "model/recorded/recording.h"
#include "sim/block/block_device.h"

namespace model {

inline constexpr const char* kStalePattern = "STALE:";

struct LoggedWrite {
  uint64_t sector = 0;
  std::vector<SectorContent> contents;  // none: a flush, or a mark
  bool flush = false;
  bool fua = false;
  std::string mark;
};

class WriteLog : public sim::BioListener {
 public:
  void OnSubmit(const sim::BlockDevice& device, const sim::Bio& bio) override;
  void OnComplete(const sim::BlockDevice& device, const sim::Bio& bio, size_t done) override;
  void Mark(std::string text);

  // Once, at the end: all of it.
  std::vector<LoggedWrite> Finish();

 private:
  std::vector<LoggedWrite> logged_;
  std::vector<LoggedWrite> unflushed_;                               // completed
  absl::flat_hash_map<uint32_t, std::vector<LoggedWrite>> covered_;  // by a flush, by its bio
};

struct ExecutionLog {
  ExecutionLog() = default;
  ExecutionLog(const ExecutionLog&) = delete;  // the recording points into it
  ExecutionLog& operator=(const ExecutionLog&) = delete;

  std::string name;  // of what was executed
  DiskLayout layout;
  std::string base;  // the device before the first mount
  Recording recording;
  std::map<std::string, std::vector<TaggedWrite>> writes;  // by path
  std::deque<std::string> bytes;                           // of the recording
};

// Puts the execution into `log`, which is empty. The journal is as long as e2fsck and Linux want it
// unless the log wraps around in a shorter one, or the device has no room for it; then it is as
// long as the model has it. Fails if there are more writes than tags.
absl::Status RenderLog(const Geometry& geometry, const ImageStore& images, const History& history,
                       const std::vector<SectorContent>& before,
                       const std::vector<LoggedWrite>& writes, ExecutionLog& log);

}  // namespace model
