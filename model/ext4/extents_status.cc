#include "model/ext4/extents_status.h"

#include <algorithm>

#include "model/ext4/ext4.h"

namespace model {
namespace {

bool HasBlocks(EsStatus status) {
  return status == EsStatus::kWritten || status == EsStatus::kUnwritten;
}

bool CanMerge(const ExtentStatus& left, const ExtentStatus& right) {
  if (left.status != right.status || left.end() != right.es_lblk) return false;
  return !HasBlocks(left.status) || left.es_pblk + left.es_len == right.es_pblk;
}

// The part of `es` within [begin, end).
ExtentStatus Clip(const ExtentStatus& es, Lblk begin, Lblk end) {
  ExtentStatus part = es;
  part.es_lblk = std::max(es.es_lblk, begin);
  part.es_len = std::min(es.end(), end) - part.es_lblk;
  if (HasBlocks(es.status)) part.es_pblk = es.es_pblk + (part.es_lblk - es.es_lblk);
  return part;
}

}  // namespace

std::optional<ExtentStatus> ExtentStatusTree::Lookup(Lblk lblk) const {
  const auto it = std::upper_bound(extents_.begin(), extents_.end(), lblk,
                                   [](Lblk l, const ExtentStatus& es) { return l < es.end(); });
  if (it == extents_.end() || it->es_lblk > lblk) return std::nullopt;
  return *it;
}

uint32_t ExtentStatusTree::Insert(const ExtentStatus& es) {
  const uint32_t delayed = Remove(es.es_lblk, es.es_len);
  auto it =
      std::upper_bound(extents_.begin(), extents_.end(), es.es_lblk,
                       [](Lblk lblk, const ExtentStatus& other) { return lblk < other.es_lblk; });
  it = extents_.insert(it, es);
  if (it + 1 != extents_.end() && CanMerge(*it, *(it + 1))) {
    it->es_len += (it + 1)->es_len;
    it = extents_.erase(it + 1) - 1;
  }
  if (it != extents_.begin() && CanMerge(*(it - 1), *it)) {
    (it - 1)->es_len += it->es_len;
    extents_.erase(it);
  }
  return delayed;
}

uint32_t ExtentStatusTree::Remove(Lblk lblk, uint32_t len) {
  const Lblk end = len > UINT32_MAX - lblk ? UINT32_MAX : lblk + len;
  uint32_t delayed = 0;
  auto first = std::upper_bound(extents_.begin(), extents_.end(), lblk,
                                [](Lblk l, const ExtentStatus& es) { return l < es.end(); });
  auto last = first;
  std::vector<ExtentStatus> kept;  // at most what sticks out on the left and on the right
  for (; last != extents_.end() && last->es_lblk < end; ++last) {
    if (last->status == EsStatus::kDelayed) delayed += Clip(*last, lblk, end).es_len;
    if (last->es_lblk < lblk) kept.push_back(Clip(*last, 0, lblk));
    if (last->end() > end) kept.push_back(Clip(*last, end, UINT32_MAX));
  }
  first = extents_.erase(first, last);
  extents_.insert(first, kept.begin(), kept.end());
  return delayed;
}

uint32_t ExtentStatusTree::DelayedBlocks() const {
  uint32_t blocks = 0;
  for (const ExtentStatus& es : extents_) {
    if (es.status == EsStatus::kDelayed) blocks += es.es_len;
  }
  return blocks;
}

Lblk ExtentStatusTree::NextAfter(Lblk lblk) const {
  const auto it = std::upper_bound(extents_.begin(), extents_.end(), lblk,
                                   [](Lblk l, const ExtentStatus& es) { return l < es.es_lblk; });
  return it != extents_.end() ? it->es_lblk : UINT32_MAX;
}

bool ExtentStatusTree::AnyDelayed(Lblk lblk, uint32_t len) const {
  return std::any_of(extents_.begin(), extents_.end(), [&](const ExtentStatus& es) {
    return es.status == EsStatus::kDelayed && es.es_lblk < lblk + len && lblk < es.end();
  });
}

std::optional<ExtentStatus> ext4_es_lookup_extent(Ext4Inode& inode, Lblk lblk, uint64_t* seq) {
  SIM_FRAME("ext4_es_lookup_extent");
  sim::SpinGuard guard(inode.i_es_lock);
  if (seq != nullptr) *seq = inode.i_es_seq.load();
  return inode.i_es_tree->Lookup(lblk);
}

uint32_t ext4_es_insert_extent(Ext4Inode& inode, const ExtentStatus& es,
                               bool delalloc_reserve_used) {
  SIM_FRAME("ext4_es_insert_extent");
  uint32_t delayed = 0;
  {
    sim::SpinGuard guard(inode.i_es_lock);
    inode.i_es_seq.store(inode.i_es_seq.load() + 1);
    delayed = inode.i_es_tree.update().Insert(es);
  }
  if (es.status == EsStatus::kDelayed || delayed == 0) return delayed;
  if (delalloc_reserve_used) {
    ext4_da_update_reserve_space(inode, delayed);
  } else {
    ext4_da_release_space(inode, delayed);
  }
  return delayed;
}

void ext4_es_remove_extent(Ext4Inode& inode, Lblk lblk, uint32_t len) {
  SIM_FRAME("ext4_es_remove_extent");
  uint32_t delayed = 0;
  {
    sim::SpinGuard guard(inode.i_es_lock);
    inode.i_es_seq.store(inode.i_es_seq.load() + 1);
    delayed = inode.i_es_tree.update().Remove(lblk, len);
  }
  if (delayed > 0) ext4_da_release_space(inode, delayed);
}

void ext4_es_cache_extent(Ext4Inode& inode, const ExtentStatus& es) {
  SIM_FRAME("ext4_es_cache_extent");
  sim::SpinGuard guard(inode.i_es_lock);
  if (inode.i_es_tree->Lookup(es.es_lblk).has_value()) return;
  inode.i_es_tree.update().Insert(Clip(es, es.es_lblk, inode.i_es_tree->NextAfter(es.es_lblk)));
}

}  // namespace model
