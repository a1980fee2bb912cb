// What the commands need of the simulator, so that they can be tested without it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "model/scenario/execution_log.h"
#include "model/scenario/images.h"
#include "model/scenario/policy_field.h"
#include "model/scenario/runner.h"
#include "model/scenario/scenario.h"
#include "model/scenario/shrink.h"
#include "nlohmann/json.hpp"

namespace tools {

struct Backend {
  std::vector<scenario::PolicyField> policies;
  // scenario::CheckFits(): can the file system of the scenario be made?
  std::function<absl::Status(const scenario::Scenario&)> fits;
  // scenario::RunKeptScenario(); called from several threads at once.
  std::function<absl::StatusOr<scenario::ScenarioResult>(
      const scenario::Scenario&, const scenario::RunOptions&, scenario::SearchKeeper*,
      scenario::ProgressFn)>
      run;
  // scenario::ReplayTrace()
  std::function<absl::StatusOr<scenario::ReplayResult>(const nlohmann::ordered_json&,
                                                       const scenario::ReplayOptions&)>
      replay;
  // scenario::RecordExecution()
  std::function<absl::StatusOr<scenario::Recording>(const scenario::Scenario&,
                                                    const scenario::RunOptions&, int64_t number)>
      record;
  // scenario::ShrinkTrace()
  std::function<absl::StatusOr<scenario::ShrinkResult>(const nlohmann::ordered_json&, int jobs)>
      shrink;
  // scenario::MakeTraceImage()
  std::function<absl::Status(const nlohmann::ordered_json& trace,
                             const std::optional<std::string>& number, scenario::ImageSink)>
      image;
  // scenario::MakeSampleImages()
  std::function<absl::StatusOr<int64_t>(const scenario::Scenario&, const scenario::RunOptions&,
                                        int64_t count, scenario::ImageSink)>
      images;
  // scenario::LogTrace()
  std::function<absl::Status(const nlohmann::ordered_json& trace, model::ExecutionLog& log)> log;
};

}  // namespace tools
