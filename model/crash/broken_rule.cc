#include "model/crash/broken_rule.h"

#include "absl/algorithm/container.h"

namespace model {
namespace {

using What = CrashFault::What;

// What was to be seen there has been written since by somebody who should have waited.
bool IsOvertaken(const CrashScene& scene, const CrashFault& fault) {
  if (fault.witnesses.empty()) return false;
  const Witness& witness = fault.witnesses.front();
  return absl::c_any_of(
      scene.device.pending(witness.sector),
      [&](const sim::PendingVersion& version) { return version.content == witness.content; });
}

constexpr char kRenameRule[] =
    "a rename over a file first has what is delayed of the new one allocated, as ordered data of a "
    "transaction that commits with the rename or before";
constexpr const char* kDeviceReads = "a device can read what it has said to have written";

const char* RuleOfBytes(const CrashScene& scene, const CrashFault& fault) {
  switch (fault.damage) {
    case Damage::kFormerDisk:
    case Damage::kOtherFile:
    case Damage::kOtherPlace:
      return IsOvertaken(scene, fault)
                 ? "a block that a transaction frees is written for somebody else only once that "
                   "transaction has committed"
                 : "a transaction that makes a block readable commits only once the block's data "
                   "is on the device";
    case Damage::kMetadataBlock:
      return "a block that was metadata is revoked when it is freed, and not replayed over what it "
             "holds then";
    case Damage::kTruncated:
      return "what a committed truncate or hole has removed never shows again: the rest of its "
             "last block is zeroed on the device";
    case Damage::kNeverZero:
      return "a committed size covers appended bytes only once these are on the device";
    case Damage::kLost:
      return "what a sync has found written is durable when it returns: written, and flushed";
    case Damage::kUnflushed:
      return kRenameRule;
    case Damage::kUnreadable:
      return kDeviceReads;
  }
  return "";
}

}  // namespace

const char* BrokenRule(const CrashScene& scene, const CrashFault& fault) {
  switch (fault.what) {
    case What::kFile:
      return RuleOfBytes(scene, fault);
    case What::kShort:
      if (fault.damage == Damage::kUnflushed) return kRenameRule;
      [[fallthrough]];
    case What::kMissing:
    case What::kOldName:
      return "name and size are durable when a sync returns: it waits for the commit";
    case What::kTornCopy:
    case What::kTornReplay:
      return "a commit record is written only once all that its transaction has in the log is "
             "durable";
    case What::kHomeOld:
      return "the tail of the log passes a transaction only once its blocks are durable at home";
    case What::kHomeNew:
      return "a block is written home only once the transaction that changed it has committed";
    case What::kHomeForeign:
      return "a metadata block in use is overwritten with nothing else";
    case What::kName:
      return "all that an operation changes in a directory is part of one transaction";
    case What::kMetadata:
      return "each transaction takes sound metadata to sound metadata";
    case What::kRecovery:
      return "recovery flushes what it has written home before it marks the log empty";
    case What::kUnreadable:
      return kDeviceReads;
  }
  return "";
}

}  // namespace model
