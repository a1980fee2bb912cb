// Judges a crash family: everything that recovery and a read of every file may meet.
//
// One outcome of the journal scan at a time; each other sector for itself, all its contents one by
// one. What is found is plain data; telling it to people is story.h's.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/crash/committed_states.h"
#include "model/crash/file_rules.h"
#include "model/crash/journal_scan.h"
#include "model/crash/recovery.h"

namespace model {

// A sector, and what it must hold for the damage to show.
struct Witness {
  uint64_t sector = 0;
  SectorContent content = 0;
};

struct CrashFault {
  enum class What : uint8_t {
    kFile,      // bytes of a file: damage, begin, end
    kShort,     // a file is smaller than promised: begin is its size, end what was promised, damage
                // by whom (kLost, kUnflushed)
    kMissing,   // a promised file is not there
    kOldName,   // a file has a name that a promise says it has no more
    kName,      // a name is not what the recovered transactions have made it: metadata
    kTornCopy,  // a copy in the log is not what its tag says: pblk, the block that it is of
    kTornReplay,   // without checksums: what is replayed is not what the tag is of: pblk, home
    kHomeOld,      // a block at home lacks a change of the recovered state
    kHomeNew,      // a block at home has a change that the recovered state does not
    kHomeForeign,  // a block at home is something else altogether
    kMetadata,     // the committed state is wrong in itself: metadata
    kRecovery,     // recovery, interrupted and run again, gives something else
    kUnreadable,   // a block of metadata, or of the log where recovery reads, cannot be read: pblk
  };
  What what = What::kFile;
  FileKey file;
  Damage damage = Damage::kFormerDisk;
  FileKey other;
  uint64_t begin = 0;
  uint64_t end = 0;
  Pblk pblk = 0;  // also of a file's bytes that recovery has replayed a block over: that block
  MetadataFault metadata;  // kMetadata, kName
  std::vector<Witness> witnesses;
};

// data=writeback: that a file shows what its blocks held before is within the contract.
inline bool WithinWritebackContract(const CrashFault& fault) {
  return fault.what == CrashFault::What::kFile && IsStale(fault.damage) &&
         fault.damage != Damage::kMetadataBlock;
}

// An outcome of the journal scan, and what a read finds then.
struct PossibleRecovery {
  PossibleRecovery(const Geometry& geometry, Outcome found)
      : outcome(std::move(found)), replay(geometry, outcome) {}

  Outcome outcome;
  ReplayMap replay;
};

class FamilyJudge {
 public:
  FamilyJudge(const DiskView& disk, const Geometry& geometry, const ImageStore& images,
              const History& history, CommittedStates& states, const RecoveryRules& rules)
      : disk_(disk),
        geometry_(geometry),
        images_(images),
        history_(history),
        states_(states),
        recovery_rules_(rules) {}

  // Everything that may be seen after `recovery`.
  std::vector<CrashFault> JudgeAll(const PossibleRecovery& recovery);
  // What may be seen of these contents of the sectors from `first_sector` on.
  std::vector<CrashFault> JudgeSectors(const PossibleRecovery& recovery, uint64_t first_sector,
                                       absl::Span<const SectorContent> contents);
  // What may be seen of `file`, all of it.
  std::vector<CrashFault> JudgeFile(const PossibleRecovery& recovery, FileKey file);

 private:
  using What = CrashFault::What;

  void JudgeFailure(Pblk fails_at);
  void JudgeCopies(const PossibleRecovery& recovery, Pblk first, Pblk end);
  void JudgeHome(const PossibleRecovery& recovery, Pblk pblk);
  void JudgeReplay(const PossibleRecovery& recovery, const LogCopy& copy);
  void JudgeReplayedFrom(const PossibleRecovery& recovery, Pblk first, Pblk end);
  void JudgeRecoveryAgain(const PossibleRecovery& recovery);
  void JudgeReadable(const PossibleRecovery& recovery, const RecoveredFile& recovered,
                     const History::File& file);
  void JudgeMissing(const PossibleRecovery& recovery, const History::File& file);
  void JudgeData(const RecoveredFile& recovered, const History::File& file, Tid tid, Lblk lblk,
                 uint32_t sector_in_block, Witness witness, bool on_disk, Pblk replayed_over = 0);
  void JudgeReplayedData(const PossibleRecovery& recovery, const RecoveredFile& recovered,
                         const History::File& file, Lblk lblk, const LogCopy& copy);
  What HomeFault(Tid recovered, Pblk pblk, ImageId wanted, SectorContent content) const;

  const DiskView& disk_;
  const Geometry& geometry_;
  const ImageStore& images_;
  const History& history_;
  CommittedStates& states_;
  RecoveryRules recovery_rules_;
  std::vector<CrashFault> faults_;
  std::vector<ByteRun> damage_;  // scratch
};

}  // namespace model
