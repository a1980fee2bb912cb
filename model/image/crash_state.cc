#include "model/image/crash_state.h"

#include <boost/multiprecision/cpp_int.hpp>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace model {
namespace {

using boost::multiprecision::cpp_int;

// A longer number is beyond any family, and only takes long to read.
constexpr size_t kMaxDigits = 10'000;

// The sectors of `block` hold its image.
void Hold(const CrashScene& scene, const LogBlock& block, DiskState& state) {
  const Geometry& geometry = scene.geometry;
  const uint32_t sectors = block.pblk == geometry.journal() ? 1 : geometry.sectors_per_block();
  for (uint32_t i = 0; i < sectors; ++i) {
    state[geometry.first_sector(block.pblk) + i] = ImageContent(block.image, i);
  }
}

// The first sector, which tells any two journal blocks apart, is not of its image: the newest of
// what it may be instead.
void Lack(const CrashScene& scene, const LogBlock& block, DiskState& state) {
  const uint64_t sector = scene.geometry.first_sector(block.pblk);
  const Possible contents = DeviceView(scene.device).At(sector);
  const SectorContent lost = ImageContent(block.image, 0);
  for (const SectorContent content : contents) {
    if (content != lost) state[sector] = content;
  }
}

}  // namespace

DiskState OldestState(const sim::BlockDevice& device) {
  DiskState state(device.size_sectors());
  for (uint64_t sector = 0; sector < state.size(); ++sector) state[sector] = device.durable(sector);
  return state;
}

DiskState NewestState(const sim::BlockDevice& device) {
  DiskState state = OldestState(device);
  for (const uint64_t sector : device.pending_sectors()) {
    state[sector] = device.pending(sector).back().content;
  }
  return state;
}

void LeadTo(const CrashScene& scene, const PossibleRecovery& recovery, DiskState& state) {
  for (const LogBlock& block : recovery.outcome.found) Hold(scene, block, state);
  const LogBlock& missing = recovery.outcome.missing;
  if (missing.pblk == 0) return;
  Hold(scene, missing, state);
  Lack(scene, missing, state);
}

DiskState StateOf(const CrashScene& scene, const PossibleRecovery& recovery,
                  const CrashFault& fault) {
  DiskState state = NewestState(scene.device);
  LeadTo(scene, recovery, state);
  for (const Witness& witness : fault.witnesses) state[witness.sector] = witness.content;
  return state;
}

std::string StatesOf(const sim::BlockDevice& device) {
  cpp_int states = 1;
  const DeviceView view(device);
  for (const uint64_t sector : device.pending_sectors()) states *= view.At(sector).size();
  return states.str();
}

absl::StatusOr<DiskState> NumberedState(const sim::BlockDevice& device, std::string_view number) {
  const bool is_number = !number.empty() && absl::c_all_of(number, absl::ascii_isdigit);
  if (!is_number || number.size() > kMaxDigits) {
    return absl::InvalidArgumentError(
        absl::StrCat("want the number of a state, got \"", std::string(number), "\""));
  }
  // A leading 0 would make it octal.
  const size_t first = std::min(number.find_first_not_of('0'), number.size() - 1);
  cpp_int rest(std::string(number.substr(first)));
  DiskState state = OldestState(device);
  const DeviceView view(device);
  for (const uint64_t sector : device.pending_sectors()) {
    const Possible contents = view.At(sector);
    state[sector] = contents[static_cast<size_t>(rest % contents.size())];
    rest /= contents.size();
  }
  if (rest == 0) return state;
  return absl::InvalidArgumentError(absl::StrCat("there is no state ", std::string(number),
                                                 ": the family has ", StatesOf(device),
                                                 ", counted from 0"));
}

}  // namespace model
