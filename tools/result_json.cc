#include "tools/result_json.h"

#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "nlohmann/json.hpp"
#include "sim/race/guard_report.h"

namespace tools {
namespace {

using Json = nlohmann::ordered_json;

Json CrashStates(const std::string& decimal) {
  constexpr uint64_t kExactBelow = uint64_t{1} << 53;
  uint64_t states = 0;
  if (absl::SimpleAtoi(decimal, &states) && states < kExactBelow) return states;
  return decimal;
}

Json ToJson(const scenario::SeenThings& things) {
  return {{"seen", things.seen}, {"new_by_quarter", things.new_by_quarter}};
}

Json ToJson(const scenario::Coverage& coverage) {
  Json json = {{"executions", coverage.executions},
               {"lock_edges", ToJson(coverage.lock_edges)},
               {"choice_points", ToJson(coverage.choice_points)},
               {"final_states", ToJson(coverage.final_states)}};
  for (const scenario::PolicyAsked& policy : coverage.policies) {
    json["policies"][std::string(policy.name)] = {{"on", policy.on}, {"asked", policy.times}};
  }
  return json;
}

Json Enumerated(const model::EnumerationCount& count) {
  Json json = {{"families", count.families},
               {"states", count.states},
               {"larger_families", count.larger},
               {"disagreements", count.disagreements}};
  if (count.disagreements > 0) json["first_disagreement"] = count.first_disagreement;
  return json;
}

// Adds what a search gave to `to`.
void AddResult(Json& to, const scenario::ScenarioResult& result,
               const std::vector<std::string>& traces) {
  to["executions"] = result.executions;
  to["steps"] = result.steps;
  to["crash_families"] = result.crash_families;
  to["crash_states"] = CrashStates(result.crash_states);
  if (result.enumerated) to["enumerated"] = Enumerated(*result.enumerated);
  to["digest"] = result.digest;
  to["complete"] = result.complete;
  if (result.redundant > 0) to["redundant"] = result.redundant;
  if (result.out_of_time) to["out_of_time"] = true;
  if (result.interrupted) to["interrupted"] = true;
  if (result.estimate) to["estimate"] = *result.estimate;
  if (!result.bounds.empty()) to["bounds"] = result.bounds;
  if (result.coverage) to["coverage"] = ToJson(*result.coverage);
  Json findings = Json::array();
  for (size_t i = 0; i < result.findings.size(); ++i) {
    const scenario::FoundFinding& finding = result.findings[i];
    const bool has_trace = i < traces.size() && !traces[i].empty();
    Json& json = findings.emplace_back(Json{{"kind", finding.kind},
                                            {"message", finding.message},
                                            {"count", finding.count},
                                            {"trace", has_trace ? Json(traces[i]) : Json()},
                                            {"detail", finding.detail}});
    if (finding.verdict.empty()) continue;
    json["verdict"] = finding.verdict;
    json["why"] = finding.why;
  }
  to["findings"] = std::move(findings);
  Json excluded = Json::array();
  for (const scenario::ExcludedCycle& cycle : result.excluded_cycles) {
    excluded.push_back(
        {{"message", cycle.message}, {"verdict", cycle.verdict}, {"why", cycle.why}});
  }
  if (!excluded.empty()) to["excluded_cycles"] = std::move(excluded);
  if (result.more_cycles) to["more_cycles"] = true;
}

}  // namespace

std::string ResultJson(const std::vector<Outcome>& outcomes,
                       const std::optional<sim::GuardTable>& guards) {
  Json scenarios = Json::array();
  for (const Outcome& outcome : outcomes) {
    Json scenario = {{"name", outcome.name.empty() ? Json() : Json(outcome.name)},
                     {"path", outcome.path},
                     {"verdict", ToString(outcome.verdict)}};
    AddResult(scenario, outcome.result, outcome.traces);
    if (!outcome.reasons.empty()) scenario["reasons"] = outcome.reasons;
    if (outcome.without_policy) AddResult(scenario["without_policy"], *outcome.without_policy, {});
    scenarios.push_back(std::move(scenario));
  }
  Json all = {{"scenarios", std::move(scenarios)}};
  if (guards) all["guards"] = sim::ToJson(*guards);
  return all.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";  // a path may be any bytes
}

}  // namespace tools
