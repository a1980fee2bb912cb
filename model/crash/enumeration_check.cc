#include "model/crash/enumeration_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/crash/fault_text.h"
#include "model/crash/name_rules.h"
#include "model/ondisk/render.h"

namespace model {
namespace {

using What = CrashFault::What;

std::string FactOf(const CrashFault& fault) {
  switch (fault.what) {
    case What::kFile:
      return "";
    case What::kShort:
      return absl::StrCat(fault.damage == Damage::kLost ? "short " : "short since a rename ",
                          fault.file.ino);
    case What::kMissing:
      return absl::StrCat("missing ", fault.file.ino);
    case What::kOldName:
      return absl::StrCat("old name ", fault.file.ino);
    case What::kName:
      return absl::StrCat("name: ", fault.metadata.message);
    case What::kTornCopy:
      return absl::StrCat("copy ", fault.pblk);
    case What::kTornReplay:
    case What::kHomeOld:
    case What::kHomeNew:
    case What::kHomeForeign:
    case What::kUnreadable:
      return absl::StrCat("home ", fault.pblk);
    case What::kMetadata:
      return absl::StrCat("metadata: ", fault.metadata.message);
    case What::kRecovery:
      return "recovery";
  }
  return "";
}

}  // namespace

void AddFaults(const std::vector<CrashFault>& faults, FamilyVerdict& verdict) {
  for (const CrashFault& fault : faults) {
    if (fault.what == What::kFile) {
      verdict.AddBytes({fault.file, fault.damage, fault.other}, fault.begin, fault.end);
    } else {
      verdict.Add(FactOf(fault));
    }
  }
}

// --- One disk ------------------------------------------------------------------------------------

void HistoryOracle::Judge(const DiskState& disk, Tid recovered, FamilyVerdict& verdict) {
  const Geometry& geometry = scene_.geometry;
  const RecoveredTree& tree = scene_.states.Tree(recovered);
  const MetadataImages& committed = scene_.states.Images(recovered);
  std::vector<CrashFault> faults;
  for (const MetadataFault& fault : tree.faults) {
    faults.push_back({.what = What::kMetadata, .metadata = fault});
  }
  for (const MetadataFault& fault : CheckNames(scene_.history, tree, recovered)) {
    faults.push_back({.what = What::kName, .metadata = fault});
  }
  for (const Pblk pblk : tree.metadata) {
    const auto image = committed.find(pblk);
    if (image == committed.end()) continue;
    for (uint32_t i = 0; i < geometry.sectors_per_block(); ++i) {
      const SectorContent is = disk[geometry.first_sector(pblk) + i];
      const SectorContent want = ImageContent(image->second, i);
      if (is == want || SameBytes(geometry, scene_.images, is, want)) continue;
      faults.push_back({.what = What::kHomeOld, .pblk = pblk});
    }
  }
  std::set<FileKey> there;
  for (const RecoveredFile& file : tree.files) {
    there.insert(file.key);
    const History::File* known = scene_.history.Find(file.key);
    if (known == nullptr) continue;
    if (file.size_bytes < PromisedSize(*known, recovered)) {
      faults.push_back({.what = What::kShort, .file = file.key, .damage = Damage::kLost});
    }
    if (file.size_bytes < SizePromisedByRename(*known, recovered)) {
      faults.push_back({.what = What::kShort, .file = file.key, .damage = Damage::kUnflushed});
    }
    if (!file.inline_data) JudgeFile(disk, recovered, file, *known, verdict);
  }
  for (const auto& [key, file] : scene_.history.files()) {
    if (!PromisedToExist(file, recovered)) continue;
    if (!there.contains(key)) {
      faults.push_back({.what = What::kMissing, .file = key});
    } else if (LacksPromisedName(file, recovered)) {
      faults.push_back({.what = What::kOldName, .file = key});
    }
  }
  AddFaults(faults, verdict);
}

void HistoryOracle::JudgeFile(const DiskState& disk, Tid recovered, const RecoveredFile& file,
                              const History::File& known, FamilyVerdict& verdict) {
  const Geometry& geometry = scene_.geometry;
  const uint64_t granules = (file.size_bytes + kGranuleBytes - 1) / kGranuleBytes;
  std::vector<SectorContent> contents(granules, kZeroContent);
  for (const Extent& extent : file.extents) {
    if (extent.unwritten) continue;
    const uint64_t first = geometry.first_sector(extent.ee_block);
    const uint64_t end = std::min(granules, first + geometry.first_sector(extent.ee_len));
    for (uint64_t i = first; i < end; ++i) {
      contents[i] = disk[geometry.first_sector(extent.ee_start) + (i - first)];
    }
  }
  for (uint32_t i = 0; i < granules; ++i) {
    const FileKey& key = file.key;
    if (!judged_.insert({recovered, key.ino, key.generation, i, contents[i]}).second) continue;
    JudgeGranule(scene_.history, known, {recovered, file.size_bytes, geometry.block_bytes}, i,
                 contents[i], damage_);
    for (const ByteRun& run : damage_) {
      const uint64_t pos = uint64_t{i} * kGranuleBytes;
      verdict.AddBytes({file.key, run.damage, run.other}, pos + run.begin, pos + run.end);
    }
  }
}

// --- Families ------------------------------------------------------------------------------------

void EnumerationCount::Merge(const EnumerationCount& other) {
  families += other.families;
  larger += other.larger;
  states += other.states;
  if (disagreements == 0) first_disagreement = other.first_disagreement;
  disagreements += other.disagreements;
}

void EnumerationCheck::OnFamily(const CrashScene& scene,
                                const std::vector<PossibleRecovery>& recoveries) {
  HistoryOracle oracle(scene);
  StateEnumerator enumerator(scene.device, scene.geometry, scene.images, scene.recovery_rules,
                             oracle);
  const std::optional<uint64_t> states = enumerator.States(limit_);
  if (!states.has_value()) {
    ++count_.larger;
    return;
  }
  ++count_.families;
  count_.states += *states;
  const FamilyVerdict seen = enumerator.JudgeAllStates();
  const DeviceView view(scene.device);
  FamilyJudge judge(view, scene.geometry, scene.images, scene.history, scene.states,
                    scene.recovery_rules);
  FamilyVerdict judged;
  for (const PossibleRecovery& recovery : recoveries) AddFaults(judge.JudgeAll(recovery), judged);
  if (const std::string fact = seen.FirstNotIn(judged); !fact.empty()) {
    Disagree(scene, absl::StrCat("a state shows what its family does not: ", fact));
  } else if (const std::string other = judged.FirstNotIn(seen); !other.empty()) {
    Disagree(scene, absl::StrCat("a family shows what none of its states does: ", other));
  }
  for (const auto& [damage, ranges] : seen.bytes()) {
    const auto& [file, what, other] = damage;
    const CrashFault fault{.what = What::kFile, .file = file, .damage = what, .other = other};
    if (data_writeback_ && WithinWritebackContract(fault)) continue;
    seen_.insert(IdentityOf(scene, fault));
  }
}

void EnumerationCheck::OnFault(const CrashScene& scene, const CrashFault& fault,
                               const MinimalState&, const sim::Finding&) {
  reported_.insert(IdentityOf(scene, fault));
}

void EnumerationCheck::OnEnd(const CrashScene& scene) {
  for (const std::string& identity : seen_) {
    if (reported_.contains(identity)) continue;
    Disagree(scene, absl::StrCat("states have shown what was not reported: ", identity));
  }
}

void EnumerationCheck::Disagree(const CrashScene& scene, const std::string& how) {
  if (count_.disagreements++ == 0) {
    count_.first_disagreement = absl::StrCat("at ", scene.world.now(), " ns, ", how);
  }
}

}  // namespace model
