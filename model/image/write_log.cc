#include "model/image/write_log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/image/sector_bytes.h"

namespace model {
namespace {

void MoveTo(std::vector<LoggedWrite>& to, std::vector<LoggedWrite>& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  from.clear();
}

bool Flushes(const sim::BlockDevice& device, const sim::Bio& bio) {
  return (bio.op == sim::Bio::Op::kFlush || bio.preflush) && !device.config().ignore_flush;
}

// Does the log come to its first block a second time?
bool Wraps(const Geometry& geometry, const std::vector<LoggedWrite>& writes) {
  uint64_t last = 0;
  for (const LoggedWrite& write : writes) {
    const Pblk pblk = geometry.block_of_sector(write.sector);
    if (write.contents.empty() || pblk <= geometry.journal() || pblk >= geometry.first_data()) {
      continue;
    }
    // Blocks of one transaction complete in any order.
    if (pblk + geometry.journal_blocks / 2 < last) return true;
    last = std::max<uint64_t>(last, pblk);
  }
  return false;
}

DiskLayout LayoutFor(const Geometry& geometry, const std::vector<LoggedWrite>& writes) {
  if (!Wraps(geometry, writes)) {
    const auto lengthened = MakeDiskLayout(geometry, JournalChecksum::kV3, 0);
    if (lengthened.ok()) return *lengthened;
  }
  return {.geometry = geometry, .lengthens_journal = false};
}

}  // namespace

void WriteLog::OnSubmit(const sim::BlockDevice& device, const sim::Bio& bio) {
  if (Flushes(device, bio)) covered_[bio.id.value] = std::exchange(unflushed_, {});
}

void WriteLog::OnComplete(const sim::BlockDevice& device, const sim::Bio& bio, size_t done) {
  if (bio.op == sim::Bio::Op::kRead) return;
  const sim::DeviceConfig& config = device.config();
  LoggedWrite entry = {.sector = bio.sector, .flush = Flushes(device, bio)};
  entry.contents.assign(bio.contents.begin(), bio.contents.begin() + static_cast<ptrdiff_t>(done));
  entry.fua = done != 0 && (!config.volatile_cache ||
                            (bio.fua && done == bio.contents.size() && !config.ignore_flush));
  if (entry.flush) {
    MoveTo(logged_, covered_[bio.id.value]);
    covered_.erase(bio.id.value);
  }
  if (entry.contents.empty() && !entry.flush) return;
  const bool at_once = entry.flush || entry.fua || config.ignore_flush;
  (at_once ? logged_ : unflushed_).push_back(std::move(entry));
}

void WriteLog::Mark(std::string text) { logged_.push_back({.mark = std::move(text)}); }

std::vector<LoggedWrite> WriteLog::Finish() {
  MoveTo(logged_, unflushed_);
  return std::move(logged_);
}

absl::Status RenderLog(const Geometry& geometry, const ImageStore& images, const History& history,
                       const std::vector<SectorContent>& before,
                       const std::vector<LoggedWrite>& writes, ExecutionLog& log) {
  if (history.last_write() > kMaxTaggedWrites) {
    return absl::ResourceExhaustedError(absl::StrCat("the execution writes ", history.last_write(),
                                                     " times, and there are tags for ",
                                                     kMaxTaggedWrites));
  }
  log.layout = LayoutFor(geometry, writes);
  SectorBytes bytes(log.layout, images, history, DataText::kTagged);
  const auto append = [&](std::string& to, uint64_t sector, SectorContent content) {
    const DiskBytes sector_bytes = bytes.At(sector, content);
    to.append(sector_bytes.begin(), sector_bytes.end());
  };
  for (uint64_t sector = 0; sector < before.size(); ++sector)
    append(log.base, sector, before[sector]);
  log.base.resize(uint64_t{log.layout.blocks()} * geometry.block_bytes);
  for (const LoggedWrite& write : writes) {
    std::string& data = log.bytes.emplace_back(write.mark);
    for (size_t i = 0; i < write.contents.size(); ++i) {
      append(data, write.sector + i, write.contents[i]);
    }
    RecordedEntry entry = {.offset_bytes = write.sector * kSectorBytes,
                           .size_bytes = write.contents.size() * kSectorBytes,
                           .flush = write.flush,
                           .fua = write.fua};
    (write.mark.empty() ? entry.data : entry.mark) = data;
    log.recording.entries.push_back(entry);
  }
  for (const auto& [key, file] : history.files()) log.writes[file.name];
  for (WriteId id = 1; id <= history.last_write(); ++id) {
    const std::string& name = history.Find(history.write(id).file)->name;
    log.writes[name].push_back(TaggedWriteOf(history, id));
  }
  return absl::OkStatus();
}

}  // namespace model
