// One state of a crash family: for every sector, which of its possible contents the device holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/crash/story.h"

namespace model {

// By sector, the whole device.
using DiskState = std::vector<SectorContent>;

class StateView : public DiskView {
 public:
  // `state` must outlive the view.
  explicit StateView(const DiskState& state) : state_(state) {}
  Possible At(uint64_t sector) const override { return {state_[sector]}; }

 private:
  const DiskState& state_;
};

// Nothing that is pending has reached the medium; all of it has, the newest version last.
DiskState OldestState(const sim::BlockDevice& device);
DiskState NewestState(const sim::BlockDevice& device);

// The state that DetailOf() tells: recovery comes to `recovery`, the witnesses are there, and as
// much else as possible.
DiskState StateOf(const CrashScene& scene, const PossibleRecovery& recovery,
                  const CrashFault& fault);
// Makes `state` one in which recovery comes to `recovery`, by as few changes as possible.
// Requires: it is possible now.
void LeadTo(const CrashScene& scene, const PossibleRecovery& recovery, DiskState& state);

// How many states the family has now, in decimal.
std::string StatesOf(const sim::BlockDevice& device);
// State `number` of the family, in decimal, from 0 on: the pending sectors, ascending, are the
// digits, the first the lowest; each counts its contents, from the durable one on. So state 0 is
// OldestState(). Fails if there are no so many.
absl::StatusOr<DiskState> NumberedState(const sim::BlockDevice& device, std::string_view number);

}  // namespace model
