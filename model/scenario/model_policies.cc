#include "model/scenario/model_policies.h"

#include "model/ext4/policy.h"

namespace scenario {

std::vector<PolicyField> ModelPolicies() {
  std::vector<PolicyField> fields;
  for (const model::PolicyEntry& entry : model::kPolicyEntries) {
    fields.push_back({entry.name, entry.about, entry.source});
  }
  return fields;
}

}  // namespace scenario
