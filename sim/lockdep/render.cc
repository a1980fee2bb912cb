// Reports as text, in the kernel's layout.

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "sim/lockdep/report.h"

namespace sim {
namespace {

constexpr absl::string_view kNotes = "\nother info that might help us debug this:\n";
constexpr absl::string_view kDeadlock = "\n *** DEADLOCK ***\n\n";
constexpr absl::string_view kCpu1 = "                               ";

std::string Wait(const LockName& lock) {
  return absl::StrCat("-{", static_cast<int>(lock.outer), ":", static_cast<int>(lock.inner), "}");
}

// "(name){+.+.}-{3:3}"
std::string Described(const LockName& lock) {
  return absl::StrCat("(", lock.Text(), "){", UsageString(lock.usage), "}", Wait(lock));
}

std::string At(const LockUse& use) { return PlaceText(use.frames, use.site); }

std::string LockLine(const LockUse& use) {
  return absl::StrCat(use.instance, use.instance.empty() ? "" : " ", Described(use.lock),
                      ", at: ", At(use), "\n");
}

std::string Frames(const LockUse& use, absl::string_view indent) {
  std::string text;
  for (const std::string& line : StackLines(use.frames, use.site)) {
    absl::StrAppend(&text, indent, line, "\n");
  }
  return text;
}

std::string Who(const LockActor& actor) {
  return actor.task.valid() ? absl::StrCat(actor.name, "/", actor.task.value) : actor.name;
}

std::string IrqWord(const LockActor& actor) {
  const IrqState& irq = actor.irq;
  return absl::StrCat("[HC", irq.in_hardirq ? 1 : 0, ":SC", irq.in_softirq ? 1 : 0, ":HE",
                      irq.hardirqs_on ? 1 : 0, ":SE", irq.softirqs_on ? 1 : 0, "]");
}

std::string Takes(const LockUse& use) {
  const char* verb = use.sync ? "sync(" : use.read != ReadMode::kExclusive ? "rlock(" : "lock(";
  return absl::StrCat(verb, use.lock.Text(), ");\n");
}

std::string Locks(const LockName& lock) { return absl::StrCat("lock(", lock.Text(), ");\n"); }

std::string HeldLines(const LockReport& report) {
  const size_t count = report.held.size();
  if (count == 0) return absl::StrCat("no locks held by ", Who(report.actor), ".\n");
  std::string text =
      absl::StrCat(count, count == 1 ? " lock" : " locks", " held by ", Who(report.actor), ":\n");
  for (size_t i = 0; i < count; ++i) {
    absl::StrAppend(&text, " #", i, ": ", LockLine(report.held[i]));
  }
  return text;
}

std::string TwoCpus() {
  return absl::StrCat("       CPU0                    CPU1\n",
                      "       ----                    ----\n");
}

std::string Dependency(const LockEdge& edge, absl::string_view head, absl::string_view by = "by ") {
  const std::string event = Described(edge.held.lock);
  const std::string held = edge.learnt ? absl::StrCat(", before it brought about ", event,
                                                      " (as all did who were seen to) at:\n")
                                       : absl::StrCat(", holding ", event, " taken at:\n");
  return absl::StrCat("\n", head, " ", Described(edge.acquired.lock), ":\n",
                      Frames(edge.acquired, "       "), "     ", by, Who(edge.actor), held,
                      Frames(edge.held, "       "));
}

// The number of the execution, if not all that the cycle rests on was seen in one.
std::string InExecution(const LockCycle& cycle, const LockEdge& edge) {
  const bool one = std::all_of(cycle.edges.begin(), cycle.edges.end(), [&](const LockEdge& other) {
    return other.actor.execution == edge.actor.execution;
  });
  return one ? "" : absl::StrCat("in execution ", edge.actor.execution, " ");
}

std::string CycleBody(const LockReport& report) {
  const std::vector<LockEdge>& edges = report.cycle.edges;
  const LockEdge& closing = edges.front();
  std::string text =
      absl::StrCat(Who(report.actor), " is trying to acquire lock:\n", LockLine(closing.acquired),
                   "\nbut task is already holding lock:\n", LockLine(closing.held),
                   "\nwhich lock already depends on the new lock.\n\n",
                   "\nthe existing dependency chain (in reverse order) is:\n");
  for (size_t i = edges.size(); i-- > 0;) {
    const std::string by = absl::StrCat(i == 0 ? "the new order, " : "a known order, first seen ",
                                        InExecution(report.cycle, edges[i]), "by ");
    absl::StrAppend(&text, Dependency(edges[i], absl::StrCat("-> #", i), by));
  }
  absl::StrAppend(&text, kNotes, "\n", "By the orders seen: ", VerdictName(report.cycle.verdict),
                  report.cycle.why.empty() ? "" : "; ", report.cycle.why, "\n\n");
  if (edges.size() > 2) {
    const auto name = [](std::string* out, const LockEdge& edge) {
      absl::StrAppend(out, edge.acquired.lock.Text());
    };
    absl::StrAppend(&text, "Chain exists of:\n  ", absl::StrJoin(edges, " --> ", name), "\n\n");
  }
  const LockEdge& last = edges.back();  // what leads back to the lock held
  absl::StrAppend(&text, " Possible unsafe locking scenario:\n\n", TwoCpus(), "  ",
                  Takes(closing.held), kCpu1, Locks(last.held.lock), kCpu1,
                  last.acquired.sync ? Takes(last.acquired) : Locks(last.acquired.lock), "  ",
                  Takes(closing.acquired), kDeadlock);
  return text;
}

std::string RecursionBody(const LockReport& report) {
  return absl::StrCat(Who(report.actor), " is trying to acquire lock:\n", LockLine(report.lock),
                      "\nbut task is already holding lock:\n", LockLine(report.holding), kNotes,
                      " Possible unsafe locking scenario:\n\n       CPU0\n       ----\n  ",
                      Locks(report.lock.lock), "  ", Locks(report.lock.lock), kDeadlock,
                      " May be due to missing lock nesting notation\n\n");
}

std::string UsageBody(const LockReport& report) {
  const IrqConflict& irq = report.irq;
  // The earlier of the two uses is the registered one.
  const bool now_unsafe =
      report.lock.site.line == irq.unsafe.site.line && report.actor.step == irq.unsafe_actor.step;
  const UsageBit before = now_unsafe ? irq.safe_bit : irq.unsafe_bit;
  const UsageBit after = now_unsafe ? irq.unsafe_bit : irq.safe_bit;
  return absl::StrCat("inconsistent {", UsageName(before), "} -> {", UsageName(after), "} usage.\n",
                      Who(report.actor), " ", IrqWord(report.actor), " takes:\n",
                      LockLine(report.lock), "{", UsageName(before), "} state was registered at:\n",
                      Frames(now_unsafe ? irq.safe : irq.unsafe, "  "), kNotes,
                      " Possible unsafe locking scenario:\n\n       CPU0\n       ----\n  ",
                      Locks(report.lock.lock), "  <Interrupt>\n    ", Locks(report.lock.lock),
                      kDeadlock);
}

std::string IrqScenario(const IrqConflict& irq) {
  const LockName& safe = irq.safe.lock;
  const LockName& unsafe = irq.unsafe.lock;
  return absl::StrCat(" Possible interrupt unsafe locking scenario:\n\n", TwoCpus(), "  ",
                      Locks(unsafe), kCpu1, "local_irq_disable();\n", kCpu1, Locks(safe), kCpu1,
                      Locks(irq.path.front().acquired.lock), "  <Interrupt>\n    ", Locks(safe),
                      kDeadlock);
}

std::string IrqUses(const IrqConflict& irq) {
  const char* name = IsSoftirq(irq.safe_bit) ? "SOFTIRQ" : "HARDIRQ";
  std::string text =
      absl::StrCat(" ", Described(irq.safe.lock), "\n... which became ", name, "-irq-safe at {",
                   UsageName(irq.safe_bit), "}:\n", Frames(irq.safe, "  "), "\nto a ", name,
                   "-irq-unsafe lock:\n ", Described(irq.unsafe.lock), "\n... which became ", name,
                   "-irq-unsafe at {", UsageName(irq.unsafe_bit), "}:\n", Frames(irq.unsafe, "  "),
                   "\nthe dependencies between them:\n");
  for (const LockEdge& edge : irq.path) absl::StrAppend(&text, Dependency(edge, "->"));
  return text;
}

std::string IrqOrderBody(const LockReport& report) {
  return absl::StrCat(
      Who(report.actor), " ", IrqWord(report.actor), " is trying to acquire:\n",
      LockLine(report.lock),
      "\nwhich would create a new lock dependency that connects an irq-safe lock:\n",
      IrqUses(report.irq), kNotes, IrqScenario(report.irq));
}

std::string InversionBody(const LockReport& report) {
  return absl::StrCat(Who(report.actor), " ", IrqWord(report.actor),
                      " just changed the state of lock:\n", LockLine(report.lock),
                      "\nso that dependencies connect an irq-safe lock:\n", IrqUses(report.irq),
                      kNotes, IrqScenario(report.irq));
}

std::string WaitBody(const LockReport& report) {
  return absl::StrCat(Who(report.actor), " ", IrqWord(report.actor), " is trying to lock:\n",
                      LockLine(report.lock), kNotes);
}

std::string Body(const LockReport& report) {
  switch (report.kind) {
    case ReportKind::kLockCycle:
      return CycleBody(report);
    case ReportKind::kRecursiveLock:
      return RecursionBody(report);
    case ReportKind::kInconsistentUsage:
      return UsageBody(report);
    case ReportKind::kIrqInversion:
      return InversionBody(report);
    case ReportKind::kIrqOrder:
      return IrqOrderBody(report);
    case ReportKind::kWaitContext:
      return WaitBody(report);
    case ReportKind::kNestNotHeld:
      return absl::StrCat(Who(report.actor), " is trying to lock:\n", LockLine(report.lock),
                          "\nbut this task is not holding",
                          report.nest.empty() ? " the lock that it is nested in." : ":\n",
                          report.nest, "\n", kNotes);
    case ReportKind::kUnlockBalance:
      return absl::StrCat(Who(report.actor), " is trying to release lock (",
                          report.lock.lock.Text(), ") at:\n", At(report.lock),
                          "\nbut there are no more locks to release!\n", kNotes);
    case ReportKind::kHeldAtExit:
      return "";
    case ReportKind::kHeldInUserSpace:
      return absl::StrCat(Who(report.actor), " is leaving the kernel with locks still held!\n");
    case ReportKind::kHeldFreed:
      return absl::StrCat(Who(report.actor), " is freeing memory, with a lock still held there!\n",
                          LockLine(report.lock));
    case ReportKind::kNotHeld:
      return absl::StrCat(Who(report.actor), " should hold the lock:\n", LockLine(report.lock),
                          kNotes);
    case ReportKind::kMisuse:
      return absl::StrCat(Who(report.actor), ", about the lock:\n", LockLine(report.lock), kNotes);
  }
  return "";
}

}  // namespace

std::string FirstSeenText(const LockEdge& edge) {
  const bool has_place = edge.acquired.site.line != 0;
  return absl::StrCat(Who(edge.actor), has_place ? " at " : "", has_place ? At(edge.acquired) : "");
}

std::string RenderText(const LockReport& report) {
  const std::string headline = Headline(report);
  return absl::StrCat(std::string(headline.size(), '='), "\n", headline, "\n",
                      std::string(headline.size(), '-'), "\n", Body(report), HeldLines(report),
                      "\nstack backtrace:\n", Frames(report.lock, " "));
}

}  // namespace sim
