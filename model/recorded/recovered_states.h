// The file systems that may come out of one outcome of the log's scan.
#pragma once

#include <deque>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "model/recorded/file_system.h"
#include "model/recorded/log_scan.h"

namespace model {

// The device after recovery: what was replayed is as in the log, all else as it may have been.
class RecoveredSets : public UnitSets {
 public:
  // Both outlive this.
  RecoveredSets(const UnitSets& sets, const LogOutcome& outcome);
  absl::Span<const ContentId> At(uint64_t unit) const override;

 private:
  const UnitSets& sets_;
  const LogOutcome& outcome_;
  absl::flat_hash_map<uint64_t, size_t> pins_;  // into the outcome's
};

// Reads file systems, and remembers what it read: one whose units are the same again is not read
// again.
class FileSystemReader {
 public:
  // `contents` outlives this; `size_bytes` is that of the file system.
  FileSystemReader(const ContentTable& contents, uint64_t size_bytes)
      : contents_(contents), size_bytes_(size_bytes) {}
  FileSystemReader(const FileSystemReader&) = delete;
  FileSystemReader& operator=(const FileSystemReader&) = delete;

  // Calls use(file system, pins) for each file system that the sets allow; the pins are what units
  // with a choice hold in it. False: there are more than kMaxFileSystems, and not all were seen.
  static constexpr size_t kMaxFileSystems = 4096;
  using Use = absl::FunctionRef<void(const RecoveredFileSystem& fs, const std::vector<Pin>& pins)>;
  [[nodiscard]] bool EachFileSystem(const UnitSets& sets, Use use);

  // How many different ones there were.
  size_t file_systems() const { return known_.size(); }

 private:
  struct Known {
    RecoveredFileSystem fs;
    std::vector<Pin> reads;  // all units read, in order, and what they held
  };
  using Choices = absl::flat_hash_map<uint64_t, ContentId>;

  const Known& Read(const UnitSets& sets, const Choices& choices);

  const ContentTable& contents_;
  const uint64_t size_bytes_;
  std::deque<Known> known_;
};

}  // namespace model
