#include "tools/find_scenarios.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>
#include <utility>

#include "model/scenario/text.h"

namespace tools {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> JsonFilesBelow(const std::string& directory, std::error_code& error) {
  std::vector<std::string> found;
  for (fs::recursive_directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == ".json") found.push_back(entry->path().generic_string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

ScenarioFiles FindScenarios(const std::vector<std::string>& arguments) {
  ScenarioFiles files;
  std::set<fs::path> seen;
  const auto add = [&](const std::string& path) {
    if (seen.insert(fs::path(path).lexically_normal()).second) files.paths.push_back(path);
  };
  for (const std::string& argument : arguments) {
    std::error_code error;
    if (!fs::is_directory(argument, error)) {
      if (fs::exists(argument, error)) {
        add(argument);
      } else {
        files.errors.push_back(scenario::Cat(argument, ": no such file or directory"));
      }
      continue;
    }
    const std::vector<std::string> below = JsonFilesBelow(argument, error);
    if (error) {
      files.errors.push_back(scenario::Cat(argument, ": ", error.message()));
    } else if (below.empty()) {
      files.errors.push_back(scenario::Cat(argument, ": no *.json below this directory"));
    }
    for (const std::string& path : below) add(path);
  }
  return files;
}

}  // namespace tools
