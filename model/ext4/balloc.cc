// Counting free space, and promising it [fs/ext4/balloc.c].
//
// Counters are exact, as they are on one processor whenever EXT4_FREECLUSTERS_WATERMARK says that
// it matters. A cluster is a block. Not modelled: space reserved for root.

#include "model/ext4/ext4.h"

namespace model {

int64_t ext4_count_free_clusters(const Ext4SbInfo& sbi) { return sbi.s_freeclusters_counter; }

// Whether `nclusters` more can be promised, beside what is promised to delayed allocation and what
// is set apart for conversions, which must not fail.
bool ext4_has_free_clusters(const Ext4SbInfo& sbi, int64_t nclusters, uint32_t flags) {
  const int64_t free_clusters = sbi.s_freeclusters_counter;
  const int64_t dirty_clusters = sbi.s_dirtyclusters_counter;
  if (free_clusters >= sbi.s_resv_clusters + nclusters + dirty_clusters) return true;
  const bool use_reserved = (flags & kGetBlocksMetadataNofail) != 0;  // EXT4_MB_USE_RESERVED
  return use_reserved && free_clusters >= nclusters + dirty_clusters;
}

Errno ext4_claim_free_clusters(Ext4SbInfo& sbi, int64_t nclusters, uint32_t flags) {
  if (!ext4_has_free_clusters(sbi, nclusters, flags)) return Errno::kNoSpc;
  sbi.s_dirtyclusters_counter += nclusters;
  return Errno::kOk;
}

// After ENOSPC: true if it makes sense to try again, because a commit has freed something.
// Requires: no folio lock and no handle, unless the caller's path is one that may wait for commits.
bool ext4_should_retry_alloc(Ext4SbInfo& sbi, int* retries) {
  SIM_FRAME("ext4_should_retry_alloc");
  if (++*retries > 3) return false;
  // Nothing waits for a commit; but one may have just ended.
  if (sbi.s_freed_data->empty()) return ext4_has_free_clusters(sbi, 1, 0);
  (void)jbd2_journal_force_commit_nested(sbi.s_journal);
  return true;
}

}  // namespace model
