// A schedule as text: "t3x12 e5 t1x4" is twelve turns of task 3, event 5, four turns of task 1.
//
// Runs are separated by white space; "x1" is left out, and an event has one turn only.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "sim/engine/strategy.h"

namespace sim {

std::string FormatSchedule(std::span<const ScheduleRun> schedule);

// Joins neighbouring runs of one task. The message of an error names the byte, from 1, and what is
// wanted there: "schedule: byte 7: want 't' or 'e', got 'q'".
absl::StatusOr<std::vector<ScheduleRun>> ParseSchedule(std::string_view text);

}  // namespace sim
