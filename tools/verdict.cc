#include "tools/verdict.h"

#include <algorithm>
#include <string_view>

#include "model/scenario/text.h"

namespace tools {

using scenario::Cat;
using scenario::ExpectedFinding;
using scenario::FoundFinding;

std::vector<std::string> Differences(const std::vector<ExpectedFinding>& expected,
                                     const std::vector<FoundFinding>& found) {
  std::vector<std::string> differences;
  for (const ExpectedFinding& wanted : expected) {
    const auto of_kind = [&](const FoundFinding& finding) { return finding.kind == wanted.kind; };
    const auto as_wanted = [&](const FoundFinding& finding) {
      return of_kind(finding) && finding.message.find(wanted.message) != std::string::npos;
    };
    if (std::none_of(found.begin(), found.end(), of_kind)) {
      differences.push_back(Cat("expected ", wanted.kind, ", found none"));
    } else if (std::none_of(found.begin(), found.end(), as_wanted)) {
      differences.push_back(Cat("expected ", wanted.kind, " with \"", wanted.message,
                                "\" in its message, found none that has it"));
    }
  }
  for (const FoundFinding& finding : found) {
    const auto same = [&](const ExpectedFinding& wanted) { return wanted.kind == finding.kind; };
    if (std::none_of(expected.begin(), expected.end(), same)) {
      differences.push_back(Cat("unexpected ", finding.kind, ": ", finding.message));
    }
  }
  return differences;
}

std::vector<std::string> Differences(
    const scenario::Expectation& expect, const scenario::ScenarioResult& result,
    const std::optional<scenario::ScenarioResult>& without_policy) {
  std::vector<std::string> differences = Differences(expect.findings, result.findings);
  if (expect.all_executions) {
    const auto wanted = static_cast<uint64_t>(*expect.all_executions);
    if (!result.complete || result.executions != wanted) {
      differences.push_back(Cat("expected ", wanted, " executions to be all, found ",
                                result.complete ? "that all are " : "more than ",
                                result.executions));
    }
  }
  if (!expect.without_policy || !without_policy) return differences;
  for (const std::string& difference :
       Differences(*expect.without_policy, without_policy->findings)) {
    differences.push_back(Cat("without its policy: ", difference));
  }
  return differences;
}

}  // namespace tools
