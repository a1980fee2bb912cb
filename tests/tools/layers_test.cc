// Who may include whom: tools/ everything below, model/ sim/, sim/ itself; nobody tests/.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "gtest/gtest.h"

namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::set<std::string>> kMayInclude = {
    {"sim", {"sim"}}, {"model", {"sim", "model"}}, {"tools", {"sim", "model", "tools"}}};

TEST(LayersTest, IncludesPointOnlyDownwards) {
  size_t lines_read = 0;
  for (const auto& [layer, allowed] : kMayInclude) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(SOURCE_ROOT) / layer)) {
      const fs::path extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc") continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line); ++lines_read) {
        if (!line.starts_with("#include \"")) continue;
        const std::string included = line.substr(10, line.find_first_of("/\"", 10) - 10);
        if (!fs::is_directory(fs::path(SOURCE_ROOT) / included)) continue;  // a system library
        EXPECT_TRUE(allowed.contains(included)) << entry.path() << ": " << line;
      }
    }
  }
  EXPECT_GT(lines_read, 1000u) << "the source is not at " << SOURCE_ROOT;
}

}  // namespace
