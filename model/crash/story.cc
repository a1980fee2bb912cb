#include "model/crash/story.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/crash/broken_rule.h"
#include "model/crash/carrier.h"
#include "model/crash/fault_text.h"
#include "model/crash/writes_text.h"

namespace model {
namespace {

std::string LogText(const Outcome& outcome) {
  if (outcome.fails_at != 0) {
    return absl::StrFormat("recovery fails at block %d: nothing is mounted\n", outcome.fails_at);
  }
  if (outcome.recovered < outcome.first) {
    return absl::StrFormat("the log is empty after transaction %d\n", outcome.recovered);
  }
  return absl::StrFormat("recovery replays transactions %d to %d\n", outcome.first,
                         outcome.recovered);
}

}  // namespace

std::string DetailOf(const CrashScene& scene, const CrashFault& fault,
                     const MinimalState& minimal) {
  std::string text =
      absl::StrCat("After a power cut at ", scene.world.now(), " ns, ", LogText(minimal.outcome));
  if (fault.what == CrashFault::What::kShort) {
    absl::StrAppendFormat(&text, "  size is %d, promised %d\n", fault.begin, fault.end);
  }
  if (!fault.metadata.detail.empty()) absl::StrAppend(&text, "  ", fault.metadata.detail, "\n");
  if (!fault.witnesses.empty()) {
    const Witness& witness = fault.witnesses.front();
    absl::StrAppendFormat(&text, "  sector %d holds %s\n", witness.sector,
                          ContentText(scene, witness.content));
  }
  const std::string carrier = CarrierText(scene, minimal.outcome, fault);
  if (!carrier.empty()) absl::StrAppend(&text, "  ", carrier, "\n");
  absl::StrAppend(&text, WritesText(scene, minimal));
  return absl::StrCat(text, "  rule:  ", BrokenRule(scene, fault), "\n");
}

}  // namespace model
