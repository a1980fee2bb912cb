// A strategy that goes through executions one after the other, and knows when it has had them all.
#pragma once

#include <cstdint>

#include "sim/engine/strategy.h"

namespace sim {

class SystematicStrategy : public Strategy {
 public:
  // Gets ready for the next execution; false: there is none.
  [[nodiscard]] virtual bool Next() = 0;

  bool wants_turns() const final { return true; }
};

}  // namespace sim
