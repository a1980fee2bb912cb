#include "sim/lockdep/report.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sim {
namespace {

const char* IrqName(UsageBit bit) { return IsSoftirq(bit) ? "SOFTIRQ" : "HARDIRQ"; }

// "A --> B --> A", from the lock whose name sorts first, so that it is the same whichever
// dependency closed the cycle.
std::string CycleMessage(const LockCycle& cycle) {
  std::vector<std::string> names;
  for (const LockEdge& edge : cycle.edges) names.push_back(edge.held.lock.Text());
  std::rotate(names.begin(), std::min_element(names.begin(), names.end()), names.end());
  names.push_back(names.front());
  return absl::StrJoin(names, " --> ");
}

std::string PathMessage(const IrqConflict& irq) {
  if (irq.path.empty()) return irq.safe.lock.Text();
  std::vector<std::string> names = {irq.path.front().held.lock.Text()};
  for (const LockEdge& edge : irq.path) names.push_back(edge.acquired.lock.Text());
  return absl::StrJoin(names, " --> ");
}

}  // namespace

std::string LockName::Text() const {
  return subclass == 0 ? name : absl::StrCat(name, "/", subclass);
}

const char* VerdictName(CycleVerdict verdict) {
  switch (verdict) {
    case CycleVerdict::kPossible:
      return "possible";
    case CycleVerdict::kGuarded:
      return "guarded";
    case CycleVerdict::kSameTask:
      return "same task only";
  }
  return "";
}

const char* FindingKind(ReportKind kind) {
  switch (kind) {
    case ReportKind::kLockCycle:
      return "lock_cycle";
    case ReportKind::kRecursiveLock:
      return "recursive_lock";
    case ReportKind::kInconsistentUsage:
    case ReportKind::kIrqInversion:
    case ReportKind::kIrqOrder:
      return "irq_inversion";
    default:
      return "lock_misuse";
  }
}

std::string Headline(const LockReport& report) {
  switch (report.kind) {
    case ReportKind::kLockCycle:
      return "WARNING: possible circular locking dependency detected";
    case ReportKind::kRecursiveLock:
      return "WARNING: possible recursive locking detected";
    case ReportKind::kInconsistentUsage:
      return "WARNING: inconsistent lock state";
    case ReportKind::kIrqInversion:
      return "WARNING: possible irq lock inversion dependency detected";
    case ReportKind::kIrqOrder: {
      const char* irq = IrqName(report.irq.safe_bit);
      return absl::StrCat("WARNING: ", irq, "-safe -> ", irq, "-unsafe lock order detected");
    }
    case ReportKind::kWaitContext:
      return "[ BUG: Invalid wait context ]";
    case ReportKind::kNestNotHeld:
      return "WARNING: Nested lock was not taken";
    case ReportKind::kUnlockBalance:
      return "WARNING: bad unlock balance detected!";
    case ReportKind::kHeldAtExit:
      return absl::StrCat("WARNING: ", report.actor.name, " still has locks held!");
    case ReportKind::kHeldInUserSpace:
      return "WARNING: lock held when returning to user space!";
    case ReportKind::kHeldFreed:
      return "WARNING: held lock freed!";
    case ReportKind::kNotHeld:
      return "WARNING: lock is not held";
    case ReportKind::kMisuse:
      return report.headline;
  }
  return "";
}

std::string Message(const LockReport& report) {
  const std::string headline = Headline(report);
  switch (report.kind) {
    case ReportKind::kLockCycle:
      return absl::StrCat(headline, ": ", CycleMessage(report.cycle));
    case ReportKind::kInconsistentUsage:
    case ReportKind::kIrqInversion:
    case ReportKind::kIrqOrder:
      return absl::StrCat(headline, ": ", PathMessage(report.irq), ", {",
                          UsageName(report.irq.safe_bit), "} and {",
                          UsageName(report.irq.unsafe_bit), "}");
    case ReportKind::kWaitContext:
      return absl::StrCat(headline, ": ", report.lock.lock.Text(),
                          report.holding.lock.name.empty() ? " in an interrupt" : " under ",
                          report.holding.lock.Text());
    case ReportKind::kUnlockBalance:
    case ReportKind::kHeldFreed:
    case ReportKind::kNotHeld:
    case ReportKind::kMisuse:
      return absl::StrCat(headline, ": ", report.lock.lock.Text(), " at ", report.lock.site.file,
                          ":", report.lock.site.line);
    default:
      return absl::StrCat(headline, ": ", report.lock.lock.Text());
  }
}

}  // namespace sim
