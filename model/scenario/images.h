// Images of crash states: one of the execution that a trace has, or a sample of a scenario's.
#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "model/scenario/runner.h"
#include "model/scenario/scenario.h"
#include "nlohmann/json.hpp"

namespace scenario {

struct StateImage {
  // Puts the image, a device of ext4, into a stream that is empty and can be positioned.
  std::function<void(std::ostream&)> write;
  // What is known of it: {"scenario", "at_ns", "states", and what model/image/write_image.h says};
  // `at_ns` is when the power was cut, `states` how many states it could have left, in decimal.
  nlohmann::ordered_json json;
  // As `write`: the journal's device, if it has one.
  std::function<void(std::ostream&)> write_journal;
};

// Takes an image before it returns; a failure ends the search for more.
using ImageSink = absl::FunctionRef<absl::Status(const StateImage& image)>;

// The smallest state that shows the trace's finding (model/crash/minimal_state.h); or, if the
// finding is of no crash, one at the end of the execution, which `number` has to name. `number`:
// that state of the family at the same moment (see model/image/crash_state.h), instead. Fails, with
// nothing given to `sink`, if the trace is not one of ours, the finding does not come again, or
// there is no such state.
absl::Status MakeTraceImage(const nlohmann::ordered_json& trace,
                            const std::optional<std::string>& number, ImageSink sink);

// Up to `count` states of the scenario's first executions (options.executions; 8, if it has so
// many). They differ as far as possible in what comes out: transactions recovered, orphans, the
// oracles' verdicts, whether pending writes are there, lost or torn. A function of scenario and
// options. Returns how many there were. Fails if it has no file system, or the sink does.
absl::StatusOr<int64_t> MakeSampleImages(const Scenario& scenario, const RunOptions& options,
                                         int64_t count, ImageSink sink);

}  // namespace scenario
