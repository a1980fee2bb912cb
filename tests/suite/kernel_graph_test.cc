// The model's lock graph beside a real kernel's: among the classes that both know, every dependency
// that only one of them has is explained in traces/kernel/ext4-6.1/model_differences.json, and
// every explanation is needed.
#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "sim/lockdep/graph_diff.h"
#include "tests/suite/suite.h"
#include "tools/lock_source.h"
#include "tools/order_file.h"

namespace {

using suite::InSource;
using testing::IsEmpty;

nlohmann::json Differences() {
  std::ifstream file(InSource("traces/kernel/ext4-6.1/model_differences.json"));
  return nlohmann::json::parse(file, nullptr, /*allow_exceptions=*/false);
}

// The classes of orders/ext4.json but for those that are not to be compared.
sim::ClassNames ComparedNames(const nlohmann::json& differences) {
  auto orders = tools::LoadLockOrders(InSource("orders/ext4.json"));
  EXPECT_TRUE(orders.ok()) << orders.status();
  for (const auto& left_out : differences["not_compared"]) {
    EXPECT_EQ(1u, std::erase_if(orders->classes,
                                [&](const sim::ClassAlias& alias) {
                                  return alias.name == left_out["class"];
                                }))
        << left_out["class"];
  }
  return sim::ClassNames(orders->classes);
}

// What the scenarios show.
void RunModel(const nlohmann::json& paths, sim::Validator& locks) {
  for (const auto& path : paths) {
    const scenario::Scenario scenario = suite::Load(InSource(path));
    EXPECT_THAT(scenario.policy, IsEmpty());
    const auto result = suite::Search(scenario, *scenario.search.executions);
    EXPECT_THAT(result.findings, IsEmpty());
    locks.Merge(*result.locks);
  }
}

std::set<std::string> Texts(const std::vector<sim::LockEdge>& edges) {
  std::set<std::string> texts;
  for (const sim::LockEdge& edge : edges) {
    texts.insert(edge.held.lock.Text() + " -> " + edge.acquired.lock.Text() + "   e.g. " +
                 edge.actor.name);
  }
  return texts;
}

// As Texts() without the example, of those that only `side` has.
std::set<std::string> Explained(const nlohmann::json& differences, const std::string& side) {
  std::set<std::string> texts;
  for (const auto& row : differences["dependencies"]) {
    EXPECT_FALSE(row["reason"].get<std::string>().empty());
    for (const auto& held : row["held"]) {
      for (const auto& acquired : row["acquired"]) {
        if (row["only"] != side) continue;
        EXPECT_TRUE(
            texts.insert(held.get<std::string>() + " -> " + acquired.get<std::string>()).second);
      }
    }
  }
  return texts;
}

// Every edge found is explained and every explanation found.
void Compare(const std::set<std::string>& found, std::set<std::string> explained) {
  for (const std::string& text : found) {
    EXPECT_EQ(explained.erase(text.substr(0, text.find("   "))), 1u) << "unexplained: " << text;
  }
  EXPECT_THAT(explained, IsEmpty()) << "explained, but no longer there";
}

TEST(KernelGraphTest, EachDifferenceBetweenModelAndKernelIsExplained) {
  const nlohmann::json differences = Differences();
  ASSERT_TRUE(differences.is_object());
  const sim::ClassNames names = ComparedNames(differences);
  sim::Validator model;
  ASSERT_NO_FATAL_FAILURE(RunModel(differences["scenarios"], model));
  const auto kernel = tools::ReadLocks(InSource("traces/kernel/ext4-6.1"), {});
  ASSERT_TRUE(kernel.ok()) << kernel.status();
  const sim::GraphDiff diff =
      sim::Diff(*sim::Project(model, names), *sim::Project(**kernel, names));
  Compare(Texts(diff.only_a), Explained(differences, "model"));
  Compare(Texts(diff.only_b), Explained(differences, "kernel"));
  // Not even the orders of both together can deadlock.
  EXPECT_THAT(diff.added, IsEmpty());
}

}  // namespace
