// The scenario files that a command line means.
#pragma once

#include <string>
#include <vector>

namespace tools {

struct ScenarioFiles {
  std::vector<std::string> paths;   // in the order of the arguments, no path twice
  std::vector<std::string> errors;  // "path: why", one for each argument that gives nothing
};

// A directory means every *.json below it, sorted; anything else means itself, whatever it is.
ScenarioFiles FindScenarios(const std::vector<std::string>& arguments);

}  // namespace tools
