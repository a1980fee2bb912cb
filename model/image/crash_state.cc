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

}  // namespace

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
