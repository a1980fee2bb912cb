// The policies that a scenario may set, as the parser wants them [model/ext4/policy.h].
#pragma once

#include <vector>

#include "model/scenario/policy_field.h"

namespace scenario {

std::vector<PolicyField> ModelPolicies();

}  // namespace scenario
