#include "model/image/state_report.h"

#include <algorithm>
#include <array>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "model/crash/fault_text.h"
#include "model/image/sector_bytes.h"
#include "model/ondisk/parse.h"
#include "sim/check.h"

namespace model {
namespace {

// The state after PASS_REPLAY.
class RecoveredDisk {
 public:
  RecoveredDisk(const Geometry& geometry, const DiskState& state, const ReplayMap& replay)
      : geometry_(geometry), state_(state), replay_(replay) {}

  SectorContent At(Pblk pblk, uint32_t index) const {
    const LogCopy* const copy = replay_.CopyFor(pblk);
    return copy != nullptr ? ReplayedContents(StateView(state_), geometry_, *copy, index).front()
                           : state_[geometry_.first_sector(pblk) + index];
  }

 private:
  const Geometry& geometry_;
  const DiskState& state_;
  const ReplayMap& replay_;
};

// The metadata of a recovered disk, as images in a store of its own.
class MetadataOnDisk {
 public:
  MetadataOnDisk(const CrashScene& scene, const RecoveredDisk& disk)
      : scene_(scene),
        disk_(disk),
        layout_{.geometry = scene.geometry},
        bytes_(layout_, scene.images, scene.history) {}

  // Whatever may be metadata: what the committed state has, and blocks that look like it.
  void Read(const MetadataImages& committed) {
    const Geometry& geometry = scene_.geometry;
    for (const auto& [pblk, image] : committed) Add(pblk);
    for (Pblk pblk = geometry.first_data(); pblk < geometry.blocks; ++pblk) {
      if (KindOf(disk_.At(pblk, 0)) == ContentKind::kImage && !found_.contains(pblk)) Add(pblk);
    }
  }
  RecoveredTree Check() const { return CheckMetadata(scene_.geometry, images_, found_); }

 private:
  void Add(Pblk pblk) { found_[pblk] = images_.Add(ContentOf(pblk), pblk); }

  BlockContent ContentOf(Pblk pblk) {
    const Geometry& geometry = scene_.geometry;
    const SectorContent first = disk_.At(pblk, 0);
    const ImageId image = ImageOf(first);
    bool whole = KindOf(first) == ContentKind::kImage && scene_.images.PblkOf(image) == pblk;
    for (uint32_t i = 0; i < geometry.sectors_per_block(); ++i) {
      whole &= disk_.At(pblk, i) == ImageContent(image, i);
    }
    if (whole) return scene_.images.Get(image);
    DiskBytes block;
    for (uint32_t i = 0; i < geometry.sectors_per_block(); ++i) {
      const DiskBytes sector = bytes_.At(geometry.first_sector(pblk) + i, disk_.At(pblk, i));
      block.insert(block.end(), sector.begin(), sector.end());
    }
    return ParseBlock(geometry, pblk, block);
  }

  const CrashScene& scene_;
  const RecoveredDisk& disk_;
  DiskLayout layout_;
  SectorBytes bytes_;
  ImageStore images_;
  MetadataImages found_;
};

// The log once more, as PASS_SCAN reads it where a checksum is wrong [fs/jbd2/recovery.c,
// do_one_pass()]: a descriptor or revoke block that is torn, but begins as it should, ends the log
// only if the commit block of its transaction is not there either. If it is, recovery fails.
// Without checksums nothing is wrong.
class TornLog {
 public:
  TornLog(const CrashScene& scene, const DiskState& state)
      : geometry_(scene.geometry), images_(scene.images), view_(state) {}

  // The transaction whose commit block is there although not all of the blocks before it are; 0.
  Tid Find() {
    if (geometry_.journal_checksum == JournalChecksum::kNone) return 0;
    const uint64_t first = geometry_.first_sector(geometry_.journal());
    const auto& super = std::get<JournalSuperblock>(images_.Get(ImageOf(view_.At(first)[0])));
    if (super.s_start == 0) return 0;
    next_ = super.s_start;
    for (Tid tid = super.s_sequence;; ++tid) {
      if (!Walk(tid)) return 0;
      if (torn_) return tid;
    }
  }

 private:
  // True if the commit block of `tid` is there; torn_ says whether a block before it is torn.
  bool Walk(Tid tid) {
    torn_ = false;
    for (uint32_t blocks = 0; blocks < geometry_.journal_blocks; ++blocks) {
      const Pblk pblk = geometry_.journal() + next_;
      const ImageId image = FindImage(view_, geometry_, images_, pblk, [&](const auto& content) {
        return SequenceOf(content) == tid;
      });
      if (image == 0) return false;
      Skip(1);
      const bool whole =
          PresenceOf(view_, geometry_, images_, pblk, image) != Presence::kImpossible;
      const BlockContent& content = images_.Get(image);
      if (std::holds_alternative<JournalCommit>(content)) return whole;
      torn_ |= !whole;
      if (const auto* descriptor = std::get_if<JournalDescriptor>(&content)) {
        Skip(static_cast<uint32_t>(descriptor->tags.size()));
      }
    }
    return false;
  }
  void Skip(uint32_t blocks) { next_ = 1 + (next_ - 1 + blocks) % (geometry_.journal_blocks - 1); }

