#include "model/scenario/parse.h"

#include <vector>

#include "absl/status/status.h"
#include "model/scenario/check.h"
#include "model/scenario/json_text.h"
#include "model/scenario/reader.h"

namespace scenario {
absl::StatusOr<Scenario> ParseScenario(std::string_view path, std::string_view text,
                                       absl::Span<const PolicyField> policies) {
  const absl::StatusOr<JsonValue> root = ParseJsonText(path, text);
  if (!root.ok()) return root.status();
  Scenario scenario;
  std::vector<Problem> problems = ReadScenario(*root, policies, scenario);
  if (problems.empty()) {
    CompleteFiles(scenario);
    problems = CheckScenario(scenario);
  }
  if (!problems.empty()) return ProblemStatus(path, *root, problems);
  return scenario;
}

absl::StatusOr<Scenario> LoadScenario(const std::string& path,
                                      absl::Span<const PolicyField> policies) {
  const absl::StatusOr<std::string> text = ReadTextFile(path, kMaxScenarioFileBytes);
  if (!text.ok()) return text.status();
  return ParseScenario(path, *text, policies);
}

}  // namespace scenario
