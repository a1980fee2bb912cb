#include "model/crash/family.h"

#include <algorithm>

#include "model/crash/name_rules.h"
#include "model/ondisk/render.h"

namespace model {

std::vector<CrashFault> FamilyJudge::JudgeAll(const PossibleRecovery& recovery) {
  faults_.clear();
  if (recovery.outcome.fails_at != 0) {
    JudgeFailure(recovery.outcome.fails_at);
    return std::move(faults_);
  }
  const RecoveredTree& tree = states_.Tree(recovery.outcome.recovered);
  for (const MetadataFault& fault : tree.faults) {
    faults_.push_back({.what = What::kMetadata, .metadata = fault});
  }
  for (const MetadataFault& fault : CheckNames(history_, tree, recovery.outcome.recovered)) {
    faults_.push_back({.what = What::kName, .metadata = fault});
  }
  JudgeCopies(recovery, geometry_.journal(), geometry_.journal_end());
  for (const Pblk pblk : tree.metadata) JudgeHome(recovery, pblk);
  JudgeRecoveryAgain(recovery);
  for (const RecoveredFile& recovered : tree.files) {
    const History::File* file = history_.Find(recovered.key);
    if (file != nullptr) JudgeReadable(recovery, recovered, *file);
  }
  for (const auto& [key, file] : history_.files()) JudgeMissing(recovery, file);
  return std::move(faults_);
}

std::vector<CrashFault> FamilyJudge::JudgeSectors(const PossibleRecovery& recovery,
                                                  uint64_t first_sector,
                                                  absl::Span<const SectorContent> contents) {
  faults_.clear();
  if (recovery.outcome.fails_at != 0 || contents.empty()) return {};
  const Tid tid = recovery.outcome.recovered;
  const RecoveredTree& tree = states_.Tree(tid);
  const uint32_t per_block = geometry_.sectors_per_block();
  const uint64_t end_sector = first_sector + contents.size();
  const Pblk first = geometry_.block_of_sector(first_sector);
  const Pblk end = geometry_.block_of_sector(end_sector - 1) + 1;
  JudgeCopies(recovery, first, end);
  JudgeReplayedFrom(recovery, first, end);
  for (Pblk pblk = first; pblk < end; ++pblk) {
    const BlockUse& use = tree.blocks[pblk];
    if (use.kind == BlockUse::Kind::kMetadata) JudgeHome(recovery, pblk);
    if (use.kind != BlockUse::Kind::kData || recovery.replay.CopyFor(pblk) != nullptr) continue;
    const RecoveredFile& recovered = tree.files[use.file];
    const History::File* file = history_.Find(recovered.key);
    if (file == nullptr || recovered.inline_data) continue;
    for (uint32_t i = 0; i < per_block; ++i) {
      const uint64_t sector = geometry_.first_sector(pblk) + i;
      if (sector < first_sector || sector >= end_sector) continue;
      JudgeData(recovered, *file, tid, use.lblk, i, {sector, contents[sector - first_sector]},
                /*on_disk=*/true);
    }
  }
  return std::move(faults_);
}

std::vector<CrashFault> FamilyJudge::JudgeFile(const PossibleRecovery& recovery, FileKey key) {
  faults_.clear();
  if (recovery.outcome.fails_at != 0) return {};
  const History::File* file = history_.Find(key);
  const RecoveredTree& tree = states_.Tree(recovery.outcome.recovered);
  for (const RecoveredFile& recovered : tree.files) {
    if (recovered.key == key) JudgeReadable(recovery, recovered, *file);
  }
  JudgeMissing(recovery, *file);
  return std::move(faults_);
}

// --- The log -------------------------------------------------------------------------------------

// Nothing is mounted: there is nothing else to see.
void FamilyJudge::JudgeFailure(Pblk fails_at) {
  const uint64_t first = geometry_.first_sector(fails_at);
  for (uint32_t i = 0; i < geometry_.sectors_per_block(); ++i) {
    const Possible contents = disk_.At(first + i);
    if (contents.front() != sim::kUnreadable) continue;
    faults_.push_back({.what = What::kUnreadable,
                       .pblk = fails_at,
                       .witnesses = {{first + i, contents.front()}}});
    return;
  }
  const Possible contents = disk_.At(first);
  const auto foreign = absl::c_find_if(
      contents, [&](SectorContent content) { return !IsJournalSuperblock(images_, content); });
  faults_.push_back(
      {.what = What::kHomeForeign, .pblk = fails_at, .witnesses = {{first, *foreign}}});
}

// PASS_REPLAY checks each copy against its tag, and the commit block says that they are all there.
// Without checksums all that it finds out is that it cannot read one.
void FamilyJudge::JudgeCopies(const PossibleRecovery& recovery, Pblk first, Pblk end) {
  if (end <= geometry_.journal() || first >= geometry_.journal_end()) return;
  for (const LogCopy& copy : recovery.replay.copies_read()) {
    if (copy.log_pblk < first || copy.log_pblk >= end) continue;
    for (uint32_t i = 0; i < geometry_.sectors_per_block(); ++i) {
      const uint64_t sector = geometry_.first_sector(copy.log_pblk) + i;
      const Possible contents = disk_.At(sector);
      const SectorContent wanted = ImageContent(copy.checksum, i);
      const auto torn = absl::c_find_if(contents, [&](SectorContent content) {
        if (geometry_.journal_checksum == JournalChecksum::kNone)
          return content == sim::kUnreadable;
        return !SameBytes(geometry_, images_, content, wanted);
      });
      if (torn == contents.end()) continue;
      faults_.push_back(
          {.what = What::kTornCopy, .pblk = copy.blocknr, .witnesses = {{sector, *torn}}});
      break;
    }
  }
}

// --- Blocks at home ------------------------------------------------------------------------------

// What the log does not hold any more must be at home, exactly as the recovered state has it.
void FamilyJudge::JudgeHome(const PossibleRecovery& recovery, Pblk pblk) {
  const Tid tid = recovery.outcome.recovered;
  const MetadataImages& state = states_.Images(tid);
  const auto it = state.find(pblk);
  if (it == state.end()) return;
  const LogCopy* const copy = recovery.replay.CopyFor(pblk);
  if (copy != nullptr && geometry_.journal_checksum == JournalChecksum::kNone) {
    JudgeReplay(recovery, *copy);
  }
  for (uint32_t i = 0; i < geometry_.sectors_per_block(); ++i) {
    const uint64_t sector = geometry_.first_sector(pblk) + i;
    for (const SectorContent content : disk_.At(sector)) {
      if (copy != nullptr && content != sim::kUnreadable) continue;
      if (SameBytes(geometry_, images_, content, ImageContent(it->second, i))) continue;
      faults_.push_back({.what = HomeFault(tid, pblk, it->second, content),
                         .pblk = pblk,
                         .witnesses = {{sector, content}}});
      return;
    }
  }
}

void FamilyJudge::JudgeReplay(const PossibleRecovery& recovery, const LogCopy& copy) {
  const ImageId wanted = states_.Images(recovery.outcome.recovered).at(copy.blocknr);
  for (uint32_t i = 0; i < geometry_.sectors_per_block(); ++i) {
    for (const SectorContent content : ReplayedContents(disk_, geometry_, copy, i)) {
      if (SameBytes(geometry_, images_, content, ImageContent(wanted, i))) continue;
      faults_.push_back({.what = What::kTornReplay,
                         .pblk = copy.blocknr,
                         .witnesses = {{geometry_.first_sector(copy.log_pblk) + i, content}}});
      return;
    }
  }
}

// Without checksums, what the log's blocks in [first, end) hold shows at home.
void FamilyJudge::JudgeReplayedFrom(const PossibleRecovery& recovery, Pblk first, Pblk end) {
  if (geometry_.journal_checksum != JournalChecksum::kNone) return;
  if (end <= geometry_.journal() || first >= geometry_.journal_end()) return;
  const RecoveredTree& tree = states_.Tree(recovery.outcome.recovered);
  for (const LogCopy& copy : recovery.replay.copies_read()) {
    if (copy.log_pblk < first || copy.log_pblk >= end) continue;
    if (&copy != recovery.replay.CopyFor(copy.blocknr)) continue;
    const BlockUse& use = tree.blocks[copy.blocknr];
    if (use.kind == BlockUse::Kind::kMetadata) JudgeHome(recovery, copy.blocknr);
    if (use.kind != BlockUse::Kind::kData) continue;
    const RecoveredFile& recovered = tree.files[use.file];
    const History::File* file = history_.Find(recovered.key);
    if (file == nullptr || recovered.inline_data) continue;
    JudgeReplayedData(recovery, recovered, *file, use.lblk, copy);
  }
}

CrashFault::What FamilyJudge::HomeFault(Tid recovered, Pblk pblk, ImageId wanted,
                                        SectorContent content) const {
  if (content == sim::kUnreadable) return What::kUnreadable;
  if (KindOf(content) != ContentKind::kImage) return What::kHomeForeign;
  const ImageId image = ImageOf(content);
  if (images_.Get(image).index() != images_.Get(wanted).index()) return What::kHomeForeign;
  return states_.LastTidOf(pblk, image) < recovered ? What::kHomeOld : What::kHomeNew;
}

void FamilyJudge::JudgeRecoveryAgain(const PossibleRecovery& recovery) {
  if (recovery.outcome.copies.empty()) return;
  if (!RecoveryMayBeInterrupted(disk_, geometry_, images_, recovery.outcome, recovery.replay,
                                recovery_rules_)) {
    faults_.push_back({.what = What::kRecovery});
  }
}

// --- Files ---------------------------------------------------------------------------------------

void FamilyJudge::JudgeMissing(const PossibleRecovery& recovery, const History::File& file) {
  const Tid tid = recovery.outcome.recovered;
  if (!PromisedToExist(file, tid)) return;
  const RecoveredTree& tree = states_.Tree(tid);
  const bool there = absl::c_any_of(
      tree.files, [&](const RecoveredFile& recovered) { return recovered.key == file.key; });
  if (!there) {
    faults_.push_back({.what = What::kMissing, .file = file.key});
  } else if (LacksPromisedName(file, tid)) {
    faults_.push_back({.what = What::kOldName, .file = file.key});
  }
}

void FamilyJudge::JudgeReadable(const PossibleRecovery& recovery, const RecoveredFile& recovered,
                                const History::File& file) {
  const Tid tid = recovery.outcome.recovered;
  const auto wants = [&](uint64_t promised, Damage damage) {
    if (recovered.size_bytes >= promised) return;
    faults_.push_back({.what = What::kShort,
                       .file = file.key,
                       .damage = damage,
                       .begin = recovered.size_bytes,
                       .end = promised});
  };
  wants(PromisedSize(file, tid), Damage::kLost);
  wants(SizePromisedByRename(file, tid), Damage::kUnflushed);
  if (recovered.inline_data) return;
  const auto blocks =
      static_cast<Lblk>((recovered.size_bytes + geometry_.block_bytes - 1) / geometry_.block_bytes);
  const uint32_t per_block = geometry_.sectors_per_block();
  auto extent = recovered.extents.begin();
  for (Lblk lblk = 0; lblk < blocks; ++lblk) {
    while (extent != recovered.extents.end() && extent->end() <= lblk) ++extent;
    const bool on_disk =
        extent != recovered.extents.end() && extent->ee_block <= lblk && !extent->unwritten;
    const Pblk pblk = on_disk ? extent->ee_start + (lblk - extent->ee_block) : 0;
    const LogCopy* const copy = on_disk ? recovery.replay.CopyFor(pblk) : nullptr;
    if (copy != nullptr) JudgeReplayedData(recovery, recovered, file, lblk, *copy);
    for (uint32_t i = 0; i < per_block; ++i) {
      const uint64_t sector = geometry_.first_sector(pblk) + i;
      if (!on_disk) {
        JudgeData(recovered, file, tid, lblk, i, {0, kZeroContent}, false);
      } else if (copy == nullptr || disk_.At(sector).front() == sim::kUnreadable) {
        for (const SectorContent content : disk_.At(sector)) {
          JudgeData(recovered, file, tid, lblk, i, {sector, content}, true);
        }
      }
    }
  }
}

// Of a block of the file that recovery has written `copy` over.
void FamilyJudge::JudgeReplayedData(const PossibleRecovery& recovery,
                                    const RecoveredFile& recovered, const History::File& file,
                                    Lblk lblk, const LogCopy& copy) {
  const Tid tid = recovery.outcome.recovered;
  const bool from_log = geometry_.journal_checksum == JournalChecksum::kNone;
  for (uint32_t i = 0; i < geometry_.sectors_per_block(); ++i) {
    if (disk_.At(geometry_.first_sector(copy.blocknr) + i).front() == sim::kUnreadable) continue;
    const uint64_t sector = geometry_.first_sector(copy.log_pblk) + i;
    for (const SectorContent content : ReplayedContents(disk_, geometry_, copy, i)) {
      JudgeData(recovered, file, tid, lblk, i, {sector, content}, from_log, copy.blocknr);
    }
  }
}

// One content of one granule. `on_disk`: the witness has to be there for it to show.
void FamilyJudge::JudgeData(const RecoveredFile& recovered, const History::File& file, Tid tid,
                            Lblk lblk, uint32_t sector_in_block, Witness witness, bool on_disk,
                            Pblk replayed_over) {
  const uint32_t index = lblk * geometry_.sectors_per_block() + sector_in_block;
  const uint64_t pos = uint64_t{index} * kGranuleBytes;
  JudgeGranule(history_, file, {tid, recovered.size_bytes, geometry_.block_bytes}, index,
               witness.content, damage_);
  for (const ByteRun& run : damage_) {
    // Joins what comes before of the same, the longest first; but a sector has one content.
    const auto same = absl::c_find_if(faults_, [&](const CrashFault& fault) {
      return fault.what == What::kFile && fault.file == file.key && fault.damage == run.damage &&
             fault.other == run.other && fault.end == pos + run.begin &&
             (!on_disk || fault.witnesses.empty() ||
              fault.witnesses.back().sector != witness.sector ||
              fault.witnesses.back().content == witness.content);
    });
    CrashFault* fault = same != faults_.end() ? &*same : nullptr;
    if (fault == nullptr) {
      faults_.push_back({.what = What::kFile,
                         .file = file.key,
                         .damage = run.damage,
                         .other = run.other,
                         .begin = pos + run.begin});
      fault = &faults_.back();
    }
    fault->end = pos + run.end;
    if (on_disk) fault->witnesses.push_back(witness);
    if (replayed_over != 0) fault->pblk = replayed_over;
  }
}

}  // namespace model
