#include "sim/explore/pct.h"

#include <algorithm>
#include <functional>

#include "absl/strings/str_cat.h"
#include "sim/explore/random.h"

namespace sim {

PctStrategy::PctStrategy(const PctOptions& options) : random_(options.seed, "choices") {
  for (uint32_t i = 1; i < options.depth; ++i) {
    changes_.push_back(random_.UniformBelow(options.max_turns));
  }
  std::sort(changes_.begin(), changes_.end(), std::greater<>());
}

size_t PctStrategy::Choose(const ChoicePoint& point) {
  size_t chosen = Highest(point);
  while (!changes_.empty() && changes_.back() <= point.turn) {
    PriorityOf(point.candidates[chosen].actor) = changes_.size();
    changes_.pop_back();
    chosen = Highest(point);
  }
  return chosen;
}

uint64_t& PctStrategy::PriorityOf(const Actor& actor) {
  std::vector<uint64_t>& priorities = actor.kind == Actor::Kind::kTask ? tasks_ : events_;
  if (actor.id >= priorities.size()) priorities.resize(actor.id + 1, 0);
  uint64_t& priority = priorities[actor.id];
  if (priority == 0) priority = uint64_t{1} << 32 | random_.Next() >> 32;
  return priority;
}

size_t PctStrategy::Highest(const ChoicePoint& point) {
  const Nanos far = EarliestOf(point.candidates) + RandomStrategy::kFarNanos;
  size_t highest = 0;
  uint64_t priority = 0;
  for (size_t i = 0; i < point.candidates.size(); ++i) {
    const uint64_t own = PriorityOf(point.candidates[i].actor);
    if (point.candidates[i].ready_at > far || own <= priority) continue;
    highest = i;
    priority = own;
  }
  return highest;
}

std::string PctBound(uint64_t actors, uint64_t turns, uint32_t depth) {
  uint64_t one_in = actors;
  for (uint32_t i = 1; i < depth; ++i) {
    if (__builtin_mul_overflow(one_in, turns, &one_in)) return "less than 1 in 2^64";
  }
  return absl::StrCat("1 in ", one_in);
}

}  // namespace sim
