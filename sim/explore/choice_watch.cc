#include "sim/explore/choice_watch.h"

#include <algorithm>

#include "sim/locking/lock_tracker.h"

namespace sim {

void ChoiceWatch::OnStart(const World& world) {
  world_ = &world;
  strategy_.OnStart(world);
}

size_t ChoiceWatch::Choose(const ChoicePoint& point) {
  const size_t chosen = strategy_.Choose(point);
  if (chosen == kAbandon || point.candidates.size() < 2) return chosen;
  Digest128 digest;
  for (const Candidate& candidate : point.candidates) {
    const bool has_run = candidate.actor == Actor{Actor::Kind::kTask, point.running.value};
    if (point.running.valid() && has_run) digest.Add(PlaceOf(candidate));
  }
  digest.Add(PlaceOf(point.candidates[chosen]));
  const uint64_t choice = digest.Value().low;
  if (seen_.empty() || seen_.back() != choice) seen_.push_back(choice);
  return chosen;
}

uint64_t ChoiceWatch::PlaceOf(const Candidate& candidate) const {
  if (candidate.actor.kind == Actor::Kind::kEvent) return 0;
  const Task& task = *world_->tasks()[candidate.actor.id];
  Digest128 digest;
  for (const FrameSite* frame : world_->stack_table().Frames(task.stack())) {
    digest.AddString(frame->function);
    digest.AddString(frame->site.file);
  }
  digest.Add(static_cast<uint64_t>(candidate.next.access));
  if (const auto* lock = dynamic_cast<const Lock*>(task.gate()); lock != nullptr) {
    digest.AddString(world_->lock_tracker().validator().ClassName(lock->lock_class()));
  }
  return digest.Value().low;
}

std::vector<uint64_t> ChoiceWatch::Seen() const {
  std::vector<uint64_t> seen = seen_;
  std::sort(seen.begin(), seen.end());
  seen.erase(std::unique(seen.begin(), seen.end()), seen.end());
  return seen;
}

}  // namespace sim
