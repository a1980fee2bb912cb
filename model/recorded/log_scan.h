// What recovery makes of a real journal [fs/jbd2/recovery.c] of which only the sets of possible
// contents are known.
//
// PASS_SCAN, PASS_REVOKE and PASS_REPLAY as in model/crash/journal_scan.h, but over the bytes of a
// real log: all that the blocks of the log may hold together is told apart by what it says.
// Formats: journal superblock V1 and V2; tags with and without 64 bits; revoke records; checksums
// v3, v2 or none. As the kernel does:
//   - nothing is mounted if the file system's superblock, as it is before recovery, does not match
//     its checksum;
//   - the log is replayed if that superblock says that it needs recovery, else wiped;
//   - a block without the header that PASS_SCAN wants, and a commit block with a wrong checksum,
//   end
//     the log; a descriptor or revoke block with a wrong checksum does, unless a commit block of
//     its transaction follows: then recovery fails;
//   - recovery fails if a copy that it reads does not match its tag's checksum, or is of a block
//   that
//     does not exist.
//
// Not known, and refused: journal checksum v1, asynchronous commits, fast commits, external
// journals. Not modelled: commit times, by which the kernel tells an old descriptor with a wrong
// checksum from a damaged one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/status/statusor.h"
#include "model/recorded/contents.h"

namespace model {

// journal_superblock_t
struct LogSuperblock {
  uint32_t block_bytes = 0;
  uint32_t maxlen = 0;    // blocks of the journal
  uint32_t first = 0;     // of the log
  uint32_t sequence = 0;  // first transaction expected ...
  uint32_t start = 0;     // ... at this log block; 0: the log is empty
  bool has_64bit = false;
  enum class Checksum : uint8_t { kNone, kV2, kV3 };
  Checksum checksum = Checksum::kNone;
  uint32_t seed = 0;  // of checksums
};

// `bytes`: the first 1024 of the journal. Failure: what is wrong with it.
absl::StatusOr<LogSuperblock> ParseLogSuperblock(std::string_view bytes);

struct JournalPlace {
  uint32_t block_bytes = 0;
  uint64_t device_blocks = 0;    // of the file system
  std::vector<uint64_t> blocks;  // where on the device each block of the journal is
};

// A unit that recovery writes. Several contents only where no checksum tells a right copy from a
// wrong one.
struct ReplayedUnit {
  std::vector<ContentId> contents;      // each once, the newest last
  uint64_t log_unit = 0;                // where the copy is
  std::vector<ContentId> log_contents;  // what is there in each case
};

// One way that recovery may go.
struct LogOutcome {
  // Transactions replayed; last == first - 1: none.
  uint32_t first = 1;
  uint32_t last = 0;
  uint64_t commit_unit = 0;  // where the last one's commit block is; 0: none was replayed
  std::string failure;       // why there is no recovery; empty if there is
  std::vector<Pin> pins;     // what makes recovery go this way
  absl::btree_map<uint64_t, ReplayedUnit> replayed;  // by the unit written
};

// All of them; each pair of outcomes excludes the other by its pins. Fails if too many contents of
// a block are possible to look at each.
absl::StatusOr<std::vector<LogOutcome>> ScanLog(const UnitSets& sets, ContentTable& contents,
                                                const JournalPlace& place);

}  // namespace model
