#include "tools/order_report.h"

#include <utility>
#include <vector>

#include "model/scenario/text.h"
#include "nlohmann/json.hpp"

namespace tools {

using scenario::Cat;

void OrderReport::Add(std::string_view source, const sim::Validator& observed, bool counts) {
  const auto named = sim::Project(observed, sim::ClassNames(orders_.classes));
  for (sim::OrderContradiction& order : sim::FindContradictions(observed, orders_)) {
    contradictions_.push_back({std::string(source), std::move(order)});
    if (counts) exit_code_ = ExitCode::kNotAsExpected;
  }
  all_.Merge(*named);
}

std::string OrderReport::Text() const {
  const std::vector<sim::DocumentedOrder> unexercised = sim::FindUnexercised(all_, orders_);
  std::string text = Cat("documented orders of ", orders_.name, ": ", contradictions_.size(),
                         " observed against them, ", unexercised.size(), " never exercised\n");
  if (!contradictions_.empty()) text += " against the documents:\n";
  for (const auto& [source, order] : contradictions_) {
    text += Cat("  ", source, source.empty() ? "" : ": ", sim::RenderText(order, orders_));
  }
  if (!unexercised.empty()) text += " never exercised:\n";
  for (const sim::DocumentedOrder& order : unexercised) {
    text += Cat("  ", sim::RenderText(order, orders_), "\n");
  }
  return text;
}

nlohmann::ordered_json OrderReport::ToJson() const {
  nlohmann::ordered_json json = {{"orders", orders_.name},
                                 {"contradictions", nlohmann::ordered_json::array()},
                                 {"never_exercised", nlohmann::ordered_json::array()}};
  for (const auto& [source, order] : contradictions_) {
    auto& entry = json["contradictions"].emplace_back();
    if (!source.empty()) entry["source"] = source;
    entry["observed"] = sim::ToJson(std::vector{order.observed})[0];
    for (const sim::DocumentedOrder& documented : order.documented) {
      entry["documented"].push_back(sim::RenderText(documented, orders_));
    }
  }
  for (const sim::DocumentedOrder& order : sim::FindUnexercised(all_, orders_)) {
    json["never_exercised"].push_back(sim::RenderText(order, orders_));
  }
  return json;
}

}  // namespace tools
