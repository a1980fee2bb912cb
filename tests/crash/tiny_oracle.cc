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
  JudgeNames(recovered);
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
  const DiskLayout layout{.geometry = fs_.geometry()};
  const DiskBytes one = RenderBlock(layout, fs_.images(), ImageOf(is));
  const DiskBytes other = RenderBlock(layout, both, both.Add(content, pblk));
  return std::equal(one.begin() + ImageSectorOf(is) * kSectorBytes,
                    one.begin() + (ImageSectorOf(is) + 1) * kSectorBytes,
                    other.begin() + i * kSectorBytes);
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
    JudgeFile(disk, recovered, key);
  }
  for (const auto& [key, file] : fs_.history().files()) {
    bool promised = false, unlinked = false, has_later_name = false;
    Tid named = 0;
    for (size_t s = 0; s < fs_.events().size(); ++s) {
      const TinyEvent& event = fs_.events()[s];
      if (event.file != key) continue;
      if (event.kind == TinyEvent::Kind::kRenamed) named = event.tid;
      if (event.kind == TinyEvent::Kind::kUnlinked) unlinked = event.tid <= recovered;
      if (event.kind != TinyEvent::Kind::kSyncBegin || !Promises(s, key, recovered)) continue;
      promised = true;
      has_later_name |= named > recovered;
    }
    const bool is_lost = !there.contains(key) || has_later_name;
    if (promised && !unlinked && is_lost) verdict_->Add(absl::StrCat("lost_data ", file.name));
  }
}

// Each name leads where the operations of the recovered transactions have left it.
void TinyOracle::JudgeNames(Tid recovered) {
  std::map<std::string, Ino> wanted;
  const auto forget = [&](FileKey key) {
    std::erase_if(wanted, [&](const auto& name) { return name.second == key.ino; });
  };
  for (const TinyEvent& event : fs_.events()) {
    if (event.tid > recovered) continue;
    if (event.kind == TinyEvent::Kind::kUnlinked) forget(event.file);
    if (event.kind == TinyEvent::Kind::kRenamed) forget(event.file);
    if (!event.name.empty()) wanted[event.name] = event.file.ino;
  }
  const auto& root =
      std::get<DirectoryBlock>(fs_.committed(recovered).at(fs_.geometry().root_directory()));
  if (!std::equal(root.entries.begin(), root.entries.end(), wanted.begin(), wanted.end())) {
    verdict_->Add("names");
  }
}

bool TinyOracle::Promises(size_t s, FileKey key, Tid recovered) const {
  const TinyEvent& promise = fs_.events()[s];
  if (promise.file != key) return false;
  if (promise.kind == TinyEvent::Kind::kRenamed) {
    return promise.replaces && promise.tid <= recovered;
  }
  return promise.kind == TinyEvent::Kind::kSyncBegin &&
         std::any_of(fs_.events().begin(), fs_.events().end(), [&](const TinyEvent& event) {
           return event.kind == TinyEvent::Kind::kSyncOk && event.sync == promise.sync;
         });
}

const std::string& TinyOracle::FirstName(FileKey key) const {
  return fs_.history().Find(key)->name;
}

void TinyOracle::JudgeFile(const DiskState& disk, Tid recovered, FileKey key) {
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
    if (!wrong.empty()) verdict_->Add(absl::StrCat(wrong, " ", FirstName(key)));
  }
  // The size that each promise covers.
  for (size_t s = 0; s < fs_.events().size(); ++s) {
    if (!Promises(s, key, recovered)) continue;
    uint64_t size = SizeBefore(key, s);
    for (size_t i = s; i < fs_.events().size(); ++i) {
      const TinyEvent& event = fs_.events()[i];
      if (event.file != key) continue;
      if (event.kind == TinyEvent::Kind::kTruncated) size = std::min(size, event.pos);
      if (event.kind == TinyEvent::Kind::kUnlinked && event.tid <= recovered) size = 0;
    }
    if (inode.i_size_bytes < size) verdict_->Add(absl::StrCat("lost_data ", FirstName(key)));
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
  if (event.kind == TinyEvent::Kind::kPunched) {
    return event.pos <= pos && pos < event.pos + event.len;
  }
  return event.kind == TinyEvent::Kind::kTruncated && event.pos <= pos;
}

bool TinyOracle::Unmaps(const TinyEvent& event, FileKey key, uint64_t pos) const {
  if (!Removes(event, key, pos) || event.kind != TinyEvent::Kind::kPunched) {
    return Removes(event, key, pos);
  }
  const uint64_t bs = fs_.geometry().block_bytes;
  return event.pos <= pos / bs * bs && pos / bs * bs + bs <= event.pos + event.len;
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
                             if (event.tid > recovered) return Removes(event, key, pos);
                             return event.file == key && event.pos == size &&
                                    event.kind == TinyEvent::Kind::kTruncated;
                           });
    return explained ? JudgePromises(key, recovered, pos, content) : "lost_data";
  }
  if (content == sim::kUnreadable) return "unreadable";
  if (KindOf(content) != ContentKind::kData || GranuleIndexOf(content) != pos / kSectorBytes) {
    return "stale_data";
  }
  bool written = false;
  for (const TinyEvent& event : events) {
    if (event.kind == TinyEvent::Kind::kCopied && event.write == WriteOf(content)) {
      if (event.file != key) return "stale_data";
      written = pos >= event.pos && pos < event.pos + event.len;
    }
    if (written && Unmaps(event, key, pos) && event.tid <= recovered) return "stale_data";
  }
  return written ? JudgePromises(key, recovered, pos, content) : "stale_data";
}

// Against all of them, not only the last sync's.
std::string TinyOracle::JudgePromises(FileKey key, Tid recovered, uint64_t pos,
                                      SectorContent content) const {
  for (size_t s = 0; s < fs_.events().size(); ++s) {
    if (!Promises(s, key, recovered)) continue;
    std::string wrong = JudgePromise(key, recovered, s, pos, content);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

std::string TinyOracle::JudgePromise(FileKey key, Tid recovered, size_t s, uint64_t pos,
                                     SectorContent content) const {
  const std::vector<TinyEvent>& events = fs_.events();
  if (SizeBefore(key, s) <= pos) return "";
  const WriteId held = ByteBefore(key, pos, s);
  if (content == kZeroContent) {
    const bool removed = std::any_of(
        events.begin() + static_cast<ptrdiff_t>(s), events.end(), [&](const TinyEvent& event) {
          return Removes(event, key, pos) || (event.kind == TinyEvent::Kind::kUnlinked &&
                                              event.file == key && event.tid <= recovered);
        });
    return held != 0 && !removed ? "lost_data" : "";
  }
  if (WriteOf(content) == held) return "";
  // Else it must be a later write's: not among the events before the promise.
  const bool is_older = std::any_of(
      events.begin(), events.begin() + static_cast<ptrdiff_t>(s), [&](const TinyEvent& event) {
        return event.kind == TinyEvent::Kind::kCopied && event.write == WriteOf(content);
      });
  return is_older ? "lost_data" : "";
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
