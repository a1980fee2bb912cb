// What observed lock orders have to do with the documented ones: for people, and for an exit code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nlohmann/json_fwd.hpp"
#include "sim/lockdep/lock_orders.h"
#include "tools/exit_code.h"

namespace tools {

class OrderReport {
 public:
  // `orders` outlives this.
  explicit OrderReport(const sim::LockOrders& orders) : orders_(orders) {}

  // Adds what was observed; `source` is named beside what contradicts. `counts`: that is not as
  // expected, since nobody broke a rule on purpose.
  void Add(std::string_view source, const sim::Validator& observed, bool counts);

  // Every order that contradicts a documented one, and every documented one that nothing that was
  // added ever exercised.
  std::string Text() const;
  nlohmann::ordered_json ToJson() const;
  ExitCode exit_code() const { return exit_code_; }

 private:
  const sim::LockOrders& orders_;
  sim::Validator all_;
  struct Contradiction {
    std::string source;
    sim::OrderContradiction order;
  };
  std::vector<Contradiction> contradictions_;
  ExitCode exit_code_ = ExitCode::kAsExpected;
};

}  // namespace tools
