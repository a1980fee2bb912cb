#include "tests/crash/tiny_oracle.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "model/ondisk/render.h"
#include "sim/check.h"

namespace model {
namespace {

// TinyFs's tests use multiples of this, so one byte speaks for as many.
constexpr uint64_t kStep = 64;

}  // namespace

void TinyOracle::Judge(const DiskState& disk, Tid recovered, FamilyVerdict& verdict) {
  verdict_ = &verdict;
  JudgeMetadata(disk, recovered);
  JudgeFiles(disk, recovered);
}

// --- Metadata ------------------------------------------------------------------------------------

const DiskInode* TinyOracle::InodeAt(const TinyFs::MetadataBlocks& metadata, Ino ino) const {
  const auto& block = std::get<InodeTableBlock>(metadata.at(fs_.geometry().inode_table_block(ino)));
  return &block.inodes[fs_.geometry().inode_slot(ino)];
}

// Different images with the same bytes cannot be told apart, sector by sector.
bool TinyOracle::LooksLike(SectorContent is, Pblk pblk, uint32_t i,
                           const BlockContent& content) const {
  if (KindOf(is) != ContentKind::kImage) return false;
  const BlockContent& found = fs_.images().Get(ImageOf(is));
  if (ImageSectorOf(is) == i && found == content) return true;
  ImageStore both;
  const ImageId one = both.Add(found, fs_.images().PblkOf(ImageOf(is)));
  const ImageId other = both.Add(content, pblk);
  return !IsJournalBlock(found) &&
         SameBytes(fs_.geometry(), both, ImageContent(one, ImageSectorOf(is)),
                   ImageContent(other, i));
}

// Every block of the state's metadata holds what the state has.
void TinyOracle::JudgeMetadata(const DiskState& disk, Tid recovered) {
  const Geometry& geometry = fs_.geometry();
  for (const auto& [pblk, content] : fs_.committed(recovered)) {
    for (uint32_t i = 0; i < geometry.sectors_per_block(); ++i) {
      const SectorContent is = disk[geometry.first_sector(pblk) + i];
      if (!LooksLike(is, pblk, i, content)) verdict_->Add(absl::StrCat("home ", pblk));
    }
  }
}

// --- Files ---------------------------------------------------------------------------------------

void TinyOracle::JudgeFiles(const DiskState& disk, Tid recovered) {
  const TinyFs::MetadataBlocks& metadata = fs_.committed(recovered);
  std::set<FileKey> there;
  const auto& root = std::get<DirectoryBlock>(metadata.at(fs_.geometry().root_directory()));
  for (const auto& [name, ino] : root.entries) {
    const FileKey key{ino, InodeAt(metadata, ino)->i_generation};
    there.insert(key);
    JudgeFile(disk, recovered, name, key);
  }
  for (const auto& [key, file] : fs_.history().files()) {
    bool promised = false;
    for (const TinyEvent& event : fs_.events()) {
      if (event.file != key) continue;
      if (event.kind == TinyEvent::Kind::kSyncOk) promised = true;
      if (event.kind == TinyEvent::Kind::kUnlinked) promised = false;
    }
    if (promised && !there.contains(key)) verdict_->Add(absl::StrCat("lost_data ", file.name));
  }
}

void TinyOracle::JudgeFile(const DiskState& disk, Tid recovered, const std::string& name,
                           FileKey key) {
  const Geometry& geometry = fs_.geometry();
  const TinyFs::MetadataBlocks& metadata = fs_.committed(recovered);
  const DiskInode& inode = *InodeAt(metadata, key.ino);
  std::vector<Extent> extents = inode.i_block.extents;
  for (const ExtentIndex& index : inode.i_block.indexes) {
    extents = std::get<ExtentNode>(metadata.at(index.ei_leaf)).extents;
  }
  for (uint64_t pos = 0; pos < inode.i_size_bytes; pos += kStep) {
    const auto lblk = static_cast<Lblk>(pos / geometry.block_bytes);
    SectorContent content = kZeroContent;
    for (const Extent& extent : extents) {
      if (extent.unwritten || lblk < extent.ee_block || lblk >= extent.end()) continue;
      const Pblk pblk = extent.ee_start + (lblk - extent.ee_block);
      content = disk[geometry.first_sector(pblk) + pos % geometry.block_bytes / kSectorBytes];
    }
    const std::string& wrong = JudgeByte(key, recovered, inode.i_size_bytes, pos, content);
    if (!wrong.empty()) verdict_->Add(absl::StrCat(wrong, " ", name));
  }
  // The size that each successful sync promises.
  for (size_t s = 0; s < fs_.events().size(); ++s) {
    const TinyEvent& begin = fs_.events()[s];
    if (begin.kind != TinyEvent::Kind::kSyncBegin || begin.file != key) continue;
    bool ok = false;
    uint64_t size = SizeBefore(key, s);
    for (size_t i = s; i < fs_.events().size(); ++i) {
      const TinyEvent& event = fs_.events()[i];
      if (event.file != key) continue;
      ok |= event.kind == TinyEvent::Kind::kSyncOk && event.sync == begin.sync;
      if (event.kind == TinyEvent::Kind::kTruncated) size = std::min(size, event.pos);
      if (event.kind == TinyEvent::Kind::kUnlinked) size = 0;
    }
    if (ok && inode.i_size_bytes < size) verdict_->Add(absl::StrCat("lost_data ", name));
  }
}

const std::string& TinyOracle::JudgeByte(FileKey key, Tid recovered, uint64_t size, uint64_t pos,
                                         SectorContent content) {
  const auto [it, is_new] = judged_.try_emplace({key, recovered, pos, content});
  if (is_new) it->second = JudgeByteSlowly(key, recovered, size, pos, content);
  return it->second;
}

bool TinyOracle::Removes(const TinyEvent& event, FileKey key, uint64_t pos) const {
  if (event.file != key) return false;
  return event.kind == TinyEvent::Kind::kTruncated && event.pos <= pos;
}

std::string TinyOracle::JudgeByteSlowly(FileKey key, Tid recovered, uint64_t size, uint64_t pos,
                                        SectorContent content) const {
  for (const GranuleRun& run : fs_.history().granules().Runs(content)) {
    if (run.end_byte <= pos % kSectorBytes) continue;
    content = run.content;
    break;
  }
  const std::vector<TinyEvent>& events = fs_.events();
  if (content == kZeroContent) {
    const uint32_t bs = fs_.geometry().block_bytes;
    const bool explained = fs_.contract().zero_tail_allowed || pos / bs < (size - 1) / bs ||
                           OnceZero(key, pos) ||
                           std::any_of(events.begin(), events.end(), [&](const TinyEvent& event) {
                             if (event.file != key || event.kind != TinyEvent::Kind::kTruncated)
                               return false;
                             return event.tid > recovered ? event.pos <= pos : event.pos == size;
                           });
    return explained ? JudgePromise(key, pos, content) : "lost_data";
  }
  if (KindOf(content) != ContentKind::kData || GranuleIndexOf(content) != pos / kSectorBytes) {
    return "stale_data";
  }
  bool written = false;
  for (const TinyEvent& event : events) {
    if (event.kind == TinyEvent::Kind::kCopied && event.write == WriteOf(content)) {
      if (event.file != key) return "stale_data";
      written = pos >= event.pos && pos < event.pos + event.len;
    }
    if (written && Removes(event, key, pos) && event.tid <= recovered) return "stale_data";
  }
  return written ? JudgePromise(key, pos, content) : "stale_data";
}

// Against every sync that succeeded, not only the last.
std::string TinyOracle::JudgePromise(FileKey key, uint64_t pos, SectorContent content) const {
  const std::vector<TinyEvent>& events = fs_.events();
  for (size_t s = 0; s < events.size(); ++s) {
    if (events[s].kind != TinyEvent::Kind::kSyncBegin || events[s].file != key) continue;
    const bool ok = std::any_of(events.begin(), events.end(), [&](const TinyEvent& event) {
      return event.kind == TinyEvent::Kind::kSyncOk && event.sync == events[s].sync;
    });
    if (!ok || SizeBefore(key, s) <= pos) continue;
    const WriteId held = ByteBefore(key, pos, s);
    if (content == kZeroContent) {
      const bool removed = std::any_of(
          events.begin() + static_cast<ptrdiff_t>(s), events.end(), [&](const TinyEvent& event) {
            return Removes(event, key, pos) ||
                   (event.kind == TinyEvent::Kind::kUnlinked && event.file == key);
          });
      if (held != 0 && !removed) return "lost_data";
      continue;
    }
    if (WriteOf(content) == held) continue;
    // Else it must be a later write's: not among the events before the sync.
    for (size_t i = 0; i < s; ++i) {
      if (events[i].kind == TinyEvent::Kind::kCopied && events[i].write == WriteOf(content)) {
        return "lost_data";
      }
    }
  }
  return "";
}

bool TinyOracle::OnceZero(FileKey key, uint64_t pos) const {
  for (size_t end = 0; end <= fs_.events().size(); ++end) {
    if (SizeBefore(key, end) > pos && ByteBefore(key, pos, end) == 0) return true;
  }
  return false;
}

WriteId TinyOracle::ByteBefore(FileKey key, uint64_t pos, size_t end) const {
  WriteId write = 0;
  for (size_t i = 0; i < end; ++i) {
    const TinyEvent& event = fs_.events()[i];
    if (event.file != key) continue;
    if (event.kind == TinyEvent::Kind::kCopied && pos >= event.pos && pos < event.pos + event.len) {
      write = event.write;
    }
    if (Removes(event, key, pos)) write = 0;
  }
  return write;
}

uint64_t TinyOracle::SizeBefore(FileKey key, size_t end) const {
  uint64_t size = 0;
  for (size_t i = 0; i < end; ++i) {
    const TinyEvent& event = fs_.events()[i];
    if (event.file != key) continue;
    if (event.kind == TinyEvent::Kind::kCopied) size = std::max(size, event.pos + event.len);
    if (event.kind == TinyEvent::Kind::kTruncated) size = event.pos;
  }
  return size;
}

}  // namespace model
