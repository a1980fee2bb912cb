// What observed lock orders have to do with the documented ones: for people, and for an exit code.
#pragma once

#include <string>
#include <string_view>

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
  ExitCode exit_code() const { return exit_code_; }

 private:
  const sim::LockOrders& orders_;
  sim::Validator all_;
  std::string contradictions_;
  int contradiction_count_ = 0;
  ExitCode exit_code_ = ExitCode::kAsExpected;
};

}  // namespace tools
