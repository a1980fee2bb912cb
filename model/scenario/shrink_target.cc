#include "model/scenario/shrink_target.h"

#include <algorithm>
#include <utility>

namespace scenario {
namespace {

std::string WithoutNumbers(std::string_view text) {
  std::string result;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      result += c;
    } else if (!result.ends_with('#')) {
      result += '#';
    }
  }
  return result;
}

std::set<std::string> WantedIn(const std::vector<sim::HoldAndWait>& deadlock) {
  std::set<std::string> wanted;
  for (const sim::HoldAndWait& task : deadlock) {
    wanted.insert(task.wanted.begin(), task.wanted.end());
  }
  return wanted;
}

}  // namespace

ShrinkTarget::ShrinkTarget(std::string kind, std::string_view message)
    : kind_(std::move(kind)), message_(WithoutNumbers(message)) {}

void ShrinkTarget::SetDeadlock(const std::vector<sim::HoldAndWait>& tasks) {
  wanted_ = WantedIn(tasks);
}

bool ShrinkTarget::Matches(std::string_view kind, std::string_view message) const {
  return kind == kind_ && (IsDeadlock() || WithoutNumbers(message) == message_);
}

bool ShrinkTarget::MatchesDeadlock(const std::vector<sim::HoldAndWait>& tasks) const {
  if (!IsDeadlock()) return true;
  const std::set<std::string> wanted = WantedIn(tasks);
  return std::includes(wanted_.begin(), wanted_.end(), wanted.begin(), wanted.end());
}

}  // namespace scenario
