#include "model/recorded/medium.h"

#include <algorithm>

#include "sim/check.h"

namespace model {

ContentId ContentTable::Intern(std::string_view bytes) {
  std::string padded;
  if (bytes.size() < unit_bytes_) {
    padded = std::string(bytes);
    padded.resize(unit_bytes_);
    bytes = padded;
  }
  const auto found = ids_.find(absl::string_view(bytes.data(), bytes.size()));
  if (found != ids_.end()) return found->second;
  const auto id = static_cast<ContentId>(contents_.size());
  const std::string& kept = contents_.emplace_back(bytes);
  ids_.emplace(absl::string_view(kept.data(), kept.size()), id);
  return id;
}

Medium::Medium(ContentTable& contents, std::string_view base)
    : contents_(contents), zeros_(contents.Intern("")) {
  const uint32_t unit_bytes = contents.unit_bytes();
  base_.reserve((base.size() + unit_bytes - 1) / unit_bytes);
  for (size_t at = 0; at < base.size(); at += unit_bytes) {
    base_.push_back(contents.Intern(base.substr(at, unit_bytes)));
  }
}

void Medium::Submit(const RecordedEntry& entry, uint32_t number) {
  if (entry.flush) {
    const std::vector<uint64_t> pending(pending_.begin(), pending_.end());
    for (const uint64_t unit : pending) MakeDurable(unit);
  }
  const uint32_t unit_bytes = contents_.unit_bytes();
  const uint64_t first = entry.offset_bytes / unit_bytes;
  const uint64_t end = std::min<uint64_t>(first + entry.size_bytes / unit_bytes, units());
  for (uint64_t i = first; i < end; ++i) {
    SIM_CHECK(entry.offset_bytes % unit_bytes == 0);
    UnitVersion version = {.entry = number, .discarded = entry.discard};
    version.content =
        contents_.Intern(entry.discard ? std::string_view()
                                       : entry.data.substr((i - first) * unit_bytes, unit_bytes));
    Unit& unit = written_[i];
    if (unit.versions.empty()) unit.versions.push_back({.content = base_[i]});
    unit.versions.push_back(version);
    Update(i, unit);
  }
}

void Medium::Complete(const RecordedEntry& entry) {
  if (!entry.fua) return;
  const uint32_t unit_bytes = contents_.unit_bytes();
  const uint64_t first = entry.offset_bytes / unit_bytes;
  const uint64_t end = std::min<uint64_t>(first + entry.size_bytes / unit_bytes, units());
  for (uint64_t i = first; i < end; ++i) MakeDurable(i);
}

void Medium::MakeDurable(uint64_t number) {
  Unit& unit = written_[number];
  auto durable = unit.versions.end() - 1;
  while (durable->discarded && durable != unit.versions.begin()) --durable;
  unit.versions.erase(unit.versions.begin(), durable);
  Update(number, unit);
}

void Medium::Update(uint64_t number, Unit& unit) {
  unit.contents.clear();
  for (auto version = unit.versions.rbegin(); version != unit.versions.rend(); ++version) {
    if (std::find(unit.contents.begin(), unit.contents.end(), version->content) ==
        unit.contents.end()) {
      unit.contents.push_back(version->content);
    }
  }
  std::reverse(unit.contents.begin(), unit.contents.end());
  unit.versions.size() > 1 ? (void)pending_.insert(number) : (void)pending_.erase(number);
  unit.contents.size() > 1 ? (void)varying_.insert(number) : (void)varying_.erase(number);
}

absl::Span<const ContentId> Medium::At(uint64_t unit) const {
  if (unit >= units()) return absl::MakeConstSpan(&zeros_, 1);
  const auto found = written_.find(unit);
  if (found != written_.end()) return found->second.contents;
  return absl::MakeConstSpan(&base_[unit], 1);
}

std::vector<UnitVersion> Medium::VersionsAt(uint64_t unit) const {
  const auto found = written_.find(unit);
  if (found != written_.end()) return found->second.versions;
  return {{.content = base_[unit]}};
}

}  // namespace model
