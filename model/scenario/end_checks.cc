#include "model/scenario/end_checks.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/crash/file_rules.h"

namespace scenario {
namespace {

using model::Ext4Inode;
using model::Ext4SbInfo;
using model::SectorContent;

void Report(Ext4SbInfo& sbi, const char* kind, const std::string& message) {
  sbi.world.Report({kind, message, ""});
}

// The extent that covers `lblk`, of the tree on disk as it is in memory.
std::optional<model::Extent> FindExtent(Ext4SbInfo& sbi, const model::ExtentNode& node,
                                        model::Lblk lblk) {
  for (const model::Extent& extent : node.extents) {
    if (extent.ee_block <= lblk && lblk < extent.end()) return extent;
  }
  for (auto index = node.indexes.rbegin(); index != node.indexes.rend(); ++index) {
    if (index->ei_block > lblk) continue;
    const model::BufferHead& bh = sbi.buffers.sb_getblk(index->ei_leaf);
    if (bh.uptodate) return FindExtent(sbi, std::get<model::ExtentNode>(bh.content), lblk);
    const model::ImageId image =
        model::ImageOf(sbi.device.current(sbi.geometry.first_sector(index->ei_leaf)));
    return FindExtent(sbi, std::get<model::ExtentNode>(sbi.buffers.images().Get(image)), lblk);
  }
  return std::nullopt;
}

bool SameBytes(const model::GranuleTable& granules, SectorContent a, SectorContent b,
               uint32_t begin, uint32_t end) {
  if (a == b) return true;
  const auto runs_a = granules.Runs(a), runs_b = granules.Runs(b);
  auto ra = runs_a.begin(), rb = runs_b.begin();
  for (uint32_t at = 0; at < end;) {
    const uint32_t stop = std::min(ra->end_byte, rb->end_byte);
    if (stop > begin && ra->content != rb->content) return false;
    if (ra->end_byte == stop) ++ra;
    if (rb->end_byte == stop) ++rb;
    at = stop;
  }
  return true;
}

// What was never of this place of the file, in the first `bytes` of a granule.
bool ShowsWhatIsNotItsOwn(Ext4Inode& inode, uint32_t granule, uint32_t bytes,
                          SectorContent content) {
  const model::History& history = inode.sbi.history;
  const model::History::File& file = *history.Find(inode.key());
  uint32_t begin = 0;
  for (const model::GranuleRun& run : history.granules().Runs(content)) {
    if (std::exchange(begin, run.end_byte) >= bytes) return false;
    if (model::JudgeSource(history, file, granule, run.content).has_value()) return true;
  }
  return false;
}

// [begin, end) of a granule.
bool IsAsWritten(Ext4Inode& inode, uint64_t begin, uint64_t end, SectorContent content) {
  const model::History& history = inode.sbi.history;
  const auto granule = static_cast<uint32_t>(begin / model::kGranuleBytes);
  const uint64_t start = uint64_t{granule} * model::kGranuleBytes;
  const auto bytes = static_cast<uint32_t>(end - start);
  if (history.Find(inode.key())->Contested(begin, end)) {
    return !ShowsWhatIsNotItsOwn(inode, granule, bytes, content);
  }
  return SameBytes(inode.sbi.granules, content, history.ReferenceContent(inode.key(), granule),
                   static_cast<uint32_t>(begin - start), bytes);
}

void CheckReservations(Ext4Inode& inode) {
  const uint32_t delayed = inode.i_es_tree->DelayedBlocks();
  if (delayed != inode.i_reserved_data_blocks) {
    Report(inode.sbi, "reservation",
           absl::StrCat("blocks reserved for ", inode.name, " are not those that are delayed"));
  }
  if (!inode.buffered_iomap) return;  // a short write keeps its reservation there
  const uint32_t bs = inode.sbi.block_bytes();
  for (const model::ExtentStatus& es : inode.i_es_tree->extents()) {
    if (es.status != model::EsStatus::kDelayed) continue;
    for (model::Lblk lblk = es.es_lblk; lblk < es.end(); ++lblk) {
      const uint64_t pos = uint64_t{lblk} * bs;
      const uint32_t folio_bytes = inode.i_mapping.folio_bytes();
      const auto it = inode.i_mapping.folios().find(pos / folio_bytes);
      if (it != inode.i_mapping.folios().end() &&
          it->second->blocks.peek()[pos % folio_bytes / bs].dirty) {
        continue;
      }
      Report(inode.sbi, "reservation",
             absl::StrCat("delayed block without dirty data in ", inode.name));
      return;
    }
  }
}

// Zeros over a hole are what a read gives there anyway: iomap_zero_range() makes a block dirty that
// is none, beside dirty ones of its folio.
bool HasData(const model::Folio& folio, size_t block, uint32_t block_bytes) {
  const uint32_t granules = block_bytes / model::kGranuleBytes;
  const auto begin = folio.granules.begin() + static_cast<std::ptrdiff_t>(block * granules);
  return std::any_of(begin, begin + granules,
                     [](SectorContent content) { return content != model::kZeroContent; });
}

void CheckDirtyIsMapped(Ext4Inode& inode) {
  const uint32_t bs = inode.sbi.block_bytes();
  for (const auto& [index, folio] : inode.i_mapping.folios()) {
    for (size_t b = 0; b < folio->block_count(); ++b) {
      const uint64_t pos = folio->pos() + b * bs;
      if (!folio->blocks.peek()[b].dirty || pos >= inode.i_size.peek()) continue;
      const auto es = inode.i_es_tree->Lookup(static_cast<model::Lblk>(pos / bs));
      if (es.has_value() && es->status != model::EsStatus::kHole) continue;
      const auto lblk = static_cast<model::Lblk>(pos / bs);
      if (!es.has_value() && FindExtent(inode.sbi, inode.i_data.peek(), lblk).has_value()) continue;
      if (!HasData(*folio, b, bs)) continue;
      Report(inode.sbi, "lost_data", absl::StrCat("dirty data of ", inode.name, " over a hole"));
      return;
    }
  }
}

}  // namespace

SectorContent ReadGranule(Ext4Inode& inode, uint32_t granule) {
  Ext4SbInfo& sbi = inode.sbi;
  const uint32_t bs = sbi.block_bytes();
  const uint64_t pos = uint64_t{granule} * model::kGranuleBytes;
  const uint32_t folio_bytes = inode.i_mapping.folio_bytes();
  const auto& folios = inode.i_mapping.folios();
  if (const auto it = folios.find(pos / folio_bytes); it != folios.end()) {
    const model::Folio& folio = *it->second;
    if (folio.blocks.peek()[pos % folio_bytes / bs].uptodate) {
      return folio.granules[pos % folio_bytes / model::kGranuleBytes];
    }
  }
  const auto lblk = static_cast<model::Lblk>(pos / bs);
  const auto extent = FindExtent(sbi, inode.i_data.peek(), lblk);
  if (!extent.has_value() || extent->unwritten) return model::kZeroContent;
  const model::Pblk pblk = extent->ee_start + (lblk - extent->ee_block);
  return sbi.device.current(sbi.geometry.first_sector(pblk) + pos % bs / model::kGranuleBytes);
}

void CheckContents(Ext4Inode& inode, uint64_t begin, uint64_t end) {
  Ext4SbInfo& sbi = inode.sbi;
  if (inode.inline_data) return;
  for (uint64_t pos = begin; pos < end;) {
    const auto granule = static_cast<uint32_t>(pos / model::kGranuleBytes);
    const uint64_t start = uint64_t{granule} * model::kGranuleBytes;
    const uint64_t stop = std::min(end, start + model::kGranuleBytes);
    if (!IsAsWritten(inode, pos, stop, ReadGranule(inode, granule))) {
      Report(sbi, "wrong_read", absl::StrCat(inode.name, " reads other bytes than were written"));
      return;
    }
    pos = stop;
  }
}

bool CheckGranule(Ext4Inode& inode, uint64_t pos, uint32_t bytes, SectorContent content,
                  bool settled) {
  const auto granule = static_cast<uint32_t>(pos / model::kGranuleBytes);
  const char* wrong = nullptr;
  if (ShowsWhatIsNotItsOwn(inode, granule, bytes, content)) {
    wrong = " directly reads what was never written there";
  } else if (settled && !IsAsWritten(inode, pos, pos + bytes, content)) {
    wrong = " directly reads other bytes than were written";
  }
  if (wrong != nullptr) Report(inode.sbi, "wrong_read", absl::StrCat(inode.name, wrong));
  return wrong == nullptr;
}

void CheckAtEnd(Ext4SbInfo& sbi) {
  if (sbi.ext4_emergency_state() != model::Errno::kOk || !sbi.device.config().faults.empty())
    return;
  int64_t reserved = 0;
  for (const auto& [ino, inode] : sbi.inodes) {
    if (inode->type != model::FileType::kRegular || inode->i_nlink == 0) continue;
    reserved += inode->i_reserved_data_blocks;
    CheckReservations(*inode);
    CheckDirtyIsMapped(*inode);
    if (inode->i_disksize.peek() > inode->i_size.peek()) {
      Report(sbi, "invariant", absl::StrCat("i_disksize of ", inode->name, " is beyond i_size"));
    }
    const uint64_t size = sbi.history.ReferenceSize(inode->key());
    if (size != inode->i_size.peek()) {
      Report(sbi, "wrong_read", absl::StrCat(inode->name, " has another size than was written"));
    }
    CheckContents(*inode, 0, size);
  }
  if (reserved != sbi.s_dirtyclusters_counter) {
    Report(sbi, "reservation", "s_dirtyclusters_counter is not what the inodes have reserved");
  }
}

}  // namespace scenario
