// Recovery that is cut short by another power cut [fs/jbd2/recovery.c, jbd2_journal_recover()].
//
// Its own writes obey the device's rules like any others: PASS_REPLAY's home writes in any order,
// then a flush, then the journal superblock that says that the log is empty. So there are two
// families: before the flush the log is as it was found and any home write may be there or not;
// after it either superblock may be found, and if it is the new one, home must be complete.
#pragma once

#include "model/crash/journal_scan.h"

namespace model {

struct RecoveryRules {
  // As the kernel does it. False: the superblock may overtake the home writes.
  bool flush_before_superblock = true;
};

// Recovery of `outcome`, whose replay is `replay`, can be cut at any of its writes and run again
// with the same result.
bool RecoveryMayBeInterrupted(const DiskView& disk, const Geometry& geometry,
                              const ImageStore& images, const Outcome& outcome,
                              const ReplayMap& replay, const RecoveryRules& rules);

}  // namespace model
