// What comes out of one crash state: recovered, with every oracle's verdict, and read file by file.
//
// Recovery is that of model/crash: the scan of the log, and its copies written home. Unlike a
// family, a single state has one content in each block, so that the metadata is judged as it is on
// this disk rather than as the transaction had it: torn blocks are put together from their sectors'
// bytes. That is what e2fsck would see, and `sound` says what it would say of it.
//
// The files are those that are there after recovery and orphan cleanup: without the blocks of
// orphans beyond their size.
//
// Not predicted: what e2fsck makes of metadata that is not sound; contents of inline-data files,
// which read as zeros.
#pragma once

#include <string>
#include <vector>

#include "model/image/crash_state.h"

namespace model {

struct PredictedFile {
  std::string name;
  Ino ino = 0;
  uint64_t size_bytes = 0;
  std::vector<Extent> extents;          // ascending; unwritten ones too
  std::vector<SectorContent> granules;  // up to the size; holes and unwritten ones are zero
  std::vector<uint64_t> sectors;        // of each granule, where on the device; 0: none
};

struct OracleVerdict {
  std::string oracle;                 // a kind of crash_checker.h
  std::vector<std::string> findings;  // messages; none: it is right
};

struct StateReport {
  Outcome outcome;
  bool sound = false;                   // the metadata, and every copy in the log
  std::vector<std::string> why_not;     // when it is not
  std::vector<OracleVerdict> verdicts;  // one of each oracle
  uint32_t orphans = 0;                 // inodes on the orphan list
  std::vector<PredictedFile> files;     // by inode number; meaningful if sound
};

// `state` is one of the family as it is now. `data_writeback`: as in CrashOptions.
StateReport ReportState(const CrashScene& scene, const DiskState& state, bool data_writeback);

}  // namespace model