  const Geometry& geometry_;
  const ImageStore& images_;
  StateView view_;
  uint32_t next_ = 1;  // log block
  bool torn_ = false;
};

// Orphan cleanup leaves no block beyond the size.
std::vector<Extent> ExtentsAfterCleanup(const RecoveredFile& file, uint32_t block_bytes) {
  if (!file.orphan) return file.extents;
  const auto end = static_cast<Lblk>((file.size_bytes + block_bytes - 1) / block_bytes);
  std::vector<Extent> extents;
  for (Extent extent : file.extents) {
    if (extent.ee_block >= end) break;
    extent.ee_len = std::min(extent.ee_len, end - extent.ee_block);
    extents.push_back(extent);
  }
  return extents;
}

PredictedFile Predict(const Geometry& geometry, const RecoveredDisk& disk,
                      const RecoveredFile& file) {
  PredictedFile predicted{.name = file.name,
                          .ino = file.key.ino,
                          .size_bytes = file.size_bytes,
                          .extents = ExtentsAfterCleanup(file, geometry.block_bytes)};
  const uint64_t granules = (file.size_bytes + kGranuleBytes - 1) / kGranuleBytes;
  predicted.granules.resize(granules, kZeroContent);
  predicted.sectors.resize(granules);
  for (const Extent& extent : predicted.extents) {
    if (extent.unwritten) continue;
    for (uint32_t b = 0; b < extent.ee_len; ++b) {
      for (uint32_t i = 0; i < geometry.sectors_per_block(); ++i) {
        const uint64_t granule = geometry.first_sector(extent.ee_block + b) + i;
        if (granule >= granules) break;
        predicted.sectors[granule] = geometry.first_sector(extent.ee_start + b) + i;
        predicted.granules[granule] = disk.At(extent.ee_start + b, i);
      }
    }
  }
  return predicted;
}

std::vector<OracleVerdict> Verdicts(const CrashScene& scene, const std::vector<CrashFault>& faults,
                                    bool data_writeback) {
  std::vector<OracleVerdict> verdicts;
  for (const char* const oracle : {"stale_data", "lost_data", "torn_operation", "metadata"}) {
    verdicts.push_back({oracle, {}});
  }
  for (const CrashFault& fault : faults) {
    if (data_writeback && WithinWritebackContract(fault)) continue;
    const auto verdict = absl::c_find_if(verdicts, [&](const OracleVerdict& candidate) {
      return candidate.oracle == FindingKindOf(fault);
    });
    SIM_CHECK(verdict != verdicts.end());
    verdict->findings.push_back(MessageOf(scene, fault));
  }
  return verdicts;
}

}  // namespace

StateReport ReportState(const CrashScene& scene, const DiskState& state, bool data_writeback) {
  const StateView view(state);
  std::vector<Outcome> outcomes = ScanJournal(view, scene.geometry, scene.images);
  SIM_CHECK(outcomes.size() == 1);
  const PossibleRecovery recovery(scene.geometry, std::move(outcomes.front()));
  FamilyJudge judge(view, scene.geometry, scene.images, scene.history, scene.states,
                    scene.recovery_rules);
  const std::vector<CrashFault> faults = judge.JudgeAll(recovery);

  StateReport report;
  report.outcome = recovery.outcome;
  report.verdicts = Verdicts(scene, faults, data_writeback);
  if (recovery.outcome.fails_at != 0) {
    for (const CrashFault& fault : faults) report.why_not.push_back(MessageOf(scene, fault));
    return report;
  }
  const RecoveredDisk disk(scene.geometry, state, recovery.replay);
  MetadataOnDisk metadata(scene, disk);
  metadata.Read(scene.states.Images(recovery.outcome.recovered));
  const RecoveredTree tree = metadata.Check();
  for (const MetadataFault& fault : tree.faults) report.why_not.push_back(fault.message);
  for (const CrashFault& fault : faults) {
    if (fault.what == CrashFault::What::kTornCopy)
      report.why_not.push_back(MessageOf(scene, fault));
  }
  if (TornLog(scene, state).Find() != 0) {
    report.why_not.push_back("the log has a commit record, but not all that comes before it");
  }
  report.sound = report.why_not.empty();
  report.orphans = tree.orphans;
  for (const RecoveredFile& file : tree.files) {
    report.files.push_back(Predict(scene.geometry, disk, file));
  }
  return report;
}

}  // namespace model
