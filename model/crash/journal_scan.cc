#include "model/crash/journal_scan.h"

#include <algorithm>

#include "model/ondisk/render.h"

namespace model {

uint32_t SectorsThatTell(const Geometry& geometry, const BlockContent& content) {
  if (std::holds_alternative<JournalSuperblock>(content)) return 1;
  if (geometry.journal_checksum != JournalChecksum::kNone) return geometry.sectors_per_block();
  const auto sectors = [](size_t bytes) {
    return static_cast<uint32_t>((bytes + kSectorBytes - 1) / kSectorBytes);
  };
  if (std::holds_alternative<JournalCommit>(content)) return 1;
  if (const auto* descriptor = std::get_if<JournalDescriptor>(&content)) {
    return sectors(12 + 16 + descriptor->tags.size() * JournalTagBytes(JournalChecksum::kNone));
  }
  if (const auto* revoke = std::get_if<JournalRevoke>(&content)) {
    return sectors(16 + revoke->blocks.size() * 8);
  }
  return geometry.sectors_per_block();
}

Presence PresenceOf(const DiskView& disk, const Geometry& geometry, const ImageStore& images,
                    Pblk pblk, ImageId image) {
  const uint32_t sectors = SectorsThatTell(geometry, images.Get(image));
  const uint64_t first = geometry.first_sector(pblk);
  Presence presence = Presence::kCertain;
  for (uint32_t i = 0; i < sectors; ++i) {
    const Possible contents = disk.At(first + i);
    const SectorContent wanted = ImageContent(image, i);
    if (!absl::c_linear_search(contents, wanted) &&
        absl::c_none_of(contents, [&](SectorContent content) {
          return SameBytes(geometry, images, content, wanted);
        })) {
      return Presence::kImpossible;
    }
    if (contents.size() > 1) presence = Presence::kPossible;
  }
  return presence;
}

bool IsUnreadable(const DiskView& disk, const Geometry& geometry, Pblk pblk) {
  for (uint32_t i = 0; i < geometry.sectors_per_block(); ++i) {
    if (disk.At(geometry.first_sector(pblk) + i).front() == sim::kUnreadable) return true;
  }
  return false;
}

Tid SequenceOf(const BlockContent& content) {
  if (const auto* descriptor = std::get_if<JournalDescriptor>(&content)) {
    return descriptor->h_sequence;
  }
  if (const auto* revoke = std::get_if<JournalRevoke>(&content)) return revoke->h_sequence;
  if (const auto* commit = std::get_if<JournalCommit>(&content)) return commit->h_sequence;
  return 0;
}

namespace {

// PASS_SCAN from one of the possible journal superblocks.
class LogScanner {
 public:
  LogScanner(const DiskView& disk, const Geometry& geometry, const ImageStore& images)
      : disk_(disk), geometry_(geometry), images_(images) {}

  void Scan(ImageId superblock, std::vector<Outcome>& outcomes) {
    const auto& sb = std::get<JournalSuperblock>(images_.Get(superblock));
    Outcome outcome{
        .superblock = superblock, .first = sb.s_sequence, .recovered = sb.s_sequence - 1};
    if (PresenceOf(disk_, geometry_, images_, geometry_.journal(), superblock) !=
        Presence::kCertain) {
      outcome.found.push_back({geometry_.journal(), superblock});
    }
    log_block_ = sb.s_start;
    blocks_left_ = geometry_.journal_blocks - 1;
    while (sb.s_start != 0) {
      const Found found = ScanTransaction(outcome.recovered + 1);
      if (found == Found::kNothing) break;
      if (!uncertain_.empty()) {
        outcomes.push_back(outcome);
        outcomes.back().missing = uncertain_.back();
      }
      if (found == Found::kUnreadable) {
        Append(outcome.found, uncertain_);
        outcome.fails_at = unreadable_;
        break;
      }
      ++outcome.recovered;
      Append(outcome.found, uncertain_);
      Append(outcome.copies, copies_);
      Append(outcome.revokes, revokes_);
    }
    outcomes.push_back(std::move(outcome));
  }

 private:
  template <class T>
  static void Append(std::vector<T>& to, const std::vector<T>& from) {
    to.insert(to.end(), from.begin(), from.end());
  }

  enum class Found : uint8_t {
    kNothing,     // it is not complete
    kComplete,    // it may be; log_block_ is behind it
    kUnreadable,  // a block before its end cannot be read: unreadable_
  };

