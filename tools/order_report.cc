#include "tools/order_report.h"

#include <vector>

#include "model/scenario/text.h"

namespace tools {

using scenario::Cat;

void OrderReport::Add(std::string_view source, const sim::Validator& observed, bool counts) {
  const auto named = sim::Project(observed, sim::ClassNames(orders_.classes));
  for (const sim::OrderContradiction& contradiction : sim::FindContradictions(observed, orders_)) {
    ++contradiction_count_;
    contradictions_ +=
        Cat("  ", source, source.empty() ? "" : ": ", sim::RenderText(contradiction, orders_));
    if (counts) exit_code_ = ExitCode::kNotAsExpected;
  }
  all_.Merge(*named);
}

std::string OrderReport::Text() const {
  const std::vector<sim::DocumentedOrder> unexercised = sim::FindUnexercised(all_, orders_);
  std::string text = Cat("documented orders of ", orders_.name, ": ", contradiction_count_,
                         " observed against them, ", unexercised.size(), " never exercised\n");
  if (contradiction_count_ > 0) text += Cat(" against the documents:\n", contradictions_);
  if (!unexercised.empty()) text += " never exercised:\n";
  for (const sim::DocumentedOrder& order : unexercised) {
    text += Cat("  ", sim::RenderText(order, orders_), "\n");
  }
  return text;
}

}  // namespace tools
