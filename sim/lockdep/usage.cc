#include "sim/lockdep/usage.h"

#include "absl/strings/str_cat.h"

namespace sim {

std::string UsageString(UsageMask mask) {
  std::string text;
  for (UsageBit in : {UsageBit::kInHardirq, UsageBit::kInHardirqRead, UsageBit::kInSoftirq,
                      UsageBit::kInSoftirqRead}) {
    const UsageBit on = WithRead(Opposite(in), IsRead(in));
    const bool used_in = (mask & Mask(in)) != 0;
    const bool enabled = (mask & Mask(on)) != 0;
    text += used_in ? (enabled ? '?' : '-') : (enabled ? '+' : '.');
  }
  return text;
}

std::string UsageName(UsageBit bit) {
  if (bit == UsageBit::kUsed) return "INITIAL USE";
  const char* irq = IsSoftirq(bit) ? "SOFTIRQ" : "HARDIRQ";
  const char* mode = IsRead(bit) ? "-R" : "-W";
  return IsIrqOn(bit) ? absl::StrCat(irq, "-ON", mode) : absl::StrCat("IN-", irq, mode);
}

}  // namespace sim
