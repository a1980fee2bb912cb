#include "sim/explore/guided.h"

#include <algorithm>

namespace sim {
namespace {

// Its index, or SIZE_MAX.
size_t Find(const ChoicePoint& point, const Actor& actor) {
  const auto found = std::find_if(point.candidates.begin(), point.candidates.end(),
                                  [&](const Candidate& c) { return c.actor == actor; });
  return found == point.candidates.end() ? SIZE_MAX
                                         : static_cast<size_t>(found - point.candidates.begin());
}

}  // namespace

size_t GuidedStrategy::Choose(const ChoicePoint& point) {
  size_t choice = SIZE_MAX;
  for (; run_ < wanted_.size(); ++run_, taken_ = 0) {
    if (taken_ == wanted_[run_].turns) continue;
    choice = Find(point, wanted_[run_].actor);
    if (choice != SIZE_MAX) break;
  }
  if (choice == SIZE_MAX) choice = Find(point, last_);
  if (choice == SIZE_MAX) choice = 0;
  ++taken_;
  last_ = point.candidates[choice].actor;
  return choice;
}

}  // namespace sim
