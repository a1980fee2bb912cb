#include "sim/explore/replay.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace sim {
namespace {

std::string Describe(const std::optional<Actor>& actor, std::span<const std::string> task_names,
                     const char* whose) {
  if (!actor.has_value()) return "has ended";
  if (actor->kind == Actor::Kind::kEvent) return absl::StrCat("has event ", actor->id);
  std::string text = absl::StrCat("has task ", actor->id);
  if (actor->id < task_names.size())
    absl::StrAppend(&text, " (", whose, task_names[actor->id], ")");
  return text;
}

}  // namespace

size_t ReplayStrategy::Choose(const ChoicePoint& point) {
  while (run_ < wanted_.size() && point.turn >= run_begin_ + wanted_[run_].turns) {
    run_begin_ += wanted_[run_++].turns;
  }
  if (run_ == wanted_.size() && at_end_ == AtEnd::kGivesUp) return kAbandon;
  if (diverged_ || run_ == wanted_.size()) return 0;
  const auto wanted =
      std::find_if(point.candidates.begin(), point.candidates.end(),
                   [&](const Candidate& c) { return c.actor == wanted_[run_].actor; });
  if (wanted == point.candidates.end()) {
    diverged_ = true;
    return 0;
  }
  return static_cast<size_t>(wanted - point.candidates.begin());
}

std::optional<Divergence> FindDivergence(std::span<const ScheduleRun> wanted,
                                         std::span<const ScheduleRun> taken) {
  uint64_t turn = 0;
  size_t i = 0;
  for (; i < std::min(wanted.size(), taken.size()) && wanted[i] == taken[i]; ++i) {
    turn += wanted[i].turns;
  }
  if (i == wanted.size() && i == taken.size()) return std::nullopt;

  // Where one ended or has another actor; if it is only shorter, behind its end.
  const auto actor_at = [&](std::span<const ScheduleRun> runs, uint64_t skipped) {
    size_t at = i;
    if (at < runs.size() && skipped >= runs[at].turns) ++at;
    return at < runs.size() ? std::optional(runs[at].actor) : std::nullopt;
  };
  const bool same_actor =
      i < wanted.size() && i < taken.size() && wanted[i].actor == taken[i].actor;
  const uint64_t common = same_actor ? std::min(wanted[i].turns, taken[i].turns) : 0;
  return Divergence{turn + common, actor_at(wanted, common), actor_at(taken, common)};
}

std::string RenderText(const Divergence& divergence, std::span<const std::string> task_names) {
  return absl::StrCat("turn ", divergence.turn + 1, ": the recording ",
                      Describe(divergence.wanted, task_names, "here "), ", the replay ",
                      Describe(divergence.taken, task_names, ""));
}

}  // namespace sim
