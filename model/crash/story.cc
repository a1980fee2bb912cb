#include "model/crash/story.h"

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace model {
namespace {

using What = CrashFault::What;

std::string FileName(const CrashScene& scene, FileKey key) {
  const History::File* file = scene.history.Find(key);
  return file != nullptr ? file->name : absl::StrFormat("inode %d", key.ino);
}

const char* SyncName(SyncKind kind) {
  static constexpr const char* kNames[] = {"fsync", "fdatasync", "sync"};
  return kNames[static_cast<int>(kind)];
}

const char* PromiseName(const CrashScene& scene, FileKey key) {
  return SyncName(scene.history.Find(key)->promise->kind);
}

std::string DamageText(const CrashScene& scene, const CrashFault& fault) {
  switch (fault.damage) {
    case Damage::kFormerDisk:
      return "shows the disk's former contents";
    case Damage::kMetadataBlock:
      return "shows a metadata block";
    case Damage::kOtherFile:
      return absl::StrCat("shows data of ", FileName(scene, fault.other));
    case Damage::kOtherPlace:
      return "shows its own data from another place";
    case Damage::kTruncated:
      return "shows data that a truncate had removed";
    case Damage::kNeverZero:
      return "reads as zeros where there was only ever data";
    case Damage::kLost:
      return absl::StrCat("lost what ", PromiseName(scene, fault.file), " made durable");
  }
  return "";
}

// The block's name by what the metadata has at that place at any time.
std::string BlockName(const CrashScene& scene, Pblk pblk) {
  const Geometry& geometry = scene.geometry;
  if (pblk == geometry.superblock()) return "superblock";
  if (pblk == geometry.group_descriptors()) return "group descriptor block";
  if (pblk == geometry.block_bitmap()) return "block bitmap";
  if (pblk == geometry.inode_bitmap()) return "inode bitmap";
  if (pblk < geometry.root_directory()) return "inode table block";
  if (pblk == geometry.root_directory()) return "root directory's block";
  if (pblk == geometry.lost_found()) return "block of lost+found";
  return "extent node or directory block";
}

std::string ContentText(const CrashScene& scene, SectorContent content) {
  switch (KindOf(content)) {
    case ContentKind::kZero:
      return "zeros";
    case ContentKind::kStale:
      return "what was there before mkfs";
    case ContentKind::kImage:
      return BlockContentName(scene.images.Get(ImageOf(content)));
    case ContentKind::kData: {
      const History::Write& write = scene.history.write(WriteOf(content));
      return absl::StrFormat("write %d: bytes %d on of %s", WriteOf(content),
                             uint64_t{GranuleIndexOf(content)} * kGranuleBytes,
                             FileName(scene, write.file));
    }
    case ContentKind::kMixed: {
      std::string text;
      for (const GranuleRun& run : scene.history.granules().Runs(content)) {
        absl::StrAppend(&text, text.empty() ? "" : "; ", "up to ", run.end_byte, " ",
                        ContentText(scene, run.content));
      }
      return text;
    }
  }
  return "";
}

// --- The state -----------------------------------------------------------------------------------

// Which pending writes a state needs to be there or lost, by sector.
class StateTeller {
 public:
  explicit StateTeller(const CrashScene& scene) : scene_(scene) {}

  void Holds(uint64_t sector, SectorContent content) {
    bool later = scene_.device.durable(sector) == content;
    for (const sim::PendingVersion& version : scene_.device.pending(sector)) {
      if (version.content == content) {
        there_[version.bio].push_back(sector);
        later = true;
      } else if (later) {
        lost_[version.bio].push_back(sector);
      }
    }
  }

  void Lacks(uint64_t sector, SectorContent content) {
    for (const sim::PendingVersion& version : scene_.device.pending(sector)) {
      if (version.content == content) lost_[version.bio].push_back(sector);
    }
  }

  std::string Text() const {
    std::string text;
    for (const auto& [bio, sectors] : lost_) Tell(text, "lost: ", bio, sectors);
    for (const auto& [bio, sectors] : there_) Tell(text, "there:", bio, sectors);
    return text;
  }

 private:
  using Writes = std::map<sim::BioId, std::vector<uint64_t>>;

  void Tell(std::string& text, const char* fate, sim::BioId id,
            const std::vector<uint64_t>& sectors) const {
    const sim::Bio& bio = scene_.device.bio(id);
    const std::string who =
        bio.submitter.valid() ? scene_.world.tasks()[bio.submitter.value]->name() : "an event";
    absl::StrAppendFormat(&text, "  %s bio %d, %s, sectors [%d, %d)", fate, id.value, bio.what,
                          bio.sector, bio.sector + bio.contents.size());
    const auto [low, high] = std::minmax_element(sectors.begin(), sectors.end());
    if (sectors.size() < bio.contents.size()) {
      absl::StrAppendFormat(&text, " of which %d in [%d, %d)", sectors.size(), *low, *high + 1);
    }
    absl::StrAppendFormat(&text, ", by %s at %d ns\n", who, bio.submitted_at);
    for (const sim::FrameSite* frame : scene_.world.stack_table().Frames(bio.stack)) {
      absl::StrAppendFormat(&text, "           %s (%s:%d)\n", frame->function, frame->site.file,
                            frame->site.line);
    }
  }

  const CrashScene& scene_;
  Writes lost_;
  Writes there_;
};

std::string LogText(const Outcome& outcome) {
  if (outcome.recovered < outcome.first) {
    return absl::StrFormat("the log is empty after transaction %d\n", outcome.recovered);
  }
  return absl::StrFormat("recovery replays transactions %d to %d\n", outcome.first,
                         outcome.recovered);
}

void HoldBlock(StateTeller& state, const Geometry& geometry, const LogBlock& block) {
  const uint32_t sectors = block.pblk == geometry.journal() ? 1 : geometry.sectors_per_block();
  for (uint32_t i = 0; i < sectors; ++i) {
    state.Holds(geometry.first_sector(block.pblk) + i, ImageContent(block.image, i));
  }
}

void LackBlock(StateTeller& state, const Geometry& geometry, const LogBlock& block) {
  for (uint32_t i = 0; i < geometry.sectors_per_block(); ++i) {
    state.Lacks(geometry.first_sector(block.pblk) + i, ImageContent(block.image, i));
  }
}

}  // namespace

const char* FindingKindOf(const CrashFault& fault) {
  switch (fault.what) {
    case What::kFile:
      return IsStale(fault.damage) ? "stale_data" : "lost_data";
    case What::kShort:
    case What::kMissing:
      return "lost_data";
    case What::kTornCopy:
    case What::kHomeOld:
    case What::kHomeNew:
    case What::kRecovery:
      return "torn_operation";
    case What::kHomeForeign:
    case What::kMetadata:
      return "metadata";
  }
  return "";
}

std::string MessageOf(const CrashScene& scene, const CrashFault& fault) {
  switch (fault.what) {
    case What::kFile:
      return absl::StrFormat("%s[%d,%d) %s", FileName(scene, fault.file), fault.begin, fault.end,
                             DamageText(scene, fault));
    case What::kShort:
      return absl::StrFormat("%s is shorter than %s made durable", FileName(scene, fault.file),
                             PromiseName(scene, fault.file));
    case What::kMissing:
      return absl::StrFormat("%s is gone although %s had made it durable",
                             FileName(scene, fault.file), PromiseName(scene, fault.file));
    case What::kTornCopy:
      return absl::StrFormat("the log has a commit record, but not its copy of the %s",
                             BlockName(scene, fault.pblk));
    case What::kHomeOld:
      return absl::StrFormat("the %s lacks a committed change, and the log no longer has it",
                             BlockName(scene, fault.pblk));
    case What::kHomeNew:
      return absl::StrFormat("the %s has a change of which the transaction is not recovered",
                             BlockName(scene, fault.pblk));
    case What::kHomeForeign:
      return absl::StrFormat("the %s is overwritten with something else",
                             BlockName(scene, fault.pblk));
    case What::kMetadata:
      return fault.metadata.message;
    case What::kRecovery:
      return "recovery that was interrupted gives something else when run again";
  }
  return "";
}

std::string IdentityOf(const CrashScene& scene, const CrashFault& fault) {
  if (fault.what != What::kFile)
    return absl::StrCat(FindingKindOf(fault), ":", MessageOf(scene, fault));
  return absl::StrCat(FindingKindOf(fault), ":", FileName(scene, fault.file), " ",
                      DamageText(scene, fault));
}

std::string DetailOf(const CrashScene& scene, const PossibleRecovery& recovery,
                     const CrashFault& fault) {
  std::string text =
      absl::StrCat("After a power cut at ", scene.world.now(), " ns, ", LogText(recovery.outcome));
  if (fault.what == What::kShort) {
    absl::StrAppendFormat(&text, "  size is %d, promised %d\n", fault.begin, fault.end);
  }
  if (!fault.metadata.detail.empty()) absl::StrAppend(&text, "  ", fault.metadata.detail, "\n");
  StateTeller state(scene);
  for (const LogBlock& block : recovery.outcome.found) HoldBlock(state, scene.geometry, block);
  if (recovery.outcome.missing.pblk != 0) {
    LackBlock(state, scene.geometry, recovery.outcome.missing);
  }
  for (const Witness& witness : fault.witnesses) {
    if (&witness == &fault.witnesses.front()) {
      absl::StrAppendFormat(&text, "  sector %d holds %s\n", witness.sector,
                            ContentText(scene, witness.content));
    }
    state.Holds(witness.sector, witness.content);
  }
  return absl::StrCat(text, state.Text());
}

}  // namespace model
