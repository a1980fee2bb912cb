// What a recovered file may show, byte by byte; the rules are in history.h.
#pragma once

#include <optional>
#include <vector>

#include "model/crash/history.h"

namespace model {

enum class Damage : uint8_t {
  // Stale data:
  kFormerDisk,     // what the disk held before this file system
  kMetadataBlock,  // part of a metadata or journal block
  kOtherFile,      // written to another file
  kOtherPlace,     // of this file, from another offset
  kTruncated,      // removed by a truncate or a hole that the recovered state contains
  // Lost data:
  kNeverZero,  // zero where the contract promises data
  kLost,       // not what a sync made durable
  kUnflushed,  // not what a rename over another file had promised
  // Neither:
  kUnreadable,  // the device fails to read it
};
inline bool IsStale(Damage damage) { return damage <= Damage::kTruncated; }

struct ByteRun {
  uint32_t begin = 0;  // in the granule
  uint32_t end = 0;    // exclusive
  Damage damage = Damage::kFormerDisk;
  FileKey other;  // kOtherFile: whose

  bool operator==(const ByteRun&) const = default;
};

// `file` as of transaction `recovered`.
struct RecoveredEnd {
  Tid recovered = 0;
  uint64_t size_bytes = 0;
  uint32_t block_bytes = 0;
};

// What is wrong with `content`, which is not mixed, as that of granule `index` of `file` at any
// time; nullopt: it may be right.
std::optional<Damage> JudgeSource(const History& history, const History::File& file, uint32_t index,
                                  SectorContent content);

// Sets `damage` to what is wrong, ascending, if granule `index` of `file`, as far as it lies below
// the size, is `content`.
void JudgeGranule(const History& history, const History::File& file, const RecoveredEnd& end,
                  uint32_t index, SectorContent content, std::vector<ByteRun>& damage);

// The smallest size that syncs of `file` allow as of transaction `recovered`; 0 without a promise.
uint64_t PromisedSize(const History::File& file, Tid recovered);
// Likewise renames of it over other files.
uint64_t SizePromisedByRename(const History::File& file, Tid recovered);
// Whether `file` must be there.
bool PromisedToExist(const History::File& file, Tid recovered);
// A sync has promised a name that the file has since a later transaction than `recovered` only.
bool LacksPromisedName(const History::File& file, Tid recovered);

}  // namespace model
