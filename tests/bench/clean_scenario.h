// The scenario that whole executions are measured with.
#pragma once

#include <string>
#include <utility>

#include "model/scenario/parse.h"
#include "sim/check.h"

namespace scenario {

// Three threads, four writes, no policy.
inline Scenario IomapDelalloc() {
  auto scenario =
      LoadScenario(std::string(SOURCE_ROOT) + "/scenarios/seed/iomap_delalloc.json", {});
  SIM_CHECK(scenario.ok());
  return *std::move(scenario);
}

}  // namespace scenario
