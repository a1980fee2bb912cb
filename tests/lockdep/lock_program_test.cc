// What the running kernel said to the same operations.

#include "sim/lockdep/lock_program.h"

#include <fstream>
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

// The same verdict, the same kind of report, at the same operation, for every case.
TEST(LockProgramTest, SelfTestCasesEndAsOnTheKernel) {
  const auto verdicts = RunLockPrograms(Load("selftest_cases.json"));
  ASSERT_TRUE(verdicts.ok()) << verdicts.status();
  EXPECT_EQ(verdicts->size(), 263u);
  for (const ProgramVerdict& verdict : *verdicts) {
    SCOPED_TRACE(verdict.name + " " + verdict.column);
    EXPECT_EQ(verdict.difference, "");
    EXPECT_EQ(verdict.inexpressible, "");
  }
}

TEST(LockProgramTest, RecordedReportsHaveTheSameHeadline) {
  const auto verdicts = RunLockPrograms(Load("splat_programs.json"));
  ASSERT_TRUE(verdicts.ok()) << verdicts.status();
  EXPECT_EQ(verdicts->size(), 22u);
  for (const ProgramVerdict& verdict : *verdicts) {
    SCOPED_TRACE(verdict.name);
    EXPECT_EQ(verdict.difference, "");
    EXPECT_EQ(verdict.inexpressible, "");
  }
}

TEST(LockProgramTest, SaysWhereAProgramIsWrong) {
  EXPECT_EQ(
      RunLockPrograms(Json::parse(R"({"tests": [{"threads": [{"ops": 3}]}]})")).status().message(),
      "/tests/0/threads/0: want an array \"ops\"");
  EXPECT_FALSE(RunLockPrograms(Json::parse("[]")).ok());
}

}  // namespace
}  // namespace sim
