// What shrinking must not lose: a finding, as it is known again in smaller scenarios (see
// shrink.h).
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sim/locking/hold_and_wait.h"

namespace scenario {

class ShrinkTarget {
 public:
  ShrinkTarget(std::string kind, std::string_view message);

  const std::string& kind() const { return kind_; }
  bool IsDeadlock() const { return kind_ == "deadlock"; }
  // Of a deadlock: who holds what and wants what in it.
  void SetDeadlock(const std::vector<sim::HoldAndWait>& tasks);

  // Of a deadlock any message will do.
  bool Matches(std::string_view kind, std::string_view message) const;
  // Whether an execution that ended with these tasks stuck may be it; true for other kinds.
  bool MatchesDeadlock(const std::vector<sim::HoldAndWait>& tasks) const;

 private:
  std::string kind_, message_;
  std::set<std::string> wanted_;  // classes, in the deadlock
};

}  // namespace scenario
