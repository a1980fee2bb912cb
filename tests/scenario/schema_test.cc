#include "model/scenario/schema.h"
#include "nlohmann/json.hpp"

#include <algorithm>
#include <string>

#include "gtest/gtest.h"
#include "model/scenario/parse.h"
#include "model/scenario/writer.h"
#include "tests/scenario/example.h"

namespace scenario {
namespace {

using Json = nlohmann::ordered_json;

bool Accepts(const Json& schema, const Json& value);

bool AcceptsObject(const Json& schema, const Json& value) {
  const Json properties = schema.value("properties", Json::object());
  for (const auto& [key, member] : value.items()) {
    if (!properties.contains(key) || !Accepts(properties[key], member)) return false;
  }
  for (const auto& key : schema.value("required", Json::array())) {
    if (!value.contains(key.get<std::string>())) return false;
  }
  return true;
}

bool AcceptsArray(const Json& schema, const Json& value) {
  if (value.size() < schema.value("minItems", size_t{0})) return false;
  if (value.size() > schema.value("maxItems", value.size())) return false;
  return std::all_of(value.begin(), value.end(),
                     [&](const Json& item) { return Accepts(schema["items"], item); });
}

// The part of JSON Schema that we use, patterns excepted.
bool Accepts(const Json& schema, const Json& value) {
  if (schema.contains("oneOf")) {
    return 1 == std::count_if(schema["oneOf"].begin(), schema["oneOf"].end(),
                              [&](const Json& option) { return Accepts(option, value); });
  }
  if (schema.contains("const")) return value == schema["const"];
  if (schema.contains("enum")) {
    return std::count(schema["enum"].begin(), schema["enum"].end(), value) == 1;
  }
  const std::string type = schema.at("type");
  if (type == "object") return value.is_object() && AcceptsObject(schema, value);
  if (type == "array") return value.is_array() && AcceptsArray(schema, value);
  if (type == "boolean") return value.is_boolean();
  if (type == "string") {
    return value.is_string() &&
           value.get<std::string>().size() >= schema.value("minLength", size_t{0});
  }
  EXPECT_EQ(type, "integer");
  return value.is_number() && value >= schema["minimum"] && value <= schema["maximum"];
}

class SchemaTest : public testing::Test {
 protected:
  // Whether the parser takes `scenario`; the schema must agree.
  void ExpectBoth(bool accept, const Json& scenario) {
    EXPECT_EQ(Accepts(schema_, scenario), accept) << scenario;
    const auto parsed = ParseScenario("a.json", scenario.dump(), kPolicies);
    EXPECT_EQ(parsed.ok(), accept) << parsed.status();
  }

  // Adds an unknown key to, and takes away, each value in turn.
  void Vary(const Json& root, Json::json_pointer at) {
    const Json value = root[at];
    if (value.is_object()) {
      Json more = root;
      more[at]["unkown"] = 1;
      ExpectBoth(false, more);
    }
    if (!at.empty()) {
      Json null = root;
      null[at] = nullptr;
      ExpectBoth(false, null);
    }
    for (const auto& [key, member] : value.items()) {
      if (!value.is_structured()) continue;
      Vary(root, value.is_array() ? at / std::stoul(key) : at / key);
    }
  }

  const Json schema_ = JsonSchema(kPolicies);
};

TEST_F(SchemaTest, AgreesWithTheParserOnTheExampleAndOnEveryDamageToIt) {
  const Json example = Json::parse(kExample);
  ExpectBoth(true, example);
  Vary(example, Json::json_pointer());
}

TEST_F(SchemaTest, AgreesWithTheWriter) {
  const auto parsed = ParseScenario("a.json", kExample, kPolicies);
  ASSERT_TRUE(parsed.ok());
  EXPECT_TRUE(Accepts(schema_, ToJson(*parsed)));
}

TEST_F(SchemaTest, StatesDefaultsAndRequiredKeys) {
  const Json& properties = schema_["properties"];
  EXPECT_EQ(properties["fs"]["properties"]["journal_blocks"]["default"], 64);
  EXPECT_EQ(properties["search"]["properties"]["strategy"]["default"], "timed");
  EXPECT_EQ(properties["policy"]["properties"]["skip_revoke"]["default"], false);
  EXPECT_EQ(properties["files"]["default"], Json::array());
  EXPECT_EQ(properties["policy"]["default"], Json::object());
  EXPECT_EQ(schema_["required"], Json::parse(R"(["schema", "name", "threads", "expect"])"));
}

TEST_F(SchemaTest, NothingIsTheDefaultOfWhatSaysSomethingByBeingThere) {
  const Json& properties = schema_["properties"];
  EXPECT_FALSE(properties["program"].contains("default"));
  EXPECT_FALSE(properties["expect"]["properties"]["without_policy"].contains("default"));
  EXPECT_FALSE(properties["threads"].contains("default"));
}

TEST_F(SchemaTest, AnOperationHasTheKeysOfItsKind) {
  const Json fsync = Json::parse(Minimal(R"([{"op": "fsync", "file": "a", "len_bytes": 1}])"));
  ExpectBoth(false, fsync);
  const Json write = Json::parse(Minimal(R"([{"op": "write", "file": "a", "pos_bytes": 0}])"));
  ExpectBoth(false, write);
}

}  // namespace
}  // namespace scenario
