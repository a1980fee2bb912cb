#include "model/recorded/log_scan.h"

#include <ext2fs/ext2fs.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "boost/endian/conversion.hpp"
#include "model/ondisk/jbd2_format.h"

namespace model {
namespace {

using Checksum = LogSuperblock::Checksum;

constexpr uint32_t kSuperblockV1 = 3;
constexpr uint32_t kCompatChecksum = 0x1;
constexpr uint32_t kIncompatCsumV2 = 0x8;
constexpr size_t kChecksumAt = 252;     // s_checksum
constexpr size_t kCommitChecksum = 16;  // h_chksum[0]
constexpr size_t kUuidBytes = 16;
constexpr size_t kRevokeHeaderBytes = kJbd2HeaderBytes + 4;

uint32_t Get32(std::string_view bytes, size_t at) {
  return boost::endian::load_big_u32(reinterpret_cast<const uint8_t*>(bytes.data()) + at);
}
uint32_t Get16(std::string_view bytes, size_t at) {
  return boost::endian::load_big_u16(reinterpret_cast<const uint8_t*>(bytes.data()) + at);
}
uint32_t Crc32c(uint32_t seed, std::string_view bytes) {
  return ext2fs_crc32c_le(seed, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}
// With the checksum field itself taken as zero.
uint32_t Crc32cWithout(uint32_t seed, std::string_view bytes, size_t field) {
  constexpr char kZeros[4] = {};
  seed = Crc32c(seed, bytes.substr(0, field));
  seed = Crc32c(seed, std::string_view(kZeros, 4));
  return Crc32c(seed, bytes.substr(field + 4));
}

struct Tag {
  uint64_t home = 0;  // block
  uint32_t flags = 0;
  uint32_t checksum = 0;
};

// What a block of the log says.
struct LogBlock {
  enum class Kind : uint8_t { kOther, kDescriptor, kRevoke, kCommit };
  Kind kind = Kind::kOther;
  uint32_t sequence = 0;
  bool is_intact = true;  // its checksum
  std::vector<Tag> tags;
  std::vector<uint64_t> revoked;
};

class BlockParser {
 public:
  explicit BlockParser(const LogSuperblock& super) : super_(super) {}

  LogBlock Parse(std::string_view bytes) const {
    LogBlock block;
    if (Get32(bytes, 0) != kJbd2Magic) return block;
    block.sequence = Get32(bytes, 8);
    switch (static_cast<Jbd2BlockType>(Get32(bytes, 4))) {
      case Jbd2BlockType::kDescriptor:
        block.kind = LogBlock::Kind::kDescriptor;
        block.is_intact = HasTail(bytes);
        block.tags = Tags(bytes);
        break;
      case Jbd2BlockType::kRevoke:
        block.kind = LogBlock::Kind::kRevoke;
        block.is_intact = HasTail(bytes);
        block.revoked = Revoked(bytes);
        break;
      case Jbd2BlockType::kCommit:
        block.kind = LogBlock::Kind::kCommit;
        block.is_intact = !HasChecksums() || Get32(bytes, kCommitChecksum) ==
                                                 Crc32cWithout(super_.seed, bytes, kCommitChecksum);
        break;
      default:
        break;
    }
    return block;
  }

  bool HasChecksums() const { return super_.checksum != Checksum::kNone; }

  bool IsCopy(const Tag& tag, uint32_t sequence, std::string_view bytes) const {
    if (!HasChecksums()) return true;
    uint8_t be_sequence[4];
    boost::endian::store_big_u32(be_sequence, sequence);
    const uint32_t checksum =
        Crc32c(ext2fs_crc32c_le(super_.seed, be_sequence, sizeof(be_sequence)), bytes);
    return tag.checksum == (super_.checksum == Checksum::kV3 ? checksum : checksum & 0xffff);
  }

 private:
  size_t TailBytes() const { return HasChecksums() ? kJbd2TailBytes : 0; }

  bool HasTail(std::string_view bytes) const {
    const size_t tail = bytes.size() - kJbd2TailBytes;
    return !HasChecksums() || Get32(bytes, tail) == Crc32cWithout(super_.seed, bytes, tail);
  }

  // journal_block_tag3_t; journal_block_tag_t with or without t_blocknr_high, and with 2 bytes more
  // for checksum v2.
  size_t TagBytes() const {
    if (super_.checksum == Checksum::kV3) return 16;
    return (super_.has_64bit ? 12 : 8) + (super_.checksum == Checksum::kV2 ? 2 : 0);
  }

  std::vector<Tag> Tags(std::string_view bytes) const {
    std::vector<Tag> tags;
    const size_t end = bytes.size() - TailBytes();
    for (size_t at = kJbd2HeaderBytes; at + TagBytes() <= end;) {
      Tag tag = {.home = Get32(bytes, at)};
      if (super_.checksum == Checksum::kV3) {
        tag.flags = Get32(bytes, at + 4);
        tag.checksum = Get32(bytes, at + 12);
      } else {
        tag.checksum = Get16(bytes, at + 4);
        tag.flags = Get16(bytes, at + 6);
      }
      if (super_.has_64bit) tag.home |= uint64_t{Get32(bytes, at + 8)} << 32;
      at += TagBytes();
      if ((tag.flags & kJbd2FlagSameUuid) == 0) at += kUuidBytes;
      tags.push_back(tag);
      if ((tag.flags & kJbd2FlagLastTag) != 0) break;
    }
    return tags;
  }

  std::vector<uint64_t> Revoked(std::string_view bytes) const {
    std::vector<uint64_t> blocks;
    const size_t record = super_.has_64bit ? 8 : 4;
    const size_t end = std::min<size_t>(Get32(bytes, kJbd2HeaderBytes), bytes.size() - TailBytes());
    for (size_t at = kRevokeHeaderBytes; at + record <= end; at += record) {
      uint64_t block = Get32(bytes, at);
      if (super_.has_64bit) block = block << 32 | Get32(bytes, at + 4);
      blocks.push_back(block);
    }
    return blocks;
  }

  const LogSuperblock& super_;
};

struct Copy {
  uint32_t sequence = 0;
  Tag tag;
  uint32_t log_block = 0;
};

struct Revoke {
  uint32_t sequence = 0;
  uint64_t block = 0;
};

// A scan on its way.
struct Scan {
  LogOutcome outcome;
  uint32_t at = 0;       // the log block to read next
  uint32_t taken = 0;    // blocks read so far
  bool damaged = false;  // a block of this transaction has a wrong checksum
  std::vector<Copy> copies;
  std::vector<Revoke> revokes;
  size_t committed_copies = 0;
  size_t committed_revokes = 0;

  uint32_t sequence() const { return outcome.last + 1; }
};

class Scanner {
 public:
  Scanner(const UnitSets& sets, ContentTable& contents, const JournalPlace& place,
          const LogSuperblock& super, std::vector<LogOutcome>& outcomes)
      : sets_(sets),
        contents_(contents),
        place_(place),
        super_(super),
        parser_(super_),
        outcomes_(outcomes) {}

  absl::Status Run(std::vector<Pin> pins) {
    Scan scan;
    scan.outcome.first = super_.sequence;
    scan.outcome.last = super_.sequence - 1;
    scan.outcome.pins = std::move(pins);
    scan.at = super_.start;
    std::vector<Scan> open = {std::move(scan)};
    while (!open.empty()) {
      Scan next = std::move(open.back());
      open.pop_back();
      if (absl::Status status = Follow(std::move(next), open); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  uint32_t UnitsPerBlock() const { return place_.block_bytes / contents_.unit_bytes(); }
  uint64_t FirstUnit(uint32_t log_block) const {
    return place_.blocks[log_block] * UnitsPerBlock();
  }
  void Advance(Scan& scan, uint32_t blocks) const {
    scan.taken += blocks;
    const uint32_t log_blocks = super_.maxlen - super_.first;
    scan.at = super_.first + (scan.at - super_.first + blocks) % log_blocks;
  }
  absl::Status TooMany(const char* what, uint32_t log_block) const {
    return absl::ResourceExhaustedError(
        absl::StrCat(what, " ", log_block, " of the journal may hold more contents than ",
                     kMaxCombinations, ", which are too many to look at each"));
  }

  // To the end of the log; where a block may be one thing or another, the others are left in
  // `open`.
  absl::Status Follow(Scan scan, std::vector<Scan>& open) {
    while (super_.start != 0 && scan.taken < super_.maxlen - super_.first) {
      std::vector<std::pair<LogBlock, std::vector<Pin>>> possible;
      const bool counted =
          EachCombination(sets_, contents_, FirstUnit(scan.at), UnitsPerBlock(),
                          [&](const std::string& bytes, const std::vector<Pin>& pins) {
                            possible.emplace_back(parser_.Parse(bytes), pins);
                          });
      if (!counted) return TooMany("block", scan.at);
      for (size_t i = 1; i < possible.size(); ++i) {
        Scan other = scan;
        Append(possible[i].second, other.outcome.pins);
        if (Take(possible[i].first, other)) {
          open.push_back(std::move(other));
        } else if (absl::Status status = Finish(std::move(other)); !status.ok()) {
          return status;
        }
      }
      Append(possible[0].second, scan.outcome.pins);
      if (!Take(possible[0].first, scan)) break;
    }
    return Finish(std::move(scan));
  }

  static void Append(const std::vector<Pin>& from, std::vector<Pin>& to) {
    to.insert(to.end(), from.begin(), from.end());
  }

  // False: the log ends before this block.
  bool Take(const LogBlock& block, Scan& scan) const {
    if (block.sequence != scan.sequence()) return false;
    switch (block.kind) {
      case LogBlock::Kind::kOther:
        return false;
      case LogBlock::Kind::kDescriptor:
        for (size_t i = 0; i < block.tags.size(); ++i) {
          Scan behind;
          behind.at = scan.at;
          Advance(behind, static_cast<uint32_t>(i) + 1);
          scan.copies.push_back({scan.sequence(), block.tags[i], behind.at});
        }
        Advance(scan, static_cast<uint32_t>(block.tags.size()) + 1);
        break;
      case LogBlock::Kind::kRevoke:
        for (const uint64_t home : block.revoked) scan.revokes.push_back({scan.sequence(), home});
        Advance(scan, 1);
        break;
      case LogBlock::Kind::kCommit:
        if (!block.is_intact) return false;
        return TakeCommit(scan);
    }
    scan.damaged |= !block.is_intact;
    return true;
  }

  bool TakeCommit(Scan& scan) const {
    if (scan.damaged) {
      scan.outcome.failure =
          absl::StrCat("a descriptor or revoke block of transaction ", scan.sequence(),
                       ", which has a commit block, does not match its checksum");
      return false;
    }
    ++scan.outcome.last;
    scan.outcome.commit_unit = FirstUnit(scan.at);
    scan.committed_copies = scan.copies.size();
    scan.committed_revokes = scan.revokes.size();
    Advance(scan, 1);
    return true;
  }

  // PASS_REVOKE and PASS_REPLAY.
  absl::Status Finish(Scan scan) {
    std::map<uint64_t, uint32_t> revoked;
    for (size_t i = 0; i < scan.committed_revokes; ++i) {
      revoked[scan.revokes[i].block] = scan.revokes[i].sequence;
    }
    LogOutcome& outcome = scan.outcome;
    for (size_t i = 0; i < scan.committed_copies && outcome.failure.empty(); ++i) {
      const Copy& copy = scan.copies[i];
      const auto revoke = revoked.find(copy.tag.home);
      // tid_geq(): sequence numbers wrap around
      if (revoke != revoked.end() && static_cast<int32_t>(revoke->second - copy.sequence) >= 0) {
        continue;
      }
      if (absl::Status status = ReplayCopy(copy, outcome); !status.ok()) return status;
    }
    outcomes_.push_back(std::move(outcome));
    return absl::OkStatus();
  }

  // Where the copy may be wrong and right, recovery that fails becomes an outcome of its own.
  absl::Status ReplayCopy(const Copy& copy, LogOutcome& outcome) {
    if (copy.tag.home >= place_.device_blocks) {
      outcome.failure = absl::StrCat("transaction ", copy.sequence, " has a copy of block ",
                                     copy.tag.home, ", which is not in the file system");
      outcome.replayed.clear();
      return absl::OkStatus();
    }
    std::vector<ReplayedUnit> home(UnitsPerBlock());
    std::optional<std::vector<Pin>> wrong, right;
    const bool counted =
        EachCombination(sets_, contents_, FirstUnit(copy.log_block), UnitsPerBlock(),
                        [&](const std::string& bytes, const std::vector<Pin>& pins) {
                          if (!parser_.IsCopy(copy.tag, copy.sequence, bytes)) {
                            wrong = pins;
                            return;
                          }
                          if (!right) right = pins;
                          WriteHome(copy, bytes, home);
                        });
    if (!counted) return TooMany("copy", copy.log_block);
    if (wrong) {
      LogOutcome failed = outcome;
      Append(*wrong, failed.pins);
      failed.failure = absl::StrCat("the log's copy of block ", copy.tag.home, " in transaction ",
                                    copy.sequence, " does not match its checksum");
      failed.replayed.clear();
      if (!right) {
        outcome = std::move(failed);
        return absl::OkStatus();
      }
      outcomes_.push_back(std::move(failed));
      Append(*right, outcome.pins);
    }
    for (uint32_t i = 0; i < UnitsPerBlock(); ++i) {
      std::reverse(home[i].contents.begin(), home[i].contents.end());
      std::reverse(home[i].log_contents.begin(), home[i].log_contents.end());
      outcome.replayed[copy.tag.home * UnitsPerBlock() + i] = std::move(home[i]);
    }
    return absl::OkStatus();
  }

  void WriteHome(const Copy& copy, const std::string& log_bytes, std::vector<ReplayedUnit>& home) {
    std::string bytes = log_bytes;
    if ((copy.tag.flags & kJbd2FlagEscape) != 0) {
      boost::endian::store_big_u32(reinterpret_cast<uint8_t*>(bytes.data()), kJbd2Magic);
    }
    const auto part = [&](std::string_view of, uint32_t i) {
      return contents_.Intern(of.substr(i * contents_.unit_bytes(), contents_.unit_bytes()));
    };
    for (uint32_t i = 0; i < UnitsPerBlock(); ++i) {
      ReplayedUnit& unit = home[i];
      unit.log_unit = FirstUnit(copy.log_block) + i;
      const ContentId content = part(bytes, i);
      if (absl::c_linear_search(unit.contents, content)) continue;
      unit.contents.push_back(content);
      unit.log_contents.push_back(part(log_bytes, i));
    }
  }

  const UnitSets& sets_;
  ContentTable& contents_;
  const JournalPlace& place_;
  const LogSuperblock super_;
  const BlockParser parser_;
  std::vector<LogOutcome>& outcomes_;
};

}  // namespace

absl::StatusOr<LogSuperblock> ParseLogSuperblock(std::string_view bytes) {
  const auto bad = [](const auto&... text) {
    return absl::InvalidArgumentError(absl::StrCat("journal superblock: ", text...));
  };
  if (bytes.size() < kJbd2SuperblockBytes || Get32(bytes, 0) != kJbd2Magic) {
    return bad("has no magic number");
  }
  const uint32_t type = Get32(bytes, 4);
  const bool is_v2 = type == static_cast<uint32_t>(Jbd2BlockType::kSuperblockV2);
  if (!is_v2 && type != kSuperblockV1) return bad("is of unknown type ", type);
  LogSuperblock super = {.block_bytes = Get32(bytes, 12),
                         .maxlen = Get32(bytes, 16),
                         .first = Get32(bytes, 20),
                         .sequence = Get32(bytes, 24),
                         .start = Get32(bytes, 28)};
  if (super.first == 0 || super.first >= super.maxlen || super.start >= super.maxlen ||
      (super.start != 0 && super.start < super.first)) {
    return bad("says that of ", super.maxlen, " blocks the log has those from ", super.first,
               " on and starts at ", super.start);
  }
  if (!is_v2) return super;
  const uint32_t incompat = Get32(bytes, 40);
  const uint32_t known =
      kJbd2IncompatRevoke | kJbd2Incompat64bit | kIncompatCsumV2 | kJbd2IncompatCsumV3;
  if ((Get32(bytes, 36) & kCompatChecksum) != 0) return bad("has checksums v1, not known here");
  if ((incompat & ~known) != 0) {
    return bad("has incompatible features 0x", absl::Hex(incompat & ~known), ", not known here");
  }
  super.has_64bit = (incompat & kJbd2Incompat64bit) != 0;
  if ((incompat & kJbd2IncompatCsumV3) != 0) super.checksum = Checksum::kV3;
  if ((incompat & kIncompatCsumV2) != 0) super.checksum = Checksum::kV2;
  if (super.checksum == Checksum::kNone) return super;
  const std::string_view whole = bytes.substr(0, kJbd2SuperblockBytes);
  if (static_cast<uint8_t>(bytes[80]) != kJbd2Crc32cChecksum ||
      Get32(bytes, kChecksumAt) != Crc32cWithout(~0u, whole, kChecksumAt)) {
    return bad("does not match its checksum");
  }
  super.seed = Crc32c(~0u, bytes.substr(48, kUuidBytes));
  return super;
}

namespace {

// From each journal superblock that there may be.
absl::Status ScanLogs(const UnitSets& sets, ContentTable& contents, const JournalPlace& place,
                      const std::vector<Pin>& pins, std::vector<LogOutcome>& outcomes) {
  absl::Status status;
  const uint64_t first = place.blocks[0] * (place.block_bytes / contents.unit_bytes());
  const uint32_t units = std::max<uint32_t>(1, kJbd2SuperblockBytes / contents.unit_bytes());
  const bool counted = EachCombination(
      sets, contents, first, units, [&](const std::string& bytes, const std::vector<Pin>& choice) {
        if (!status.ok()) return;
        std::vector<Pin> all = pins;
        all.insert(all.end(), choice.begin(), choice.end());
        absl::StatusOr<LogSuperblock> log = ParseLogSuperblock(bytes);
        if (log.ok() &&
            (log->block_bytes != place.block_bytes || log->maxlen > place.blocks.size())) {
          log = absl::InvalidArgumentError(
              "journal superblock: its sizes are not those of the journal's inode");
        }
        if (!log.ok()) {
          outcomes.push_back({.failure = std::string(log.status().message()), .pins = all});
          return;
        }
        status = Scanner(sets, contents, place, *log, outcomes).Run(std::move(all));
      });
  return counted ? status
                 : absl::ResourceExhaustedError("the journal superblock: too many contents");
}

bool IsMountable(const ext2_super_block& super) {
  if (super.s_magic != EXT2_SUPER_MAGIC) return false;
  if ((super.s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_METADATA_CSUM) == 0) return true;
  return super.s_checksum == ext2fs_crc32c_le(~0u, reinterpret_cast<const uint8_t*>(&super),
                                              offsetof(ext2_super_block, s_checksum));
}

}  // namespace

absl::StatusOr<std::vector<LogOutcome>> ScanLog(const UnitSets& sets, ContentTable& contents,
                                                const JournalPlace& place) {
  std::vector<LogOutcome> outcomes;
  absl::Status status;
  const SuperblockUnits where(contents.unit_bytes());
  const bool counted = EachCombination(
      sets, contents, where.first, where.count,
      [&](const std::string& bytes, const std::vector<Pin>& pins) {
        if (!status.ok()) return;
        ext2_super_block super = {};
        std::memcpy(&super, bytes.data() + where.skip_bytes, sizeof(super));
        if (!IsMountable(super)) {
          outcomes.push_back(
              {.failure = "the superblock does not match its checksum", .pins = pins});
        } else if ((super.s_feature_incompat & EXT3_FEATURE_INCOMPAT_RECOVER) == 0) {
          outcomes.push_back({.pins = pins});
        } else {
          status = ScanLogs(sets, contents, place, pins, outcomes);
        }
      });
  if (!counted) return absl::ResourceExhaustedError("the superblock: too many contents");
  if (!status.ok()) return status;
  return outcomes;
}

}  // namespace model
