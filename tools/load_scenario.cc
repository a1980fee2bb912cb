#include "tools/load_scenario.h"

#include "absl/strings/str_cat.h"
#include "model/scenario/parse.h"

namespace tools {

absl::StatusOr<scenario::Scenario> LoadScenario(const std::string& path, const Backend& backend) {
  auto scenario = scenario::LoadScenario(path, backend.policies);
  if (!scenario.ok()) return scenario;
  const absl::Status fits = backend.fits(*scenario);
  if (!fits.ok()) return absl::InvalidArgumentError(absl::StrCat(path, ": ", fits.message()));
  return scenario;
}

}  // namespace tools
