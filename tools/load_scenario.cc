#include "tools/load_scenario.h"

#include "model/scenario/parse.h"
#include "tools/bad_input.h"

namespace tools {

absl::StatusOr<scenario::Scenario> LoadScenario(const std::string& path, const Backend& backend) {
  auto scenario = scenario::LoadScenario(path, backend.policies);
  if (!scenario.ok()) return scenario;
  const absl::Status fits = backend.fits(*scenario);
  if (!fits.ok()) return InFile(path, fits);
  return scenario;
}

}  // namespace tools
