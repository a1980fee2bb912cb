// The states of a crash family by number.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/crash/minimal_state.h"

namespace model {

// How many states the family has now, in decimal.
std::string StatesOf(const sim::BlockDevice& device);
// State `number` of the family, in decimal, from 0 on: the pending sectors, ascending, are the
// digits, the first the lowest; each counts its contents, from the durable one on. So state 0 is
// OldestState(). Fails if there are no so many.
absl::StatusOr<DiskState> NumberedState(const sim::BlockDevice& device, std::string_view number);

}  // namespace model
