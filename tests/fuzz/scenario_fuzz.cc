// Scenario text of any kind: parsing must end with a Scenario or with an error, and a Scenario must
// come back from its own JSON. Build with clang++ -fsanitize=fuzzer,address,undefined.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "model/scenario/parse.h"
#include "model/scenario/writer.h"
#include "nlohmann/json.hpp"
#include "sim/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr scenario::PolicyField kPolicies[] = {{"skip_revoke", "about", "source"}};
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = scenario::ParseScenario("fuzz", text, kPolicies);
  if (!parsed.ok()) return 0;
  const auto written = scenario::ToJson(*parsed);
  const auto again = scenario::ParseScenario("again", written.dump(), kPolicies);
  SIM_CHECK(again.ok());
  SIM_CHECK(scenario::ToJson(*again) == written);
  return 0;
}
