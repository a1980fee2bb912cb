#include "model/crash/file_rules.h"

#include <algorithm>
#include <optional>

namespace model {
namespace {

// All of one write, in its place, of a file of which nothing was removed, and no older than the
// promise: nearly everything that is ever judged.
bool IsPlainlyRight(const History& history, const History::File& file, uint32_t index,
                    SectorContent promised, SectorContent content) {
  return KindOf(content) == ContentKind::kData && GranuleIndexOf(content) == index &&
         history.write(WriteOf(content)).file == file.key && file.removals.empty() &&
         file.replacements.empty() && file.range_promises.empty() &&
         (promised == kZeroContent ||
          (KindOf(promised) == ContentKind::kData && WriteOf(content) >= WriteOf(promised)));
}

// Whether `content` is no older than what a promise that began at `began` has there; `promised` is
// not mixed.
bool KeepsPromise(const History::File& file, Tid recovered, HistorySeq began, uint64_t pos_bytes,
                  SectorContent promised, SectorContent content) {
  const bool promised_data = KindOf(promised) == ContentKind::kData;
  if (KindOf(content) == ContentKind::kZero) {
    return !promised_data || file.RemovedSince(pos_bytes, began, recovered);
  }
  return WriteOf(content) >=
         (promised_data ? WriteOf(promised) : file.FirstWriteBefore(pos_bytes, began));
}

// Does the contract promise data at this byte?
bool MustBeData(const History::File& file, const RecoveredEnd& end, uint64_t pos_bytes) {
  if (file.contract.zero_tail_allowed) return false;
  if (pos_bytes / end.block_bytes != (end.size_bytes - 1) / end.block_bytes) return false;
  return !file.SizeWasSet(end.size_bytes, end.recovered) && !file.OnceZero(pos_bytes) &&
         !file.RemovedAfterPrefix(pos_bytes, end.recovered);
}

// What the granules of a promise have at a byte; not mixed.
SectorContent ContentAt(const History& history, const std::vector<SectorContent>& granules,
                        uint64_t pos_bytes) {
  const uint64_t index = pos_bytes / kGranuleBytes;
  if (index >= granules.size()) return kZeroContent;
  for (const GranuleRun& run : history.granules().Runs(granules[index])) {
    if (pos_bytes % kGranuleBytes < run.end_byte) return run.content;
  }
  return kZeroContent;
}

bool KeepsRanges(const History& history, const History::File& file, Tid recovered,
                 uint64_t pos_bytes, SectorContent content) {
  return std::all_of(
      file.range_promises.begin(), file.range_promises.end(), [&](const RangePromise& promise) {
        return !promise.Covers(pos_bytes) ||
               file.ZeroedMeanwhile(pos_bytes, promise.began, promise.ended) ||
               KeepsPromise(file, recovered, promise.began, pos_bytes,
                            ContentAt(history, promise.granules, pos_bytes), content);
      });
}

bool KeepsReplacements(const History& history, const History::File& file, const RecoveredEnd& end,
                       uint64_t pos_bytes, SectorContent content) {
  return std::all_of(
      file.replacements.begin(), file.replacements.end(), [&](const ReplacePromise& promise) {
        return promise.tid > end.recovered || !promise.Covers(pos_bytes) ||
               KeepsPromise(file, end.recovered, promise.began, pos_bytes,
                            ContentAt(history, promise.granules, pos_bytes), content);
      });
}

// One byte, of which `content` is what it is, not mixed.
std::optional<Damage> JudgeByte(const History& history, const History::File& file,
                                const RecoveredEnd& end, uint64_t pos_bytes, SectorContent promised,
                                SectorContent content) {
  const bool contested = file.Contested(pos_bytes, pos_bytes + 1);
  if (KindOf(content) == ContentKind::kZero) {
    if (!contested && MustBeData(file, end, pos_bytes)) return Damage::kNeverZero;
  } else if (WriteOf(content) < file.FirstWriteInPrefix(pos_bytes, end.recovered)) {
    return Damage::kTruncated;
  }
  if (contested) return std::nullopt;
  if (file.promise.has_value() && pos_bytes < file.promise->size_bytes &&
      !file.ZeroedMeanwhile(pos_bytes, file.promise->began, file.promise->ended) &&
      !KeepsPromise(file, end.recovered, file.promise->began, pos_bytes, promised, content)) {
    return Damage::kLost;
  }
  if (!KeepsRanges(history, file, end.recovered, pos_bytes, content)) return Damage::kLost;
  if (!KeepsReplacements(history, file, end, pos_bytes, content)) return Damage::kUnflushed;
  return std::nullopt;
}

// Within the granule, the places after `begin` where the rules may change for the better or worse.
uint32_t NextCut(const History& history, const History::File& file, uint64_t granule_pos,
                 uint32_t begin, uint32_t end) {
  const auto cut = [&](uint64_t pos_bytes) {
    if (pos_bytes > granule_pos + begin && pos_bytes < granule_pos + end) {
      end = static_cast<uint32_t>(pos_bytes - granule_pos);
    }
  };
  for (const History::Removal& removal : file.removals) {
    cut(removal.begin);
    cut(removal.end);
    cut(removal.unmapped_begin);
    cut(removal.unmapped_end);
  }
  for (const auto& [zero_begin, zero_end] : file.once_zero) {
    cut(zero_begin);
    cut(zero_end);
  }
  if (file.promise.has_value()) cut(file.promise->size_bytes);
  for (const auto& [contested_begin, contested_end] : file.contested) {
    cut(contested_begin);
    cut(contested_end);
  }
  const auto cut_at_runs = [&](const std::vector<SectorContent>& granules) {
    const uint64_t index = granule_pos / kGranuleBytes;
    if (index >= granules.size()) return;
    for (const GranuleRun& run : history.granules().Runs(granules[index])) {
      cut(granule_pos + run.end_byte);
    }
  };
  for (const RangePromise& promise : file.range_promises) {
    cut(promise.begin);
    cut(promise.end);
    cut_at_runs(promise.granules);
  }
  for (const ReplacePromise& promise : file.replacements) {
    for (const auto& [range_begin, range_end] : promise.ranges) {
      cut(range_begin);
      cut(range_end);
    }
    cut_at_runs(promise.granules);
  }
  return end;
}

void Append(std::vector<ByteRun>& damage, const ByteRun& run) {
  if (!damage.empty() && damage.back().end == run.begin && damage.back().damage == run.damage &&
      damage.back().other == run.other) {
    damage.back().end = run.end;
  } else {
    damage.push_back(run);
  }
}

}  // namespace

std::optional<Damage> JudgeSource(const History& history, const History::File& file, uint32_t index,
                                  SectorContent content) {
  switch (KindOf(content)) {
    case ContentKind::kStale:
      return Damage::kFormerDisk;
    case ContentKind::kImage:
      return Damage::kMetadataBlock;
    case ContentKind::kData:
      if (history.write(WriteOf(content)).file != file.key) return Damage::kOtherFile;
      if (GranuleIndexOf(content) != index) return Damage::kOtherPlace;
      return std::nullopt;
    case ContentKind::kUnreadable:
      return Damage::kUnreadable;
    case ContentKind::kZero:
    case ContentKind::kMixed:
      return std::nullopt;
  }
  return std::nullopt;
}

void JudgeGranule(const History& history, const History::File& file, const RecoveredEnd& recovered,
                  uint32_t index, SectorContent content, std::vector<ByteRun>& damage) {
  damage.clear();
  const uint64_t granule_pos = uint64_t{index} * kGranuleBytes;
  if (granule_pos >= recovered.size_bytes) return;
  const auto limit =
      static_cast<uint32_t>(std::min<uint64_t>(kGranuleBytes, recovered.size_bytes - granule_pos));
  const bool is_promised = file.promise.has_value() && index < file.promise->granules.size();
  const SectorContent promised = is_promised ? file.promise->granules[index] : kZeroContent;
  if (IsPlainlyRight(history, file, index, promised, content)) return;
  const std::vector<GranuleRun> want = history.granules().Runs(promised);
  const std::vector<GranuleRun> have = history.granules().Runs(content);
  size_t w = 0;
  size_t h = 0;
  for (uint32_t begin = 0; begin < limit;) {
    while (want[w].end_byte <= begin) ++w;
    while (have[h].end_byte <= begin) ++h;
    const uint32_t run_end = std::min<uint32_t>({want[w].end_byte, have[h].end_byte, limit});
    const SectorContent is = have[h].content;
    std::optional<Damage> found = JudgeSource(history, file, index, is);
    uint32_t end = run_end;
    if (!found.has_value()) {
      end = NextCut(history, file, granule_pos, begin, run_end);
      found = JudgeByte(history, file, recovered, granule_pos + begin, want[w].content, is);
    }
    if (found.has_value()) {
      const FileKey other =
          *found == Damage::kOtherFile ? history.write(WriteOf(is)).file : FileKey{};
      Append(damage, {begin, end, *found, other});
    }
    begin = end;
  }
}

namespace {

// What truncates since `began` have left of a promised size.
uint64_t SizeLeft(const History::File& file, HistorySeq began, uint64_t size_bytes) {
  for (const History::Removal& removal : file.removals) {
    if (removal.is_truncate() && removal.done > began) {
      size_bytes = std::min(size_bytes, removal.begin);
    }
  }
  return size_bytes;
}

}  // namespace

uint64_t PromisedSize(const History::File& file, Tid recovered) {
  if (!PromisedToExist(file, recovered)) return 0;
  uint64_t size_bytes = 0;
  if (file.promise.has_value()) {
    size_bytes = SizeLeft(file, file.promise->began, file.promise->size_bytes);
  }
  for (const RangePromise& promise : file.range_promises) {
    size_bytes = std::max(size_bytes, SizeLeft(file, promise.began, promise.size_bytes));
  }
  return size_bytes;
}

uint64_t SizePromisedByRename(const History::File& file, Tid recovered) {
  uint64_t size_bytes = 0;
  if (file.UnlinkedInPrefix(recovered)) return 0;
  for (const ReplacePromise& promise : file.replacements) {
    if (promise.tid > recovered) break;
    size_bytes = std::max(size_bytes, SizeLeft(file, promise.began, promise.size_bytes));
  }
  return size_bytes;
}

bool PromisedToExist(const History::File& file, Tid recovered) {
  return (file.promise.has_value() || !file.range_promises.empty()) &&
         !file.UnlinkedInPrefix(recovered);
}

bool LacksPromisedName(const History::File& file, Tid recovered) {
  return (file.promise.has_value() && file.promise->named > recovered) ||
         std::any_of(file.range_promises.begin(), file.range_promises.end(),
                     [&](const RangePromise& promise) { return promise.named > recovered; });
}

}  // namespace model
