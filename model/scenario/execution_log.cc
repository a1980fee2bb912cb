#include "model/scenario/execution_log.h"

#include "absl/strings/str_cat.h"
#include "model/scenario/execution_logger.h"
#include "model/scenario/runner.h"
#include "model/scenario/trace_file.h"
#include "sim/explore/replay.h"

namespace scenario {

absl::Status CheckIsLoggable(const Scenario& scenario) {
  if (scenario.program.has_value()) {
    return absl::InvalidArgumentError("a lock program has no device to log the writes of");
  }
  if (scenario.fs.journal_device == JournalDevice::kExternal) {
    return absl::InvalidArgumentError(
        "the journal has a device of its own: a log is of one device, and two logs do not tell "
        "which write of one came before which of the other; want fs.journal_device \"internal\"");
  }
  return CheckIsReadable(scenario);
}

absl::Status LogTrace(const nlohmann::ordered_json& json, model::ExecutionLog& log) {
  const auto trace = ReadTrace(json);
  if (!trace.ok()) return trace.status();
  if (absl::Status loggable = CheckIsLoggable(trace->scenario); !loggable.ok()) return loggable;
  log.name = trace->scenario.name;
  if (absl::Status fits = CheckFits(trace->scenario); !fits.ok()) return fits;
  const TracedRun& run = trace->runs.back();
  sim::ReplayStrategy strategy(run.schedule);
  Workbench bench(trace->scenario, nullptr);
  sim::Validator locks;
  ExecutionLogger logger(log);
  const ExecutionResult result = RunExecution(
      bench,
      {.number = static_cast<uint64_t>(run.execution), .seed = run.seed, .recorder = &logger},
      strategy, locks);
  if (result.digest != run.digest) {
    return absl::InvalidArgumentError(
        absl::StrCat("the execution does not come again: its digest "
                     "is ",
                     result.digest.ToHex(), ", not ", run.digest.ToHex()));
  }
  return logger.status();
}

}  // namespace scenario
