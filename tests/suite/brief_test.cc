#include "model/scenario/brief.h"

#include "gtest/gtest.h"
#include "model/scenario/schema.h"
#include "model/scenario/writer.h"
#include "nlohmann/json.hpp"
#include "tests/suite/suite.h"

namespace {

TEST(BriefSuiteTest, EveryScenarioMeansTheSameWithoutItsDefaults) {
  const auto schema = scenario::JsonSchema(scenario::ModelPolicies());
  for (const std::string& path : suite::Paths("scenarios")) {
    const auto meaning = scenario::ToJson(suite::Load(path));
    const std::string brief = scenario::LaidOut(scenario::WithoutDefaults(meaning, schema));
    const auto again = scenario::ParseScenario(path, brief, scenario::ModelPolicies());
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(scenario::ToJson(*again), meaning) << brief;
  }
}

}  // namespace
