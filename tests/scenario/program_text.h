// Parts of lock programs as JSON, for tests that put random ones together.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace scenario {

inline std::string OpText(const std::string& op, const std::string& operand,
                          const std::string& name) {
  return absl::StrCat(R"({"op": ")", op, R"(", ")", operand, R"(": ")", name, R"("})");
}

// A thread or a work item.
inline std::string RoutineText(const std::string& name, const std::vector<std::string>& ops) {
  return absl::StrCat(R"({"name": ")", name, R"(", "ops": [)", absl::StrJoin(ops, ", "), "]}");
}

inline std::string QueueText(const std::string& work) {
  return absl::StrCat(R"({"op": "queue", "queue": "wq", "work": ")", work, R"("})");
}

}  // namespace scenario
