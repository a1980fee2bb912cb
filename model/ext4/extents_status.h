// The extent status tree: what each file block is, as far as known in memory
// [fs/ext4/extents_status.c].
//
// Unlike the extents on disk it knows delayed extents; those are never dropped, as nothing else
// remembers the reservation. What is not in the tree is not known, as opposed to a hole. Adjacent
// extents of the same status (and adjoining blocks) are merged.
//
// Not modelled: the shrinker, bigalloc's pending reservations.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "model/ondisk/geometry.h"

namespace model {

enum class EsStatus : uint8_t { kWritten, kUnwritten, kDelayed, kHole };

struct ExtentStatus {
  Lblk es_lblk = 0;
  uint32_t es_len = 0;
  Pblk es_pblk = 0;  // of written and unwritten ones
  EsStatus status = EsStatus::kHole;

  Lblk end() const { return es_lblk + es_len; }
};

// The tree alone: its lock and i_es_seq are the inode's, see ext4_es_*().
class ExtentStatusTree {
 public:
  // The extent that covers `lblk`.
  std::optional<ExtentStatus> Lookup(Lblk lblk) const;
  // Replaces whatever is there. Returns how many delayed blocks it replaced.
  uint32_t Insert(const ExtentStatus& es);
  // Forgets [lblk, lblk + len). Returns how many delayed blocks were there.
  uint32_t Remove(Lblk lblk, uint32_t len);
  // Where the first extent that starts after `lblk` starts; UINT32_MAX if none does.
  Lblk NextAfter(Lblk lblk) const;
  uint32_t DelayedBlocks() const;
  // Is any block of the range delayed?
  bool AnyDelayed(Lblk lblk, uint32_t len) const;

  const std::vector<ExtentStatus>& extents() const { return extents_; }  // ascending

 private:
  std::vector<ExtentStatus> extents_;
};

struct Ext4Inode;

// Under i_es_lock. The tree's sequence number as of the look-up goes to *seq, if not null.
std::optional<ExtentStatus> ext4_es_lookup_extent(Ext4Inode& inode, Lblk lblk, uint64_t* seq);
// Both change i_es_seq. A reservation that the change makes pointless is given back: delayed blocks
// that are removed, or, by insertion with `delalloc_reserve_used`, consumed. Insertion returns how
// many delayed blocks there were.
uint32_t ext4_es_insert_extent(Ext4Inode& inode, const ExtentStatus& es,
                               bool delalloc_reserve_used = false);
void ext4_es_remove_extent(Ext4Inode& inode, Lblk lblk, uint32_t len);
// Caches what the disk says, unless the tree knows better; does not change i_es_seq.
void ext4_es_cache_extent(Ext4Inode& inode, const ExtentStatus& es);

}  // namespace model
