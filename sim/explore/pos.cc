#include "sim/explore/pos.h"

#include "sim/explore/random.h"

namespace sim {

size_t PosStrategy::Choose(const ChoicePoint& point) {
  const Nanos far = EarliestOf(point.candidates) + RandomStrategy::kFarNanos;
  size_t chosen = 0;
  uint64_t highest = 0;
  for (size_t i = 0; i < point.candidates.size(); ++i) {
    if (point.candidates[i].ready_at > far) continue;
    uint64_t& priority = PriorityOf(point.candidates[i].actor);
    if (priority == 0) priority = random_.Next() | 1;
    if (priority > highest) {
      highest = priority;
      chosen = i;
    }
  }
  for (size_t i = 0; i < point.candidates.size(); ++i) {
    const Candidate& candidate = point.candidates[i];
    if (i == chosen || Conflict(candidate.next, point.candidates[chosen].next)) {
      PriorityOf(candidate.actor) = 0;
    }
  }
  return chosen;
}

uint64_t& PosStrategy::PriorityOf(const Actor& actor) {
  std::vector<uint64_t>& priorities = actor.kind == Actor::Kind::kTask ? tasks_ : events_;
  if (actor.id >= priorities.size()) priorities.resize(actor.id + 1, 0);
  return priorities[actor.id];
}

}  // namespace sim
