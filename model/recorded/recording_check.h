// Crash testing of a real kernel from one recording of its writes.
//
// At every entry of the recording, all states that a power cut may leave are considered: for each
// unit of the device a set of contents (medium.h), chosen independently. They are judged without
// building any:
//   1. The log's units decide how recovery goes: a few outcomes (log_scan.h).
//   2. Under one outcome most of the metadata is what recovery writes home. The rest is read
//   through
//      libext2fs, which is let know nothing but the units that it asks for; where one may hold
//      several contents, each is followed. So each distinct recovered file system is read once, in
//      whatever states it comes out.
//   3. Each unit of each file's extents is judged for itself, with every content it may hold.
//
// Kinds of findings:
//   stale_data  a file shows what content_rules.h does not allow
//   lost_data   a file is not what it was when a sync returned
//   metadata    the recovered file system is not sound (file_system.h)
//   recovery    the journal cannot be replayed, or nothing be mounted (log_scan.h)
//
// Marks say what the workload knew, in program order, of one thread. A mark is an entry marked as
// such or a write behind the file system that begins with a printable word. "fsync-done PATH [size
// N]": from here on PATH is there with its contents; "sync-done": every file is; "dir-fsync-done
// DIR": the files right below DIR are there. What they are is taken from the state in which every
// write arrived. The promise on a file ends with the next mark that has its path in it: at that
// mark if one of its words ends in "-begin", else at the mark before it, since what it tells of may
// have begun by then.
//
// Not judged: contents of files with inline data; that orphan cleanup is right.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/crash/state_count.h"
#include "model/recorded/content_rules.h"
#include "model/recorded/contents.h"
#include "model/recorded/recording.h"

namespace model {

struct RecordingOptions {
  ContentRules rules;
  uint32_t unit_bytes = 512;  // what the device writes whole or not at all
};

// A moment of the recording.
struct CrashPoint {
  uint32_t entries = 0;        // that have been submitted
  bool fua_in_flight = false;  // the last one is FUA and has not completed

  bool operator==(const CrashPoint&) const = default;
};

// "Unit `unit` of the device holds `bytes`."
struct HeldBytes {
  uint64_t unit = 0;
  std::string bytes;
};

struct RecordingFinding {
  std::string kind;
  std::string message;  // what is seen, without the when
  std::string path;     // of a file, else empty
  uint32_t ino = 0;
  uint64_t begin = 0;  // in the file
  uint64_t end = 0;
  std::optional<WrongBytes::Kind> shows;  // of stale_data
  std::string shown;                      // likewise: the first bytes
  std::string mark;                       // of lost_data: what the workload had said

  std::vector<CrashPoint> crash_points;  // at which it is possible, ascending
  // At the first of them: a state that shows it, in which every unit that is not named holds what
  // was last written to it.
  std::vector<HeldBytes> pins;
  uint32_t first_transaction = 0;  // replayed; none if last == first - 1
  uint32_t last_transaction = 0;
  std::optional<uint32_t> commit_entry;  // that wrote the last one's commit block, if recorded
  uint64_t device_block = 0;             // of stale_data: where the first byte lies
  std::vector<uint32_t> there;           // entries that wrote the bytes in question
  std::vector<uint32_t> lost;            // entries that something of is not there
  std::vector<uint32_t> later;           // entries still to come that first write other bytes there
};

struct RecordingResult {
  uint64_t entries = 0;
  uint64_t writes = 0;   // to the file system
  uint64_t flushes = 0;  // with or without a write
  uint64_t marks = 0;
  uint64_t promises = 0;      // that marks made, on single files
  StateCount states;          // a family is a crash point
  uint64_t file_systems = 0;  // distinct ones, recovered
  uint64_t blocks = 0;
  uint32_t block_bytes = 0;
  uint32_t journal_blocks = 0;
  std::vector<RecordingFinding> findings;  // in order of first sight
};

// `base`: the device before the recording, uncompressed; at least the file system. Both outlive
// nothing. Fails if the base is not an ext4 file system that is known here ("superblock: ..."), or
// the recording does not fit it ("entry N: ...").
absl::StatusOr<RecordingResult> CheckRecording(std::string_view base, const Recording& recording,
                                               const RecordingOptions& options);

// The device as `finding` tells of it, before recovery: as long as `base`, without what lies behind
// the file system. Requires: the finding is of these.
std::string StateBytes(std::string_view base, const Recording& recording,
                       const RecordingOptions& options, const RecordingFinding& finding);

}  // namespace model
