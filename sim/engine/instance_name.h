// Which of the many things of a class, for people: "inode 12", "folio 12:3".
#pragma once

#include <cstdint>
#include <string>

namespace sim {

// Static strings only.
struct InstanceName {
  static constexpr uint64_t kNoNumber = UINT64_MAX;
  const char* kind = "";
  uint64_t number = kNoNumber;
  // Locks of one class, kind and number that have an index may nest in ascending order of it.
  uint64_t index = kNoNumber;

  std::string Text() const;  // empty for one without a kind
};

}  // namespace sim