  // Transaction `tid` at log_block_.
  Found ScanTransaction(Tid tid) {
    uncertain_.clear();
    copies_.clear();
    revokes_.clear();
    for (;;) {
      const Pblk pblk = TakeBlock();
      if (pblk == 0) return Found::kNothing;
      const ImageId image = FindImage(disk_, geometry_, images_, pblk, [&](const auto& content) {
        return SequenceOf(content) == tid;
      });
      const Presence presence =
          image == 0 ? Presence::kImpossible : PresenceOf(disk_, geometry_, images_, pblk, image);
      if (presence == Presence::kImpossible || IsUnreadable(disk_, geometry_, pblk)) {
        return FoundAnythingElse(pblk);
      }
      if (presence == Presence::kPossible) uncertain_.push_back({pblk, image});
      const BlockContent& content = images_.Get(image);
      if (std::holds_alternative<JournalCommit>(content)) return Found::kComplete;
      if (const auto* revoke = std::get_if<JournalRevoke>(&content)) {
        for (const Pblk blocknr : revoke->blocks) revokes_.push_back({tid, blocknr});
      } else if (!TakeCopies(tid, std::get<JournalDescriptor>(content))) {
        return Found::kNothing;
      }
    }
  }

  // In a block that is not what the sequence wants, as one that cannot be read never is.
  Found FoundAnythingElse(Pblk pblk) {
    if (!IsUnreadable(disk_, geometry_, pblk)) return Found::kNothing;
    unreadable_ = pblk;
    return Found::kUnreadable;
  }

  bool TakeCopies(Tid tid, const JournalDescriptor& descriptor) {
    for (const JournalTag& tag : descriptor.tags) {
      const Pblk pblk = TakeBlock();
      if (pblk == 0) return false;
      copies_.push_back({tid, tag.blocknr, tag.checksum, pblk});
    }
    return true;
  }

  // The next block of the log, on the device; 0 once all of it was read.
  Pblk TakeBlock() {
    if (blocks_left_ == 0) return 0;
    --blocks_left_;
    const Pblk pblk = geometry_.journal() + log_block_;
    if (++log_block_ == geometry_.journal_blocks) log_block_ = 1;
    return pblk;
  }

  const DiskView& disk_;
  const Geometry& geometry_;
  const ImageStore& images_;
  uint32_t log_block_ = 0;
  uint32_t blocks_left_ = 0;
  Pblk unreadable_ = 0;
  // Of the transaction being scanned.
  std::vector<LogBlock> uncertain_;
  std::vector<LogCopy> copies_;
  std::vector<LogRevoke> revokes_;
};

}  // namespace

bool IsJournalSuperblock(const ImageStore& images, SectorContent first) {
  return KindOf(first) == ContentKind::kImage &&
         std::holds_alternative<JournalSuperblock>(images.Get(ImageOf(first)));
}

std::vector<Outcome> ScanJournal(const DiskView& disk, const Geometry& geometry,
                                 const ImageStore& images) {
  if (IsUnreadable(disk, geometry, geometry.journal())) return {{.fails_at = geometry.journal()}};
  Possible superblocks = disk.At(geometry.first_sector(geometry.journal()));
  std::sort(superblocks.begin(), superblocks.end());
  LogScanner scanner(disk, geometry, images);
  std::vector<Outcome> outcomes;
  if (!absl::c_all_of(superblocks, [&](SectorContent content) {
        return IsJournalSuperblock(images, content);
      })) {
    outcomes.push_back({.fails_at = geometry.journal()});
  }
  for (const SectorContent superblock : superblocks) {
    if (IsJournalSuperblock(images, superblock)) scanner.Scan(ImageOf(superblock), outcomes);
  }
  return outcomes;
}

ReplayMap::ReplayMap(const Geometry& geometry, const Outcome& outcome) {
  std::vector<Tid> revoked(outcome.revokes.empty() ? 0 : geometry.end());
  for (const LogRevoke& revoke : outcome.revokes) revoked[revoke.blocknr] = revoke.tid;
  for (const LogCopy& copy : outcome.copies) {
    if (!revoked.empty() && revoked[copy.blocknr] >= copy.tid) continue;
    if (newest_.empty()) newest_.resize(geometry.end());
    copies_read_.push_back(copy);
    newest_[copy.blocknr] = copies_read_.size();
  }
}

Possible ReplayedContents(const DiskView& disk, const Geometry& geometry, const LogCopy& copy,
                          uint32_t index) {
  const Possible wanted = {ImageContent(copy.checksum, index)};
  if (geometry.journal_checksum != JournalChecksum::kNone) return wanted;
  Possible contents = disk.At(geometry.first_sector(copy.log_pblk) + index);
  return contents.front() == sim::kUnreadable ? wanted : contents;
}

}  // namespace model
