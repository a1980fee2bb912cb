#include "model/crash/file_rules.h"

#include <algorithm>
#include <optional>

namespace model {
namespace {

// All of one write, in its place, of a file that was never truncated, and no older than the
// promise: nearly everything that is ever judged.
bool IsPlainlyRight(const History& history, const History::File& file, uint32_t index,
                    SectorContent promised, SectorContent content) {
  return KindOf(content) == ContentKind::kData && GranuleIndexOf(content) == index &&
         history.write(WriteOf(content)).file == file.key && file.truncates.empty() &&
         (promised == kZeroContent ||
          (KindOf(promised) == ContentKind::kData && WriteOf(content) >= WriteOf(promised)));
}

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
    case ContentKind::kZero:
    case ContentKind::kMixed:
      return std::nullopt;
  }
  return std::nullopt;
}

// Whether `content` is no older than what the promise has there; `promised` is not mixed.
bool KeepsPromise(const History::File& file, uint64_t pos_bytes, SectorContent promised,
                  SectorContent content) {
  const HistorySeq began = file.promise->began;
  const bool promised_data = KindOf(promised) == ContentKind::kData;
  if (KindOf(content) == ContentKind::kZero) {
    return !promised_data || file.RemovedSince(pos_bytes, began);
  }
  return WriteOf(content) >=
         (promised_data ? WriteOf(promised) : file.FirstWriteBefore(pos_bytes, began));
}

// Does the contract promise data at this byte?
bool MustBeData(const History::File& file, const RecoveredEnd& end, uint64_t pos_bytes) {
  if (file.contract.zero_tail_allowed) return false;
  if (pos_bytes / end.block_bytes != (end.size_bytes - 1) / end.block_bytes) return false;
  return !file.SizedByTruncate(end.size_bytes, end.recovered) && !file.OnceZero(pos_bytes) &&
         !file.RemovedAfterPrefix(pos_bytes, end.recovered);
}

// One byte, of which `content` is what it is, not mixed.
std::optional<Damage> JudgeByte(const History::File& file, const RecoveredEnd& end,
                                uint64_t pos_bytes, SectorContent promised, SectorContent content) {
  if (KindOf(content) == ContentKind::kZero) {
    if (MustBeData(file, end, pos_bytes)) return Damage::kNeverZero;
  } else if (WriteOf(content) < file.FirstWriteInPrefix(pos_bytes, end.recovered)) {
    return Damage::kTruncated;
  }
  if (file.promise.has_value() && pos_bytes < file.promise->size_bytes &&
      !KeepsPromise(file, pos_bytes, promised, content)) {
    return Damage::kLost;
  }
  return std::nullopt;
}

// Within the granule, the places after `begin` where the rules may change for the better or worse.
uint32_t NextCut(const History::File& file, uint64_t granule_pos, uint32_t begin, uint32_t end) {
  const auto cut = [&](uint64_t pos_bytes) {
    if (pos_bytes > granule_pos + begin && pos_bytes < granule_pos + end) {
      end = static_cast<uint32_t>(pos_bytes - granule_pos);
    }
  };
  for (const History::Truncate& truncate : file.truncates) cut(truncate.new_size_bytes);
  for (const auto& [zero_begin, zero_end] : file.once_zero) {
    cut(zero_begin);
    cut(zero_end);
  }
  if (file.promise.has_value()) cut(file.promise->size_bytes);
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
      end = NextCut(file, granule_pos, begin, run_end);
      found = JudgeByte(file, recovered, granule_pos + begin, want[w].content, is);
    }
    if (found.has_value()) {
      const FileKey other =
          *found == Damage::kOtherFile ? history.write(WriteOf(is)).file : FileKey{};
      Append(damage, {begin, end, *found, other});
    }
    begin = end;
  }
}

uint64_t PromisedSize(const History::File& file) {
  if (!PromisedToExist(file)) return 0;
  uint64_t size_bytes = file.promise->size_bytes;
  for (const History::Truncate& truncate : file.truncates) {
    if (truncate.seq > file.promise->began) {
      size_bytes = std::min(size_bytes, truncate.new_size_bytes);
    }
  }
  return size_bytes;
}

bool PromisedToExist(const History::File& file) {
  return file.promise.has_value() && !file.unlinked.has_value();
}

}  // namespace model
