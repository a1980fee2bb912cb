// One execution's writes as a recording in the manner of dm-log-writes
// [drivers/md/dm-log-writes.c], and the device that they were made to.
//
// A write is in the log from when it has completed, a flush likewise, even that of a write that
// waits for it, a mark at once; but what completes while a flush is on its way that does not cover
// it comes after that flush. So each state that a power cut could leave according to the log is one
// that it could leave here, if no sector is written with FUA at one time and without at another.
// The reverse is not so: that a write may be there before it has completed, a recording cannot
// tell. (The kernel's target keeps plain writes back until a flush takes them, and can tell even
// less.)
//
// A device without a volatile cache has every write durable as it completes: all are FUA. One that
// ignores flushes gives a log without any, in order of completion. A write that failed is there as
// far as it came; one that was misdirected is where it came to, and one that was lost is not there.
//
// Data is text with the tags of recorded workloads (model/recorded/content_rules.h), a write's tag
// being its WriteId; what the disk held before mkfs says kStalePattern.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

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
  void OnFlushed(const sim::BlockDevice& device, const sim::Bio& bio) override;
  void OnComplete(const sim::BlockDevice& device, const sim::Bio& bio, size_t done) override;
  void Mark(std::string text);

  // Once, at the end: all of it.
  std::vector<LoggedWrite> Finish();

 private:
  struct Completed {
    uint64_t completion = 0;
    LoggedWrite write;
  };

  // Those up to this completion are in the log from here on.
  void Release(uint64_t completion);
  // What completed last before all flushes on their way were submitted.
  uint64_t CoveredByAll() const;

  std::vector<LoggedWrite> logged_;
  std::deque<Completed> kept_back_;       // plain writes, in order
  std::map<uint32_t, uint64_t> flushes_;  // on their way: what each covers, by its bio
  uint64_t completions_ = 0;
};

struct ExecutionLog {
  ExecutionLog() = default;
  ExecutionLog(const ExecutionLog&) = delete;  // the recording points into it
  ExecutionLog& operator=(const ExecutionLog&) = delete;

  std::string name;  // of what was executed
  DiskLayout layout;
  std::string base;  // the device before the first mount
  Recording recording;
  std::map<std::string, std::vector<TaggedWrite>> writes;  // by path, each that a file ever had
  std::deque<std::string> bytes;                           // of the recording
};

// Puts the execution into `log`, which is empty. The journal is as long as e2fsck and Linux want it
// unless the log wraps around in a shorter one, or the device has no room for it; then it is as
// long as the model has it. Fails if there are more writes than tags.
absl::Status RenderLog(const Geometry& geometry, const ImageStore& images, const History& history,
                       const std::vector<SectorContent>& before,
                       const std::vector<LoggedWrite>& writes, ExecutionLog& log);

}  // namespace model
