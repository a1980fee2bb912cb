// Replays a trace file: the same turns again, and a look at whether the same comes out.

#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "model/scenario/compile_program.h"
#include "model/scenario/execution.h"
#include "model/scenario/runner.h"
#include "model/scenario/trace_file.h"
#include "sim/explore/replay.h"

namespace scenario {
namespace {

void AddFinding(const sim::Finding& finding, std::vector<FoundFinding>& findings) {
  for (FoundFinding& known : findings) {
    if (known.kind == finding.kind && known.message == finding.message) {
      ++known.count;
      return;
    }
  }
  findings.push_back({finding.kind, finding.message, finding.detail, 1, nullptr});
}

}  // namespace

absl::StatusOr<ReplayResult> ReplayTrace(const nlohmann::ordered_json& json) {
  auto trace = ReadTrace(json);
  if (!trace.ok()) return trace.status();
  const absl::Status fits = CheckFits(trace->scenario);
  if (!fits.ok()) return fits;
  ReplayResult result;
  result.scenario = trace->scenario.name;
  result.expected_kind = trace->kind;
  result.expected_message = trace->message;
  result.expected_digest = trace->runs.back().digest.ToHex();
  const std::shared_ptr<const model::LockProgram> program = CompiledProgram(trace->scenario);
  Workbench bench(trace->scenario, program.get());
  auto locks = std::make_shared<sim::Validator>();
  sim::GuardTable guards;
  for (const TracedRun& run : trace->runs) {
    sim::ReplayStrategy strategy(run.schedule);
    const ExecutionResult execution = RunExecution(bench,
                                                   {.number = static_cast<uint64_t>(run.execution),
                                                    .seed = run.seed,
                                                    .keeps_schedule = true,
                                                    .guards = &guards,
                                                    .lock_stat = &result.lock_stat},
                                                   strategy, *locks);
    for (const sim::Finding& finding : execution.findings) AddFinding(finding, result.findings);
    result.digest = execution.digest.ToHex();
    const auto divergence = sim::FindDivergence(run.schedule, execution.schedule);
    if (result.why_not.empty() && divergence.has_value()) {
      result.why_not =
          absl::StrCat("the execution went another way: ", sim::RenderText(*divergence));
    } else if (result.why_not.empty() && execution.digest != run.digest) {
      result.why_not = absl::StrCat("the same turns, but another digest: want ", run.digest.ToHex(),
                                    ", got ", execution.digest.ToHex());
    }
  }
  const sim::Validator::Conclusions reports = locks->Conclude();
  for (const sim::LockReport& report : reports.found) {
    AddFinding(FindingOf(report), result.findings);
  }
  // A few executions alone may not show that a cycle is possible; that it is there they do.
  for (const sim::LockReport& report : reports.excluded) {
    if (sim::Message(report) == trace->message) AddFinding(FindingOf(report), result.findings);
  }
  const bool found =
      std::any_of(result.findings.begin(), result.findings.end(), [&](const FoundFinding& finding) {
        return finding.kind == trace->kind && finding.message == trace->message;
      });
  if (result.why_not.empty() && trace->kind.empty() && !result.findings.empty()) {
    result.why_not = "the recording has no finding";
  } else if (result.why_not.empty() && !trace->kind.empty() && !found) {
    result.why_not = "the finding did not come again";
  }
  result.locks = KeepWith(program, std::move(locks));
  result.matches = result.why_not.empty();
  return result;
}

}  // namespace scenario
