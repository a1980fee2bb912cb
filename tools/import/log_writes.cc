#include "tools/import/log_writes.h"

#include <algorithm>
#include <initializer_list>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "boost/endian/conversion.hpp"

namespace tools {
namespace {

constexpr uint64_t kMagic = 0x6a736677736872;
constexpr uint64_t kVersion = 1;
constexpr size_t kSuperBytes = 28;
constexpr size_t kEntryBytes = 32;
constexpr size_t kWrittenSectorBytes = 512;

constexpr uint64_t kFlush = 1;
constexpr uint64_t kFua = 2;
constexpr uint64_t kDiscard = 4;
constexpr uint64_t kMark = 8;
constexpr uint64_t kMetadata = 16;
constexpr uint64_t kAllFlags = kFlush | kFua | kDiscard | kMark | kMetadata;

uint64_t Get64(std::string_view bytes, size_t at) {
  return boost::endian::load_little_u64(reinterpret_cast<const uint8_t*>(bytes.data()) + at);
}

void Put64(std::string& bytes, uint64_t value) {
  uint8_t little[8];
  boost::endian::store_little_u64(little, value);
  bytes.append(little, little + sizeof(little));
}

uint64_t FlagsOf(const model::RecordedEntry& entry) {
  return (entry.flush ? kFlush : 0) | (entry.fua ? kFua : 0) | (entry.discard ? kDiscard : 0) |
         (entry.mark.empty() ? 0 : kMark);
}

template <class... Text>
absl::Status Bad(const Text&... text) {
  return absl::InvalidArgumentError(absl::StrCat(text...));
}

struct Header {
  uint64_t sector = 0;
  uint64_t sectors = 0;
  uint64_t flags = 0;
  uint64_t text_bytes = 0;
};

absl::Status CheckHeader(const Header& header, uint64_t sector_bytes) {
  if ((header.flags & ~kAllFlags) != 0) {
    return Bad("unknown flags 0x", absl::Hex(header.flags & ~kAllFlags));
  }
  const uint64_t most = UINT64_MAX / sector_bytes;
  if (header.sectors > most || header.sector > most - header.sectors) {
    return Bad(header.sectors, " sectors from ", header.sector, " on are beyond any device");
  }
  if ((header.flags & kMark) != 0 && header.sectors != 0) return Bad("a mark with data");
  if ((header.flags & kMark) == 0 && header.text_bytes != 0) return Bad("a text, but no mark");
  if (header.text_bytes > sector_bytes - kEntryBytes) {
    return Bad("a text of ", header.text_bytes, " bytes, more than fit into its sector");
  }
  if ((header.flags & kDiscard) != 0 && header.sectors == 0) return Bad("a discard of nothing");
  if ((header.flags & (kFlush | kMark)) == 0 && header.sectors == 0)
    return Bad("a write of nothing");
  return absl::OkStatus();
}

// Takes the entry at `at`, and moves `at` behind it.
absl::StatusOr<model::RecordedEntry> TakeEntry(std::string_view bytes, uint64_t sector_bytes,
                                               size_t& at) {
  if (bytes.size() - at < sector_bytes) return Bad("the log ends within its header");
  const Header header = {Get64(bytes, at), Get64(bytes, at + 8), Get64(bytes, at + 16),
                         Get64(bytes, at + 24)};
  if (absl::Status status = CheckHeader(header, sector_bytes); !status.ok()) return status;
  model::RecordedEntry entry = {.offset_bytes = header.sector * sector_bytes,
                                .size_bytes = header.sectors * sector_bytes,
                                .flush = (header.flags & kFlush) != 0,
                                .fua = (header.flags & kFua) != 0,
                                .discard = (header.flags & kDiscard) != 0};
  if ((header.flags & kMark) != 0) entry.mark = bytes.substr(at + kEntryBytes, header.text_bytes);
  at += sector_bytes;
  if (entry.discard) return entry;
  if (bytes.size() - at < entry.size_bytes) {
    return Bad("the log ends ", bytes.size() - at, " bytes into its ", entry.size_bytes,
               " bytes of data");
  }
  entry.data = bytes.substr(at, entry.size_bytes);
  at += entry.size_bytes;
  return entry;
}

}  // namespace

absl::StatusOr<model::Recording> ParseLogWrites(std::string_view bytes) {
  if (bytes.size() < kSuperBytes || Get64(bytes, 0) != kMagic) {
    return Bad("no log of dm-log-writes: its magic number is missing");
  }
  if (Get64(bytes, 8) != kVersion) return Bad("superblock: version ", Get64(bytes, 8), ", want 1");
  const uint64_t entries = Get64(bytes, 16);
  const uint64_t sector_bytes =
      boost::endian::load_little_u32(reinterpret_cast<const uint8_t*>(bytes.data()) + 24);
  if (sector_bytes < 512 || sector_bytes > 65536 || (sector_bytes & (sector_bytes - 1)) != 0) {
    return Bad("superblock: sectors of ", sector_bytes, " bytes");
  }
  model::Recording recording;
  size_t at = std::min<size_t>(bytes.size(), sector_bytes);
  for (uint64_t i = 0; i < entries; ++i) {
    const size_t start = at;
    auto entry = TakeEntry(bytes, sector_bytes, at);
    if (!entry.ok()) {
      return Bad("entry ", i, ", at byte ", start, ": ", entry.status().message());
    }
    recording.entries.push_back(*entry);
  }
  return recording;
}

void WriteLogWrites(const model::Recording& recording, std::ostream& out) {
  const auto put_sector = [&](std::initializer_list<uint64_t> words, std::string_view text) {
    std::string sector;
    for (const uint64_t word : words) Put64(sector, word);
    sector += text.substr(0, kWrittenSectorBytes - sector.size());
    sector.resize(kWrittenSectorBytes);
    out.write(sector.data(), kWrittenSectorBytes);
  };
  put_sector({kMagic, kVersion, recording.entries.size(), kWrittenSectorBytes}, "");
  for (const model::RecordedEntry& entry : recording.entries) {
    const std::string_view text = entry.mark.substr(0, kWrittenSectorBytes - kEntryBytes);
    put_sector({entry.offset_bytes / kWrittenSectorBytes, entry.size_bytes / kWrittenSectorBytes,
                FlagsOf(entry), text.size()},
               text);
    out.write(entry.data.data(), static_cast<std::streamsize>(entry.data.size()));
  }
}

}  // namespace tools
