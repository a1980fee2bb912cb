// Two lock graphs side by side: what one has that the other has not. Locks are the same if their
// names are, with subclass.
#pragma once

#include <string>
#include <vector>

#include "nlohmann/json_fwd.hpp"
#include "sim/lockdep/report.h"
#include "sim/lockdep/validator.h"

namespace sim {

struct GraphDiff {
  std::vector<LockEdge> only_a, only_b;  // who was first seen with each; by names
  // Reports that A had not, of B alone or because the orders of both together make a cycle.
  std::vector<LockReport> added;

  bool empty() const { return only_a.empty() && only_b.empty() && added.empty(); }
};

GraphDiff Diff(const Validator& a, const Validator& b);

// `a` and `b` say where the graphs are from.
std::string RenderText(const GraphDiff& diff, std::string_view a, std::string_view b);
nlohmann::ordered_json ToJson(const GraphDiff& diff, std::string_view a, std::string_view b);

}  // namespace sim
