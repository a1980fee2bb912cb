#include "tools/record_command.h"

#include <string>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/fake_backend.h"

namespace tools {
namespace {

using testing::HasSubstr;

class RecordCommandTest : public CommandTest {
 protected:
  RecordCommandTest() { scenario_ = PutScenario("s", "[]", R"({"findings": []})"); }

  std::string scenario_;
};

TEST_F(RecordCommandTest, WritesATraceOfTheExecutionAskedFor) {
  EXPECT_EQ(Crashdep({"record", scenario_, "-o", Path("t"), "--seed", "7", "--execution", "3"}), 0);
  EXPECT_THAT(out_, HasSubstr("recorded: crashdep replay " + Path("t") + "\n"));
  EXPECT_EQ(nlohmann::json::parse(Get("t"))["seed"], 7);
}

TEST_F(RecordCommandTest, ReplacesATraceAndNothingElse) {
  Put("t", R"({"crashdep_trace": 1})");
  EXPECT_EQ(Crashdep({"record", scenario_, "-o", Path("t")}), 0);
  EXPECT_THAT(Get("t"), HasSubstr("\"scenario\": \"s\""));
  const std::string before = Get("s.json");
  EXPECT_EQ(Crashdep({"record", scenario_, "-o", scenario_}), 2);
  EXPECT_EQ(err_, scenario_ + ": is there and is not a crashdep trace; it is left alone\n");
  EXPECT_EQ(Get("s.json"), before);
  EXPECT_EQ(Crashdep({"record", scenario_, "-o", directory_}), 2);
}

TEST_F(RecordCommandTest, DoesNotRecordAFinding) {
  EXPECT_EQ(Crashdep({"record", scenario_, "-o", Path("t"), "--execution", "10"}), 1);
  EXPECT_EQ(out_, "not recorded: execution finds deadlock: T1, T2\n");
  EXPECT_EQ(Get("t"), "");
}

TEST_F(RecordCommandTest, NamesABadScenarioAndABadNumber) {
  EXPECT_EQ(Crashdep({"record", Put("bad.json", "{"), "-o", Path("t")}), 2);
  EXPECT_THAT(err_, HasSubstr("bad.json:1:"));
  EXPECT_EQ(Crashdep({"record", scenario_, "-o", Path("t"), "--execution", "-1"}), 2);
  EXPECT_EQ(Crashdep({"record", scenario_}), 2);
}

}  // namespace
}  // namespace tools
