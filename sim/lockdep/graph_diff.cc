#include "sim/lockdep/graph_diff.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "nlohmann/json.hpp"

namespace sim {
namespace {

using Names = std::pair<std::string, std::string>;  // held, acquired

std::map<Names, const LockGraph::Edge*> ByNames(const Validator& validator) {
  std::map<Names, const LockGraph::Edge*> edges;
  for (const LockGraph::Edge& edge : validator.graph().edges()) {
    edges.emplace(Names(validator.NodeName(edge.from).Text(), validator.NodeName(edge.to).Text()),
                  &edge);
  }
  return edges;
}

std::vector<LockEdge> Missing(const Validator& from, const Validator& in) {
  const auto there = ByNames(in);
  std::vector<LockEdge> missing;
  for (const auto& [names, edge] : ByNames(from)) {
    if (there.find(names) == there.end()) missing.push_back(from.FirstSeen(*edge));
  }
  return missing;
}

std::string EdgeLines(const std::vector<LockEdge>& edges, std::string_view only_in) {
  std::string text = absl::StrCat(edges.size(), edges.size() == 1 ? " dependency" : " dependencies",
                                  " only in ", std::string(only_in), edges.empty() ? "\n" : ":\n");
  for (const LockEdge& edge : edges) {
    absl::StrAppend(&text, " ", edge.held.lock.Text(), " -> ", edge.acquired.lock.Text(), "\n",
                    "     ", FirstSeenText(edge), "\n");
  }
  return text;
}

}  // namespace

GraphDiff Diff(const Validator& a, const Validator& b) {
  GraphDiff diff;
  diff.only_a = Missing(a, b);
  diff.only_b = Missing(b, a);
  Validator joined;
  joined.Merge(a);
  const size_t known = joined.reports().size();
  joined.Merge(b);
  for (size_t i = known; i < joined.reports().size(); ++i) {
    diff.added.push_back(joined.reports()[i]);
  }
  return diff;
}

std::string RenderText(const GraphDiff& diff, std::string_view a, std::string_view b) {
  std::string text = absl::StrCat(
      EdgeLines(diff.only_a, a), EdgeLines(diff.only_b, b), diff.added.size(),
      diff.added.size() == 1 ? " report" : " reports", " that ", std::string(b), " adds\n");
  for (const LockReport& report : diff.added) absl::StrAppend(&text, "\n", RenderText(report));
  return text;
}

nlohmann::ordered_json ToJson(const GraphDiff& diff, std::string_view a, std::string_view b) {
  nlohmann::ordered_json added = nlohmann::ordered_json::array();
  for (const LockReport& report : diff.added) added.push_back(ToJson(report));
  return {{"a", a},
          {"b", b},
          {"only_a", ToJson(diff.only_a)},
          {"only_b", ToJson(diff.only_b)},
          {"added", std::move(added)}};
}

}  // namespace sim
