#include "model/crash/fault_text.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace model {
namespace {

using What = CrashFault::What;

const char* SyncName(SyncKind kind) {
  static constexpr const char* kNames[] = {"fsync", "fdatasync", "sync"};
  return kNames[static_cast<int>(kind)];
}

// The latest promise of all that may be meant.
const char* PromiseName(const CrashScene& scene, const CrashFault& fault) {
  const History::File& file = *scene.history.Find(fault.file);
  const bool of_range = absl::c_any_of(
      file.range_promises, [&](const RangePromise& range) { return range.Covers(fault.begin); });
  return of_range || !file.promise.has_value() ? "a sync of this range"
                                               : SyncName(file.promise->kind);
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
      return "shows data that a truncate or a hole had removed";
    case Damage::kNeverZero:
      return "reads as zeros where there was only ever data";
    case Damage::kLost:
      return absl::StrCat("lost what ", PromiseName(scene, fault), " made durable");
    case Damage::kUnflushed:
      return "lacks data that the rename over another file had started to write";
    case Damage::kUnreadable:
      return "cannot be read";
  }
  return "";
}

}  // namespace

std::string FileName(const CrashScene& scene, FileKey key) {
  const History::File* file = scene.history.Find(key);
  return file != nullptr ? file->name : absl::StrFormat("inode %d", key.ino);
}

std::string BlockName(const CrashScene& scene, Pblk pblk) {
  const Geometry& geometry = scene.geometry;
  if (pblk == geometry.journal()) return "journal superblock";
  if (geometry.InJournal(pblk)) {
    return absl::StrCat("log's block ", pblk - geometry.journal());
  }
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
    case ContentKind::kUnreadable:
      return "nothing that the device can read";
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

const char* FindingKindOf(const CrashFault& fault) {
  switch (fault.what) {
    case What::kFile:
      if (fault.damage == Damage::kUnreadable) return "unreadable";
      return IsStale(fault.damage) ? "stale_data" : "lost_data";
    case What::kShort:
    case What::kMissing:
    case What::kOldName:
      return "lost_data";
    case What::kName:
    case What::kTornCopy:
    case What::kTornReplay:
    case What::kHomeOld:
    case What::kHomeNew:
    case What::kRecovery:
      return "torn_operation";
    case What::kHomeForeign:
    case What::kMetadata:
      return "metadata";
    case What::kUnreadable:
      return "unreadable";
  }
  return "";
}

std::string MessageOf(const CrashScene& scene, const CrashFault& fault) {
  switch (fault.what) {
    case What::kFile:
      return absl::StrFormat("%s[%d,%d) %s", FileName(scene, fault.file), fault.begin, fault.end,
                             DamageText(scene, fault));
    case What::kShort:
      if (fault.damage == Damage::kUnflushed) {
        return absl::StrFormat("%s is shorter than the rename over another file had promised",
                               FileName(scene, fault.file));
      }
      return absl::StrFormat("%s is shorter than %s made durable", FileName(scene, fault.file),
                             PromiseName(scene, fault));
    case What::kMissing:
      return absl::StrFormat("%s is gone although %s had made it durable",
                             FileName(scene, fault.file), PromiseName(scene, fault));
    case What::kOldName:
      return absl::StrFormat("%s has not the name that %s had made durable",
                             FileName(scene, fault.file), PromiseName(scene, fault));
    case What::kTornCopy:
      return absl::StrFormat("the log has a commit record, but not its copy of the %s",
                             BlockName(scene, fault.pblk));
    case What::kTornReplay:
      return absl::StrFormat("the %s is replayed from a block of the log that is not its copy",
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
    case What::kUnreadable:
      return absl::StrFormat("the %s cannot be read", BlockName(scene, fault.pblk));
    case What::kMetadata:
    case What::kName:
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

}  // namespace model
