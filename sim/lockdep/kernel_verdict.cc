#include "sim/lockdep/kernel_verdict.h"

#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "nlohmann/json.hpp"

namespace sim {
namespace {

using Json = nlohmann::ordered_json;

// The table's word for a kind of report.
std::string KindWord(const LockReport& report) {
  switch (report.kind) {
    case ReportKind::kLockCycle:
      return "circular";
    case ReportKind::kRecursiveLock:
      return "recursion";
    case ReportKind::kInconsistentUsage:
      return "inconsistent-usage";
    case ReportKind::kIrqInversion:
      return "irq-inversion";
    case ReportKind::kIrqOrder:
      return "irq-order";
    case ReportKind::kWaitContext:
      return "wait-context";
    case ReportKind::kNestNotHeld:
      return "nest-not-held";
    case ReportKind::kUnlockBalance:
      return "unlock-balance";
    case ReportKind::kHeldFreed:
      return "held-freed";
    case ReportKind::kMisuse:
      return absl::StartsWith(report.headline, "DEBUG_LOCKS_WARN_ON") ? "api-check" : "other";
    default:
      return "other";
  }
}

const Json* StringAt(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? &*it : nullptr;
}

// "ww_ctx->acquired > 0 at kernel/locking/ww_mutex.h:208" without the place.
std::string Condition(const Json& api_check) {
  const std::string text = api_check.get<std::string>();
  return text.substr(0, text.find(" at "));
}

// Without what differs from run to run, or between the kernel's names and ours: the process of
// "kt_leak/43 still has locks held!", the address in "key ffff888000bda9c0 has not been ...".
std::string Normalised(const std::string& headline) {
  std::vector<std::string> words = absl::StrSplit(headline, ' ');
  for (size_t i = 0; i < words.size(); ++i) {
    words[i] = words[i].substr(0, words[i].find('/'));
    if (i > 0 && words[i - 1] == "key") words[i].clear();
  }
  return absl::StrJoin(words, " ");
}

}  // namespace

bool SameHeadline(const std::string& kernel, const std::string& ours) {
  return absl::StartsWith(kernel, "WARNING: CPU:") || Normalised(kernel) == Normalised(ours);
}

std::string DifferenceFromKernel(const Json& test, const ProgramVerdict& verdict) {
  const auto expected =
      test.contains("must_report") ? test.find("must_report") : test.find("reported");
  if (expected == test.end() || !expected->is_boolean()) return "";
  if (expected->get<bool>() != !verdict.reports.empty()) {
    return expected->get<bool>() ? "the kernel reports, we do not" : "the kernel does not report";
  }
  if (verdict.reports.empty()) return "";
  const LockReport& report = verdict.reports.front();
  if (const Json* kind = StringAt(test, "report_kind"); kind && *kind != KindWord(report)) {
    return absl::StrCat("the kernel's report is of the kind ", kind->get<std::string>());
  }
  const auto at = test.find("report_at");
  if (at != test.end() && at->is_number_unsigned() && *at != verdict.report_at.front()) {
    return absl::StrCat("the kernel reports at operation ", at->get<size_t>(), ", we at ",
                        verdict.report_at.front());
  }
  const Json* check = StringAt(test, "api_check");
  if (check && report.headline != absl::StrCat("DEBUG_LOCKS_WARN_ON(", Condition(*check), ")")) {
    return absl::StrCat("the kernel's check is ", Condition(*check));
  }
  const auto headline = test.find("headline");
  if (headline != test.end() && headline->is_array() && !headline->empty() &&
      headline->front().is_string() &&
      !SameHeadline(headline->front().get<std::string>(), Headline(report))) {
    return absl::StrCat("the kernel's headline is ", headline->front().get<std::string>());
  }
  return "";
}

}  // namespace sim
