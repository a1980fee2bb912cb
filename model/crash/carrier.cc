#include "model/crash/carrier.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_format.h"
#include "model/crash/fault_text.h"

namespace model {
namespace {

using What = CrashFault::What;

// From which transaction up to `last` on `holds(tid)` has been so without a break; kNever: not so
// at `last`.
template <class Holds>
Tid HoldsSince(Tid last, Holds holds) {
  Tid since = CommittedStates::kNever;
  for (Tid tid = last + 1; tid-- > 0 && holds(tid);) since = tid;
  return since;
}

const RecoveredFile* FileIn(const RecoveredTree& tree, FileKey key) {
  const auto file =
      absl::c_find_if(tree.files, [&](const RecoveredFile& found) { return found.key == key; });
  return file != tree.files.end() ? &*file : nullptr;
}

// What made the bytes be read, and read from there.
std::string CarrierOfBytes(const CrashScene& scene, const Outcome& outcome,
                           const CrashFault& fault) {
  const std::string name = FileName(scene, fault.file);
  if (fault.pblk != 0) {
    const auto copy = absl::c_find_if(
        outcome.copies, [&](const LogCopy& found) { return found.blocknr == fault.pblk; });
    return absl::StrFormat("transaction %d has a copy of block %d, now part of %s, in the log",
                           copy->tid, fault.pblk, name);
  }
  if (!fault.witnesses.empty()) {
    const Pblk pblk = scene.geometry.block_of_sector(fault.witnesses.front().sector);
    const Tid since = HoldsSince(outcome.recovered, [&](Tid tid) {
      const RecoveredTree& tree = scene.states.Tree(tid);
      const BlockUse& use = tree.blocks[pblk];
      return use.kind == BlockUse::Kind::kData && tree.files[use.file].key == fault.file;
    });
    if (since == 0) return absl::StrFormat("block %d was part of %s before the run", pblk, name);
    return absl::StrFormat("transaction %d makes block %d readable, as part of %s", since, pblk,
                           name);
  }
  const Tid since = HoldsSince(outcome.recovered, [&](Tid tid) {
    const RecoveredFile* file = FileIn(scene.states.Tree(tid), fault.file);
    return file != nullptr && file->size_bytes >= fault.end;
  });
  if (since == 0) return absl::StrFormat("%s had that size before the run", name);
  return absl::StrFormat("transaction %d raises the size of %s to %d or more", since, name,
                         fault.end);
}

// What has the file as it was promised, and is not recovered.
std::string CarrierOfPromise(const CrashScene& scene, Tid recovered, const CrashFault& fault) {
  const std::string name = FileName(scene, fault.file);
  for (Tid tid = recovered + 1; tid <= scene.states.last(); ++tid) {
    const RecoveredFile* file = FileIn(scene.states.Tree(tid), fault.file);
    if (file == nullptr || file->size_bytes < fault.end) continue;
    return absl::StrFormat("transaction %d has %s as it was promised, and is not recovered", tid,
                           name);
  }
  return absl::StrFormat("no transaction written so far has %s as it was promised", name);
}

std::string CarrierOfBlock(const CrashScene& scene, const Outcome& outcome,
                           const CrashFault& fault) {
  if (fault.what == What::kTornCopy || fault.what == What::kTornReplay) {
    for (const LogCopy& copy : outcome.copies) {
      const uint64_t sector = scene.geometry.first_sector(copy.log_pblk);
      if (copy.blocknr != fault.pblk || fault.witnesses.front().sector < sector ||
          fault.witnesses.front().sector >= sector + scene.geometry.sectors_per_block()) {
        continue;
      }
      return absl::StrFormat("the copy is part of transaction %d", copy.tid);
    }
    return "";
  }
  const MetadataImages& state = scene.states.Images(outcome.recovered);
  if (fault.what == What::kHomeOld) {
    const auto wanted = state.find(fault.pblk);
    const Tid since = HoldsSince(outcome.recovered, [&](Tid tid) {
      const auto image = scene.states.Images(tid).find(fault.pblk);
      return image != scene.states.Images(tid).end() && image->second == wanted->second;
    });
    return absl::StrFormat("transaction %d changes block %d", since, fault.pblk);
  }
  if (fault.what != What::kHomeNew) return "";
  const ImageId image = ImageOf(fault.witnesses.front().content);
  for (Tid tid = outcome.recovered + 1; tid <= scene.states.last(); ++tid) {
    const auto found = scene.states.Images(tid).find(fault.pblk);
    if (found == scene.states.Images(tid).end() || found->second != image) continue;
    return absl::StrFormat("transaction %d, which is not recovered, changes block %d", tid,
                           fault.pblk);
  }
  return absl::StrFormat("a transaction that has not committed changes block %d", fault.pblk);
}

}  // namespace

std::string CarrierText(const CrashScene& scene, const Outcome& outcome, const CrashFault& fault) {
  switch (fault.what) {
    case What::kFile:
      return CarrierOfBytes(scene, outcome, fault);
    case What::kShort:
    case What::kMissing:
    case What::kOldName:
      return CarrierOfPromise(scene, outcome.recovered, fault);
    case What::kTornCopy:
    case What::kTornReplay:
    case What::kHomeOld:
    case What::kHomeNew:
      return CarrierOfBlock(scene, outcome, fault);
    case What::kHomeForeign:
    case What::kMetadata:
    case What::kName:
    case What::kRecovery:
    case What::kUnreadable:
      return "";
  }
  return "";
}

}  // namespace model
