#include "tools/look_commands.h"

#include <sstream>
#include <string>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/fake_backend.h"

namespace tools {
namespace {

using testing::HasSubstr;

class LookCommandsTest : public CommandTest {};

TEST_F(LookCommandsTest, CheckNamesEveryBadFile) {
  PutScenario("good", "[]", R"({"findings": []})");
  EXPECT_EQ(Crashdep({"check", directory_}), 0);
  EXPECT_EQ(out_, "1 scenario is well-formed\n");
  Put("sub/bad.json", "");
  EXPECT_EQ(Crashdep({"check", directory_}), 2);
  EXPECT_EQ(err_, Path("sub/bad.json") + ":1:1: the file is empty\n");
}

TEST_F(LookCommandsTest, CheckRefusesADirectoryWithoutScenarios) {
  EXPECT_EQ(Crashdep({"check", directory_}), 2);
  EXPECT_EQ(err_, directory_ + ": no *.json below this directory\n");
}

TEST_F(LookCommandsTest, ListStaysWithin100Columns) {
  std::string about;
  for (int i = 0; i < 60; ++i) about += "word ";
  Put("s.json", scenario::Cat(R"({"schema": 1, "name": "s", "about": ")", about,
                              R"(", "threads": [{"name": "t", "ops": [{"op": "sync"}]}],
                                  "expect": {"findings": []}})"));
  EXPECT_EQ(Crashdep({"list", Path("s.json")}), 0);
  std::istringstream lines(out_);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100u) << line;
  EXPECT_THAT(out_, HasSubstr("word word"));
}

TEST_F(LookCommandsTest, SchemaAndPoliciesKnowTheModelsPolicies) {
  EXPECT_EQ(Crashdep({"schema"}), 0);
  const auto schema = nlohmann::json::parse(out_);
  EXPECT_TRUE(schema["properties"]["policy"]["properties"].contains("break_it"));
  EXPECT_EQ(Crashdep({"policies"}), 0);
  EXPECT_EQ(out_, "break_it  Breaks it. [nowhere]\n");
}

TEST_F(LookCommandsTest, SchemasOfOtherFilesAreThereToo) {
  EXPECT_EQ(Crashdep({"schema", "--suppress"}), 0);
  const auto schema = nlohmann::json::parse(out_);
  EXPECT_EQ(schema["title"], "crashdep suppressions");
  EXPECT_TRUE(schema["properties"]["suppressions"]["items"]["properties"].contains("reason"));
  EXPECT_EQ(Crashdep({"schema", "--order", "--suppress"}), 2);
}

}  // namespace
}  // namespace tools
