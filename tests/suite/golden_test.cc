// Every recording under traces/golden/ takes the same turns to the same digest today.
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "gtest/gtest.h"
#include "model/scenario/runner.h"
#include "nlohmann/json.hpp"

namespace {

namespace fs = std::filesystem;

TEST(GoldenTest, EveryRecordingReplaysToItsDigest) {
  std::set<fs::path> paths;
  for (const auto& entry : fs::directory_iterator(fs::path(SOURCE_ROOT) / "traces/golden")) {
    if (entry.path().extension() == ".json") paths.insert(entry.path());
  }
  EXPECT_FALSE(paths.empty());
  for (const fs::path& path : paths) {
    SCOPED_TRACE(path);
    std::ifstream file(path);
    const auto trace = nlohmann::ordered_json::parse(file, nullptr, /*allow_exceptions=*/false);
    const auto result = scenario::ReplayTrace(trace);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_EQ(result->expected_kind, "");
    EXPECT_TRUE(result->matches) << result->why_not;  // names the first turn that differs
  }
}

}  // namespace
