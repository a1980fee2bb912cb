#include "tools/look_commands.h"

#include <algorithm>
#include <utility>

#include "model/scenario/schema.h"
#include "model/scenario/text.h"
#include "nlohmann/json.hpp"
#include "tools/find_scenarios.h"
#include "tools/load_scenario.h"
#include "tools/order_file.h"
#include "tools/suppressions.h"

namespace tools {
namespace {

using scenario::Cat;

// The scenarios that can be read, with their paths; complains about the rest.
std::vector<std::pair<std::string, scenario::Scenario>> Load(const std::vector<std::string>& paths,
                                                             const Backend& backend,
                                                             Console console, ExitCode& exit_code) {
  const auto complain = [&](absl::string_view message) {
    console.Complain(std::string(message));
    exit_code = ExitCode::kBadInput;
  };
  std::vector<std::pair<std::string, scenario::Scenario>> loaded;
  const ScenarioFiles files = FindScenarios(paths);
  for (const std::string& error : files.errors) complain(error);
  for (const std::string& path : files.paths) {
    absl::StatusOr<scenario::Scenario> scenario = LoadScenario(path, backend);
    if (scenario.ok()) {
      loaded.emplace_back(path, *std::move(scenario));
    } else {
      complain(scenario.status().message());
    }
  }
  return loaded;
}

// Two columns; the second is wrapped at 100 columns, after the first or below it.
std::string Entry(std::string_view name, size_t name_width, std::string_view text) {
  constexpr size_t kColumns = 100;
  const size_t indent = std::min<size_t>(name_width, 48) + 2;
  std::string out(name);
  if (name.size() + 2 > indent) out += '\n';
  size_t column = out.ends_with('\n') ? 0 : name.size();
  const auto pad = [&] {
    out += std::string(indent - column, ' ');
    column = indent;
  };
  pad();
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (column > indent && column + 1 + end > kColumns) {
      out += '\n';
      column = 0;
      pad();
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out + '\n';
}

}  // namespace

ExitCode CheckCommand(const std::vector<std::string>& paths, const Backend& backend,
                      Console console) {
  ExitCode exit_code = ExitCode::kAsExpected;
  const size_t good = Load(paths, backend, console, exit_code).size();
  console.out << good << (good == 1 ? " scenario is" : " scenarios are") << " well-formed\n";
  return exit_code;
}

ExitCode ListCommand(const std::vector<std::string>& paths, const Backend& backend,
                     Console console) {
  ExitCode exit_code = ExitCode::kAsExpected;
  const auto scenarios = Load(paths, backend, console, exit_code);
  size_t width = 0;
  for (const auto& [path, scenario] : scenarios) width = std::max(width, path.size());
  for (const auto& [path, scenario] : scenarios) {
    console.out << Entry(path, width, scenario.about.empty() ? scenario.name : scenario.about);
  }
  return exit_code;
}

ExitCode SchemaCommand(SchemaOf of, const Backend& backend, Console console) {
  const auto schema = of == SchemaOf::kOrders         ? LockOrdersSchema()
                      : of == SchemaOf::kSuppressions ? Suppressions::Schema()
                                                      : scenario::JsonSchema(backend.policies);
  console.out << schema.dump(2) << "\n";
  return ExitCode::kAsExpected;
}

ExitCode PoliciesCommand(const Backend& backend, Console console) {
  size_t width = 0;
  for (const auto& policy : backend.policies) width = std::max(width, policy.name.size());
  for (const auto& policy : backend.policies) {
    console.out << Entry(policy.name, width, Cat(policy.about, " [", policy.source, "]"));
  }
  return ExitCode::kAsExpected;
}

}  // namespace tools
