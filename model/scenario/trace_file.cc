#include "model/scenario/trace_file.h"

#include <charconv>

#include "absl/strings/str_cat.h"
#include "model/scenario/model_policies.h"
#include "model/scenario/parse.h"
#include "model/scenario/writer.h"
#include "nlohmann/json.hpp"
#include "sim/trace/schedule_text.h"

namespace scenario {
namespace {

constexpr int kTraceVersion = 1;

absl::Status Want(const char* what) {
  return absl::InvalidArgumentError(absl::StrCat("not a crashdep trace: want ", what));
}

bool ParseDigest(const std::string& hex, sim::Digest* digest) {
  if (hex.size() != 32) return false;
  const auto half = [&](size_t at, uint64_t* word) {
    const char* begin = hex.data() + at;
    return std::from_chars(begin, begin + 16, *word, 16).ptr == begin + 16;
  };
  return half(0, &digest->high) && half(16, &digest->low);
}

absl::StatusOr<TracedRun> ReadRun(const nlohmann::ordered_json& json) {
  TracedRun run;
  if (!json.is_object() || !json.contains("execution") || !json.contains("seed") ||
      !json.contains("schedule") || !json.contains("digest")) {
    return Want("/runs with execution, seed, schedule and digest each");
  }
  if (!json["execution"].is_number_integer() || !json["seed"].is_number_unsigned() ||
      !json["schedule"].is_string() || !json["digest"].is_string()) {
    return Want("numbers for execution and seed, texts for schedule and digest");
  }
  run.execution = json["execution"].get<int64_t>();
  run.seed = json["seed"].get<uint64_t>();
  if (!ParseDigest(json["digest"].get<std::string>(), &run.digest)) {
    return Want("a digest of 32 hexadecimal digits");
  }
  auto schedule = sim::ParseSchedule(json["schedule"].get<std::string>());
  if (!schedule.ok()) return schedule.status();
  run.schedule = *std::move(schedule);
  return run;
}

}  // namespace

nlohmann::ordered_json MakeTrace(const Scenario& scenario, const sim::Finding& finding,
                                 const std::vector<TracedRun>& runs) {
  nlohmann::ordered_json trace;
  trace["crashdep_trace"] = kTraceVersion;
  trace["finding"] = {{"kind", finding.kind}, {"message", finding.message}};
  trace["scenario"] = ToJson(scenario);
  auto& json_runs = trace["runs"] = nlohmann::ordered_json::array();
  for (const TracedRun& run : runs) {
    json_runs.push_back({{"execution", run.execution},
                         {"seed", run.seed},
                         {"schedule", sim::FormatSchedule(run.schedule)},
                         {"digest", run.digest.ToHex()}});
  }
  auto& events = trace["events"] = nlohmann::ordered_json::array();
  if (runs.empty()) return trace;
  for (const sim::LoggedEvent& event : runs.back().log.events) {
    const std::string subject =
        absl::StrCat(event.subject, event.note.empty() ? "" : ", ", event.note);
    events.push_back({event.turn, event.at, event.actor, event.what, subject, event.frame});
  }
  return trace;
}

absl::StatusOr<Trace> ReadTrace(const nlohmann::ordered_json& json) {
  if (!json.is_object() || !json.contains("crashdep_trace")) return Want("crashdep_trace");
  if (json["crashdep_trace"] != kTraceVersion) return Want("crashdep_trace 1");
  if (!json.contains("finding") || !json["finding"].is_object() ||
      !json["finding"].contains("kind") || !json["finding"]["kind"].is_string() ||
      !json["finding"].contains("message") || !json["finding"]["message"].is_string()) {
    return Want("/finding with kind and message");
  }
  if (!json.contains("scenario")) return Want("/scenario");
  if (!json.contains("runs") || !json["runs"].is_array() || json["runs"].empty()) {
    return Want("/runs, a list of at least one run");
  }
  Trace trace;
  trace.kind = json["finding"]["kind"].get<std::string>();
  trace.message = json["finding"]["message"].get<std::string>();
  auto scenario = ParseScenario("trace: /scenario", json["scenario"].dump(2), ModelPolicies());
  if (!scenario.ok()) return scenario.status();
  trace.scenario = *std::move(scenario);
  for (const auto& json_run : json["runs"]) {
    auto run = ReadRun(json_run);
    if (!run.ok()) return run.status();
    trace.runs.push_back(*std::move(run));
  }
  return trace;
}

}  // namespace scenario
