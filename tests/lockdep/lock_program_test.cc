// What the running kernel said to the same operations.

#include "sim/lockdep/lock_program.h"

#include <fstream>
#include <map>
#include <string>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace sim {
namespace {

using Json = nlohmann::ordered_json;

Json Load(const std::string& name) {
  std::ifstream file(std::string(LOCKDEP_TEST_DATA) + "/" + name);
  return Json::parse(file, nullptr, /*allow_exceptions=*/false);
}

const char* KernelWord(ReportKind kind) {
  switch (kind) {
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
    default:
      return "other";
  }
}

// Every case that does not need the wound/wait state machine: the same verdict, the same kind of
// report, at the same operation.
TEST(LockProgramTest, SelfTestCasesEndAsOnTheKernel) {
  const Json table = Load("selftest_cases.json");
  const auto verdicts = RunLockPrograms(table);
  ASSERT_TRUE(verdicts.ok()) << verdicts.status();
  size_t checked = 0;
  for (size_t i = 0; i < verdicts->size(); ++i) {
    const Json& test = table["tests"][i];
    const ProgramVerdict& verdict = (*verdicts)[i];
    if (verdict.level == "ww-api") continue;
    SCOPED_TRACE(verdict.name + " " + verdict.column);
    ++checked;
    ASSERT_EQ(!verdict.reports.empty(), test["must_report"].get<bool>());
    if (verdict.reports.empty()) continue;
    if (test.contains("report_kind") && test["report_kind"].is_string()) {
      EXPECT_EQ(KernelWord(verdict.reports[0].kind), test["report_kind"].get<std::string>());
    }
    if (test.contains("report_at")) {
      EXPECT_EQ(verdict.report_at[0], test["report_at"].get<size_t>());
    }
  }
  EXPECT_EQ(checked, 251u);
}

// The programs behind the recorded reports; without those about RCU dereferences, memory ranges,
// table limits and keys, which are not modelled.
TEST(LockProgramTest, RecordedReportsHaveTheSameHeadline) {
  const Json table = Load("splat_programs.json");
  const auto verdicts = RunLockPrograms(table);
  ASSERT_TRUE(verdicts.ok()) << verdicts.status();
  size_t checked = 0;
  for (size_t i = 0; i < verdicts->size(); ++i) {
    const ProgramVerdict& verdict = (*verdicts)[i];
    SCOPED_TRACE(verdict.name);
    const std::string headline = table["tests"][i]["headline"][0];
    if (verdict.name == "rcu" || verdict.name == "held_freed" || verdict.name == "depth" ||
        verdict.name == "bad_key") {
      continue;
    }
    ++checked;
    ASSERT_FALSE(verdict.reports.empty());
    if (verdict.name == "exit_held" || verdict.name == "user_held" ||
        verdict.name == "assert_held") {
      continue;  // the headline names a process, or a line of the kernel
    }
    EXPECT_EQ(Headline(verdict.reports[0]), headline);
  }
  EXPECT_EQ(checked, 18u);
}

TEST(LockProgramTest, SaysWhereAProgramIsWrong) {
  EXPECT_EQ(
      RunLockPrograms(Json::parse(R"({"tests": [{"threads": [{"ops": 3}]}]})")).status().message(),
      "/tests/0/threads/0: want an array \"ops\"");
  EXPECT_FALSE(RunLockPrograms(Json::parse("[]")).ok());
}

}  // namespace
}  // namespace sim
