// Usage bits: in which interrupt contexts a class was taken, and with which interrupts enabled
// [kernel/locking/lockdep_internals.h, lockdep_states.h].
//
// A class *used in* hardirq (IN-HARDIRQ) is irq-safe; one held while hardirqs were *enabled*
// (HARDIRQ-ON) is irq-unsafe. Both at once on one class, or an irq-safe class leading to an
// irq-unsafe one, can deadlock.
#pragma once

#include <cstdint>
#include <string>

namespace sim {

// Bit 0: taken shared; bit 1: held with that kind of interrupt enabled (else: used in it);
// bit 2: softirq (else hardirq).
enum class UsageBit : uint8_t {
  kInHardirq = 0,
  kInHardirqRead = 1,
  kHardirqOn = 2,
  kHardirqOnRead = 3,
  kInSoftirq = 4,
  kInSoftirqRead = 5,
  kSoftirqOn = 6,
  kSoftirqOnRead = 7,
  kUsed = 8,
};

using UsageMask = uint16_t;

constexpr UsageMask Mask(UsageBit bit) {
  return static_cast<UsageMask>(1u << static_cast<unsigned>(bit));
}
inline constexpr UsageMask kUsageWrite = 0x55;  // all bits for exclusive use
inline constexpr UsageMask kUsageInIrq = 0x33;  // all "used in"
inline constexpr UsageMask kUsageIrqOn = 0xcc;  // all "enabled"
inline constexpr UsageMask kUsageSoftirq = 0xf0;

constexpr UsageBit WithRead(UsageBit bit, bool read) {
  return static_cast<UsageBit>(static_cast<uint8_t>(bit) | (read ? 1 : 0));
}
constexpr bool IsRead(UsageBit bit) { return (static_cast<uint8_t>(bit) & 1) != 0; }
constexpr bool IsIrqOn(UsageBit bit) { return (static_cast<uint8_t>(bit) & 2) != 0; }
constexpr bool IsSoftirq(UsageBit bit) { return (static_cast<uint8_t>(bit) & 4) != 0; }

// The exclusive bit of the other direction, for the same kind of interrupt.
constexpr UsageBit Opposite(UsageBit bit) {
  return static_cast<UsageBit>((static_cast<uint8_t>(bit) ^ 2) & ~1);
}

// For each "used in" bit the "enabled" bits of the same interrupt, shared and exclusive, and the
// other way round.
constexpr UsageMask OppositeMask(UsageMask mask) {
  const unsigned flipped = ((mask & kUsageInIrq) << 2) | ((mask & kUsageIrqOn) >> 2);
  const unsigned write = (flipped | (flipped >> 1)) & kUsageWrite;
  return static_cast<UsageMask>(write | (write << 1));
}

// "+.+.": hardirq, hardirq-read, softirq, softirq-read; '.' neither, '-' used in, '+' enabled,
// '?' both.
std::string UsageString(UsageMask mask);
// "IN-HARDIRQ-W", "SOFTIRQ-ON-R", "INITIAL USE".
std::string UsageName(UsageBit bit);

}  // namespace sim
