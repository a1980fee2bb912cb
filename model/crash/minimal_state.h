// Of all the states of a family that show a fault, one that takes as little as possible.
//
// First, as few writes as possible are lost: a write is lost if a sector of it neither holds what
// it wrote nor what was written there later. Then, with these lost, as few as possible are needed:
// all others may be lost as well.
//
// How the fewest are found. A set of writes that may be lost is a family of its own: each sector
// holds something that is no older than the oldest of its versions that has only such writes behind
// it. Whether it shows the fault is the judge's to say, for any number of states. What cannot be
// done without is in every such set; sets around it are tried by size. The same for the writes that
// are needed, with single states. If more than kMaxTried sets would have to be tried, what comes
// out may not be the fewest, but none of the writes can be left out.
//
// A state shows a fault if a recovery of it has one with the same identity, which covers the same
// bytes.
#pragma once

#include <vector>

#include "model/crash/family.h"
#include "model/crash/scene.h"

namespace model {

struct MinimalState {
  // Ascending. A write of which some sectors are lost and others needed is in both.
  std::vector<sim::BioId> lost;
  std::vector<sim::BioId> needed;
  bool fewest = true;  // see above
  // `lost` are lost, as much else as possible is there.
  DiskState state;
  Outcome outcome;  // of the scan of its log
};

inline constexpr int kMaxTried = 256;

// Requires: the family, as it is now, shows `fault` after `recovery`.
MinimalState FindMinimalState(const CrashScene& scene, const PossibleRecovery& recovery,
                              const CrashFault& fault);

// The pending writes that `state` of the family lacks, and those of which it has something.
std::vector<sim::BioId> LostIn(const sim::BlockDevice& device, const DiskState& state);
std::vector<sim::BioId> PresentIn(const sim::BlockDevice& device, const DiskState& state);

// Nothing that is pending has reached the medium; all of it has, the newest version last.
DiskState OldestState(const sim::BlockDevice& device);
DiskState NewestState(const sim::BlockDevice& device);

// Makes `state`, of a family of which `disk` is a part, one in which recovery comes to `recovery`,
// by as few changes as possible. Requires: it is possible on `disk`.
void LeadTo(const CrashScene& scene, const DiskView& disk, const PossibleRecovery& recovery,
            DiskState& state);

// Whether `found` is `wanted`, and as large.
bool Covers(const CrashFault& found, const CrashFault& wanted);

}  // namespace model
