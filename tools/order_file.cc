#include "tools/order_file.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include "model/scenario/json_text.h"
#include "model/scenario/nearest_name.h"
#include "model/scenario/reader.h"
#include "model/scenario/schema.h"
#include "model/scenario/text.h"
#include "nlohmann/json.hpp"

namespace tools {
namespace {

using scenario::FieldVisitor;
using scenario::Need;
using scenario::PointerTo;
using scenario::Problem;
using scenario::TextRule;

constexpr int64_t kMaxOrderFileBytes = 1 << 20;

void VisitOrders(FieldVisitor& visitor, sim::LockOrders& orders) {
  constexpr int64_t kVersions[] = {1};
  int64_t version = 1;
  visitor.IntegerOf({"schema", "Version of the format.", Need::kRequired}, kVersions, version);
  visitor.Text({"name", "What the orders are of.", Need::kRequired}, TextRule::kText, orders.name);
  visitor.Text({"about", "What a reader should know of them."}, TextRule::kText, orders.about);
  visitor.List<sim::ClassAlias>(
      {"classes", "The lock classes.", Need::kRequired}, orders.classes,
      [&](sim::ClassAlias& alias) {
        visitor.Text({"name", "What the class is called in this file.", Need::kRequired},
                     TextRule::kText, alias.name);
        visitor.TextList({"known_as",
                          "Its names in the model and in kernels, without subclass; a '*' at the "
                          "end stands for anything."},
                         TextRule::kText, alias.known_as);
      });
  visitor.List<sim::DocumentedChain>(
      {"chains", "The orders, path by path.", Need::kRequired}, orders.chains,
      [&](sim::DocumentedChain& chain) {
        visitor.Text({"name", "Which path it is about.", Need::kRequired}, TextRule::kText,
                     chain.name);
        visitor.Text({"source", "Where it is documented.", Need::kRequired}, TextRule::kText,
                     chain.source);
        visitor.TextList(
            {"classes", "Outermost first, two at least; names of \"classes\".", Need::kRequired},
            TextRule::kText, chain.classes);
      });
}

void CheckClasses(const sim::LockOrders& orders, std::vector<Problem>& problems) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < orders.classes.size(); ++i) {
    const std::string at = PointerTo("/classes", i);
    const sim::ClassAlias& alias = orders.classes[i];
    if (!names.insert(alias.name).second) {
      problems.push_back(
          {PointerTo(at, "name"),
           scenario::Cat("there is a class ", scenario::Quoted(alias.name), " already")});
    }
    for (size_t k = 0; k < alias.known_as.size(); ++k) {
      if (names.insert(alias.known_as[k]).second) continue;
      problems.push_back(
          {PointerTo(PointerTo(at, "known_as"), k),
           scenario::Cat(scenario::Quoted(alias.known_as[k]), " names a class already")});
    }
  }
}

void CheckChains(const sim::LockOrders& orders, std::vector<Problem>& problems) {
  std::vector<std::string_view> names;
  for (const sim::ClassAlias& alias : orders.classes) names.push_back(alias.name);
  for (size_t i = 0; i < orders.chains.size(); ++i) {
    const std::vector<std::string>& classes = orders.chains[i].classes;
    const std::string at = PointerTo(PointerTo("/chains", i), "classes");
    if (classes.size() < 2) problems.push_back({at, "want two classes at least"});
    std::set<std::string_view> in_chain;
    for (size_t k = 0; k < classes.size(); ++k) {
      if (std::find(names.begin(), names.end(), classes[k]) == names.end()) {
        problems.push_back(
            {PointerTo(at, k), scenario::Cat("no such class ", scenario::Quoted(classes[k]),
                                             scenario::Suggestion(classes[k], names))});
      } else if (!in_chain.insert(classes[k]).second) {
        problems.push_back({PointerTo(at, k), scenario::Cat(scenario::Quoted(classes[k]),
                                                            " is in this chain already")});
      }
    }
  }
}

}  // namespace

absl::StatusOr<sim::LockOrders> ParseLockOrders(std::string_view path, std::string_view text) {
  const absl::StatusOr<scenario::JsonValue> root = scenario::ParseJsonText(path, text);
  if (!root.ok()) return root.status();
  sim::LockOrders orders;
  std::vector<Problem> problems =
      scenario::ReadObject(*root, [&](FieldVisitor& visitor) { VisitOrders(visitor, orders); });
  if (problems.empty()) {
    CheckClasses(orders, problems);
    CheckChains(orders, problems);
  }
  if (!problems.empty()) return scenario::ProblemStatus(path, *root, problems);
  return orders;
}

absl::StatusOr<sim::LockOrders> LoadLockOrders(const std::string& path) {
  const absl::StatusOr<std::string> text = scenario::ReadTextFile(path, kMaxOrderFileBytes);
  if (!text.ok()) return text.status();
  return ParseLockOrders(path, *text);
}

nlohmann::ordered_json LockOrdersSchema() {
  sim::LockOrders orders;
  return scenario::JsonSchema("crashdep lock orders",
                              [&](FieldVisitor& visitor) { VisitOrders(visitor, orders); });
}

}  // namespace tools
