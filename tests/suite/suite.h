// The scenarios that come with the program, for tests of them.
#pragma once

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "model/scenario/model_policies.h"
#include "model/scenario/parse.h"
#include "model/scenario/runner.h"
#include "model/scenario/strategies.h"
#include "tools/find_scenarios.h"

namespace suite {

inline std::string InSource(const std::string& path) {
  return std::string(SOURCE_ROOT) + "/" + path;
}

inline std::vector<std::string> Paths(const std::string& folder) {
  return tools::FindScenarios({InSource(folder)}).paths;
}

inline scenario::Scenario Load(const std::string& path) {
  auto scenario = scenario::LoadScenario(path, scenario::ModelPolicies());
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return scenario.ok() ? *std::move(scenario) : scenario::Scenario{};
}

// Without a verdict on lock cycles.
inline scenario::ScenarioResult Search(const scenario::Scenario& scenario, int64_t executions,
                                       int jobs = 1) {
  scenario::RunOptions options;
  options.executions = executions;
  options.jobs = jobs;
  options.confirms = false;
  return scenario::RunScenario(scenario, options, [](uint64_t, uint64_t) {});
}

// A test's name from a scenario's path.
inline std::string NameOf(const testing::TestParamInfo<std::string>& info) {
  const size_t begin = info.param.rfind('/') + 1;
  return info.param.substr(begin, info.param.rfind('.') - begin);
}

}  // namespace suite
