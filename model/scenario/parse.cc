#include "model/scenario/parse.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "model/scenario/check.h"
#include "model/scenario/json_text.h"
#include "model/scenario/nearest_name.h"
#include "model/scenario/reader.h"
#include "model/scenario/text.h"

namespace scenario {
namespace {

constexpr size_t kMostProblems = 20;  // of one file: more help nobody

// In the order of the text, whatever order they were found in.
absl::Status ToStatus(std::string_view path, const JsonValue& root,
                      const std::vector<Problem>& problems) {
  std::vector<std::pair<TextPosition, std::string>> lines;
  for (const Problem& problem : problems) {
    const TextPosition at = PositionOf(root, problem.pointer, problem.of_key);
    lines.emplace_back(at, Cat(path, ":", at.line, ":", at.column, ": ", problem.pointer,
                               problem.pointer.empty() ? "" : ": ", problem.message));
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const size_t shown = std::min(lines.size(), kMostProblems);
  std::vector<std::string> texts;
  for (size_t i = 0; i < shown; ++i) texts.push_back(lines[i].second);
  if (shown < lines.size()) {
    texts.push_back(Cat(path, ": and ", lines.size() - shown, " more"));
  }
  return absl::InvalidArgumentError(Join(texts, "\n"));
}

}  // namespace

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
  if (!problems.empty()) return ToStatus(path, *root, problems);
  return scenario;
}

absl::StatusOr<Scenario> LoadScenario(const std::string& path,
                                      absl::Span<const PolicyField> policies) {
  const absl::StatusOr<std::string> text = ReadTextFile(path, kMaxScenarioFileBytes);
  if (!text.ok()) return text.status();
  return ParseScenario(path, *text, policies);
}

}  // namespace scenario
