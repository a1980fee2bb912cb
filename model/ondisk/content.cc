#include "model/ondisk/content.h"

#include <algorithm>

#include "sim/check.h"

namespace model {
namespace {

// Appends what `content` says of the bytes from the end of `runs` to `end`.
void Append(std::vector<GranuleRun>& runs, uint32_t end, SectorContent content) {
  const uint32_t begin = runs.empty() ? 0 : runs.back().end_byte;
  if (end <= begin) return;
  if (!runs.empty() && runs.back().content == content) {
    runs.back().end_byte = static_cast<uint16_t>(end);
  } else {
    runs.push_back({static_cast<uint16_t>(end), content});
  }
}

}  // namespace

GranuleTable::GranuleTable(const GranuleTable& from) : ids_(from.ids_), mixed_(ids_.size()) {
  for (const auto& [runs, id] : ids_) mixed_[id] = &runs;
}

SectorContent GranuleTable::Overlay(SectorContent granule, uint32_t begin, uint32_t end,
                                    SectorContent with) {
  SIM_CHECK(begin <= end && end <= kGranuleBytes);
  SIM_CHECK(KindOf(with) != ContentKind::kMixed);
  if (begin == end) return granule;
  const std::vector<GranuleRun> old = Runs(granule);
  std::vector<GranuleRun> runs;
  for (const GranuleRun& run : old)
    Append(runs, std::min<uint32_t>(run.end_byte, begin), run.content);
  Append(runs, end, with);
  for (const GranuleRun& run : old) Append(runs, run.end_byte, run.content);
  return runs.size() == 1 ? runs[0].content : Intern(runs);
}

std::vector<GranuleRun> GranuleTable::Runs(SectorContent granule) const {
  if (KindOf(granule) != ContentKind::kMixed) return {{kGranuleBytes, granule}};
  return *mixed_.at(static_cast<uint32_t>(granule));
}

SectorContent GranuleTable::Intern(const std::vector<GranuleRun>& runs) {
  const auto [it, is_new] = ids_.try_emplace(runs, static_cast<uint32_t>(mixed_.size()));
  if (is_new) mixed_.push_back(&it->first);
  return MakeContent(ContentKind::kMixed, 0, it->second);
}

}  // namespace model
