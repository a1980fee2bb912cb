#include "model/image/write_log.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/image/sector_bytes.h"

namespace model {
namespace {

bool Flushes(const sim::BlockDevice& device, const sim::Bio& bio) {
  const sim::DeviceConfig& config = device.config();
  return (bio.op == sim::Bio::Op::kFlush || bio.preflush) && config.volatile_cache &&
         !config.ignore_flush;
}

// Does the log come to its first block a second time?
bool Wraps(const Geometry& geometry, const std::vector<LoggedWrite>& writes) {
  uint64_t last = 0;
  for (const LoggedWrite& write : writes) {
    const Pblk pblk = geometry.block_of_sector(write.sector);
    if (write.contents.empty() || pblk <= geometry.journal() || pblk >= geometry.first_data()) {
      continue;
    }
    // Blocks of one transaction, a quarter of the log at most, complete in any order.
    if (pblk + geometry.journal_blocks / 2 < last) return true;
    last = std::max<uint64_t>(last, pblk);
  }
  return false;
}

DiskLayout LayoutFor(const Geometry& geometry, const std::vector<LoggedWrite>& writes) {
  if (!Wraps(geometry, writes)) {
    const auto lengthened = MakeDiskLayout(geometry, 0);
    if (lengthened.ok()) return *lengthened;
  }
  return {.geometry = geometry, .lengthens_journal = false};
}

}  // namespace

void WriteLog::OnSubmit(const sim::BlockDevice& device, const sim::Bio& bio) {
  if (Flushes(device, bio)) flushes_[bio.id.value] = completions_;
}

void WriteLog::OnFlushed(const sim::BlockDevice&, const sim::Bio& bio) {
  const auto flush = flushes_.find(bio.id.value);
  if (flush == flushes_.end()) return;
  Release(flush->second);
  flushes_.erase(flush);
  logged_.push_back({.flush = true});
  Release(CoveredByAll());
}

void WriteLog::OnComplete(const sim::BlockDevice& device, const sim::Bio& bio, size_t done) {
  if (bio.op != sim::Bio::Op::kWrite || done == 0) return;
  const sim::DeviceConfig& config = device.config();
  const sim::Landing landing = device.LandingOf(bio.id);
  const auto there = landing.contents.first(done);
  LoggedWrite entry = {.sector = landing.sector, .contents = {there.begin(), there.end()}};
  const bool whole = done == landing.contents.size();
  entry.fua = !config.volatile_cache || (bio.fua && whole && config.honours_fua());
  if (entry.fua) {
    logged_.push_back(std::move(entry));
  } else {
    kept_back_.push_back({++completions_, std::move(entry)});
  }
  Release(CoveredByAll());
}

void WriteLog::Mark(std::string text) { logged_.push_back({.mark = std::move(text)}); }

void WriteLog::Release(uint64_t completion) {
  while (!kept_back_.empty() && kept_back_.front().completion <= completion) {
    logged_.push_back(std::move(kept_back_.front().write));
    kept_back_.pop_front();
  }
}

uint64_t WriteLog::CoveredByAll() const {
  uint64_t covered = completions_;
  for (const auto& [bio, completion] : flushes_) covered = std::min(covered, completion);
  return covered;
}

std::vector<LoggedWrite> WriteLog::Finish() {
  Release(completions_);
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
    const History::File& file = *history.Find(history.write(id).file);
    const TaggedWrite write = TaggedWriteOf(history, id);
    log.writes[file.name].push_back(write);
    for (const std::string& name : file.later_names) log.writes[name].push_back(write);
  }
  return absl::OkStatus();
}

}  // namespace model
