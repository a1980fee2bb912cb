#include "model/scenario/brief.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/scenario/parse.h"
#include "model/scenario/schema.h"
#include "model/scenario/writer.h"
#include "nlohmann/json.hpp"
#include "tests/scenario/example.h"

namespace scenario {
namespace {

using Json = nlohmann::ordered_json;
using testing::Each;
using testing::SizeIs;

// Every value of what `text` says; null if it says nothing.
Json Meaning(std::string_view text) {
  const auto parsed = ParseScenario("a.json", text, kPolicies);
  return parsed.ok() ? ToJson(*parsed) : Json();
}

Json Brief(std::string_view text) { return WithoutDefaults(Meaning(text), JsonSchema(kPolicies)); }

// Every key of `json` and of what is in it.
void CollectKeys(const Json& json, const std::string& at, std::vector<std::string>& keys) {
  for (const auto& [key, value] : json.items()) {
    const std::string pointer = Cat(at, "/", key);
    if (json.is_object()) keys.push_back(pointer);
    if (value.is_structured()) CollectKeys(value, pointer, keys);
  }
}

Json Without(Json json, const std::string& key) {
  const Json::json_pointer pointer(key);
  json[pointer.parent_pointer()].erase(pointer.back());
  return json;
}

constexpr std::string_view kProgram = R"({
  "schema": 1, "name": "program",
  "program": {"locks": [{"name": "a"}, {"name": "b", "kind": "spinlock", "count": 2}],
              "events": [{"name": "e"}], "variables": [{"name": "x", "initial": 1}],
              "queues": [{"name": "wq"}], "works": [{"name": "w", "ops": []}]},
  "threads": [{"name": "t", "ops": [{"op": "lock", "lock": "a"}, {"op": "unlock", "lock": "a"},
                                    {"op": "alloc"}, {"op": "alloc", "gfp": "nofs"}]},
              {"name": "d", "daemon": true, "ops": [{"op": "wait", "event": "e"}]}],
  "expect": {"findings": []}})";

// A write must have keys that go without saying here.
constexpr std::string_view kWriteback = R"({
  "schema": 1, "name": "writeback", "files": [{"name": "a", "size_bytes": 1}],
  "threads": [{"name": "t", "ops": [{"op": "writeback", "file": "a"}]}],
  "expect": {"findings": []}})";

TEST(BriefTest, WhatIsLeftMeansTheSame) {
  for (const std::string_view text : {kExample, kProgram, kWriteback}) {
    const Json meaning = Meaning(text);
    ASSERT_FALSE(meaning.is_null());
    EXPECT_EQ(Meaning(Brief(text).dump()), meaning);
  }
}

// But for two keys whose default follows from others.
TEST(BriefTest, NoKeyIsLeftThatCouldGo) {
  for (const std::string_view text : {kExample, kProgram, kWriteback}) {
    const Json brief = Brief(text), meaning = Meaning(brief.dump());
    std::vector<std::string> keys;
    CollectKeys(brief, "", keys);
    for (const std::string& key : keys) {
      if (key.ends_with("/buffered") || key.ends_with("/content")) continue;
      EXPECT_NE(Meaning(Without(brief, key).dump()), meaning) << key;
    }
  }
}

// To be there is what it says.
TEST(BriefTest, AnEmptyListThatSaysSomethingStays) {
  const Json brief = Brief(kExample);
  EXPECT_EQ(brief["expect"]["without_policy"], Json::array());
  EXPECT_FALSE(brief["fs"].contains("delalloc"));
}

TEST(BriefTest, WhatFitsIsOnOneLine) {
  const Json brief = Brief(kExample);
  const std::string text = LaidOut(brief);
  EXPECT_EQ(Json::parse(text), brief);
  const std::vector<std::string> lines = absl::StrSplit(text, '\n');
  EXPECT_THAT(lines, Each(SizeIs(testing::Le(100))));
  EXPECT_THAT(lines,
              testing::Contains(R"(        {"op": "fsync", "file": "log", "returns": "EIO"},)"));
}

TEST(BriefTest, ALineHasRoomForAComma) {
  const std::string word(88, 'x');
  EXPECT_EQ(LaidOut({{"key", word}}), Cat(R"({"key": ")", word, R"("})"));
  EXPECT_EQ(LaidOut({{"key", word + "x"}}), Cat("{\n  \"key\": \"", word, "x\"\n}"));
}

}  // namespace
}  // namespace scenario
