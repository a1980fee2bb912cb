// What came of building crash families state by state.
#pragma once

#include <cstdint>
#include <string>

namespace model {

struct EnumerationCount {
  uint64_t families = 0;  // enumerated
  uint64_t larger = 0;    // not enumerated: more states than the limit
  uint64_t states = 0;    // built
  uint64_t disagreements = 0;
  std::string first_disagreement;

  void Merge(const EnumerationCount& other);
};

}  // namespace model
