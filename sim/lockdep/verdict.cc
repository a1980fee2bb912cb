// All cycles, and which of them something excludes.

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/lockdep/validator.h"

namespace sim {

// Why a guard must be *kept*: tasks that deadlock may each do several of a cycle's edges, one
// within the other, so that what one of them held while it waited for an inner lock says nothing
// yet. What it took before that edge's holder and gives up after it, it still holds.
class Validator::Judge {
 public:
  explicit Judge(const Validator& validator) : validator_(validator) {
    for (const Fact& fact : validator.facts_) {
      if (fact.kind != Fact::Kind::kContext) continue;
      contexts_[validator.events_[fact.event].lock.node.value].push_back(fact.event);
    }
  }

  void SetVerdict(const LockGraph::Path& path, LockCycle& cycle) {
    path_ = &path;
    classes_.clear();
    sightings_.clear();
    for (const LockGraph::Hop& hop : path) {
      const LockGraph::Edge& edge = validator_.graph_.edge(hop.edge);
      classes_.push_back(validator_.nodes_[edge.from.value].lock_class);
      sightings_.push_back(SightingsOf(edge));
    }
    const std::optional<Guard> guard = Exclusion();
    if (!guard) return;
    cycle.verdict = guard->task.empty() ? CycleVerdict::kGuarded : CycleVerdict::kSameTask;
    cycle.why = Why(*guard);
  }

 private:
  // Excludes that two edges of the path are waited for at once.
  struct Guard {
    LockClassId lock_class;
    std::string task;  // else
    size_t first = 0, second = 0;
  };

  // As AddDependencies() goes back over the locks held.
  std::vector<Sighting> SightingsOf(const LockGraph::Edge& edge) {
    std::vector<Sighting> sightings;
    for (uint32_t number : contexts_[edge.to.value]) {
      const Event& event = validator_.events_[number];
      const auto held = validator_.HeldAt(event);
      for (size_t i = held.size(); i-- > 0;) {
        if (held[i].irq_context != event.lock.irq_context) break;
        if (!held[i].check) continue;
        if (held[i].node == edge.from) sightings.push_back({number, static_cast<uint32_t>(i)});
        if (!held[i].trylock && held[i].read != ReadMode::kSharedRecursive) break;
      }
    }
    return sightings;
  }

  std::optional<Guard> Exclusion() {
    std::optional<Guard> found;
    bool all_exclude = true;
    for (size_t i = 0; i < path_->size(); ++i) {
      for (size_t j = i + 1; j < path_->size(); ++j) {
        const std::optional<Guard> guard = GuardOf(i, j);
        all_exclude = all_exclude && guard.has_value();
        if (!guard) continue;
        if (!OneTaskMayDoBoth(i, j)) return guard;
        if (!found) found = guard;
      }
    }
    return all_exclude ? found : std::nullopt;
  }

  // One for each pair of sightings, of which the first is named.
  std::optional<Guard> GuardOf(size_t i, size_t j) const {
    std::optional<Guard> first;
    for (const Sighting& one : sightings_[i]) {
      for (const Sighting& other : sightings_[j]) {
        const std::optional<Guard> guard = CommonGuard(one, other);
        if (!guard) return std::nullopt;
        if (!first) first = guard;
      }
    }
    if (first) {
      first->first = i;
      first->second = j;
    }
    return first;
  }

  std::optional<Guard> CommonGuard(const Sighting& one, const Sighting& other) const {
    const Event& first = validator_.events_[one.event];
    const Event& second = validator_.events_[other.event];
    const std::string& task = validator_.names_[first.task_name];
    if (first.unique_task && second.unique_task && first.task_name == second.task_name &&
        !validator_.not_unique_.contains(task)) {
      return Guard{{}, task};
    }
    for (uint32_t a = 0; a < one.held; ++a) {
      for (uint32_t b = 0; b < other.held; ++b) {
        const Use& use = validator_.HeldAt(first)[a];
        const Use& same = validator_.HeldAt(second)[b];
        const LockClassId lock_class = validator_.nodes_[use.node.value].lock_class;
        if (lock_class != validator_.nodes_[same.node.value].lock_class) continue;
        if (use.read != ReadMode::kExclusive && same.read != ReadMode::kExclusive) continue;
        if (IsKept(first, a, one.held) && IsKept(second, b, other.held))
          return Guard{lock_class, {}};
      }
    }
    return std::nullopt;
  }

  // Whoever holds lock `held` as in this event holds lock `guard` all the time, and so does nobody
  // else.
  bool IsKept(const Event& event, uint32_t guard, uint32_t held) const {
    const auto locks = validator_.HeldAt(event);
    const LockClassId lock_class = validator_.nodes_[locks[guard].node.value].lock_class;
    return validator_.classes_[lock_class.value].traits.unique &&
           locks[guard].irq_context == event.lock.irq_context &&
           std::find(classes_.begin(), classes_.end(), lock_class) == classes_.end() &&
           !validator_.drops_.contains({locks[guard].node.value, locks[held].node.value});
  }

  // Has a task waited for anything while it held what both edges start from?
  bool OneTaskMayDoBoth(size_t i, size_t j) const {
    const LockNodeId one = validator_.graph_.edge((*path_)[i].edge).from;
    const LockNodeId other = validator_.graph_.edge((*path_)[j].edge).from;
    for (const auto& [node, events] : contexts_) {
      for (uint32_t number : events) {
        const auto held = validator_.HeldAt(validator_.events_[number]);
        const auto holds = [&](LockNodeId lock) {
          return std::any_of(held.begin(), held.end(),
                             [&](const Use& use) { return use.node == lock; });
        };
        if (holds(one) && holds(other)) return true;
      }
    }
    return false;
  }

  std::string Why(const Guard& guard) const {
    const auto text = [&](size_t i) {
      const LockGraph::Edge& edge = validator_.graph_.edge((*path_)[i].edge);
      return absl::StrCat(validator_.NodeName(edge.from).Text(), " --> ",
                          validator_.NodeName(edge.to).Text());
    };
    const std::string both = absl::StrCat(text(guard.first), " and ", text(guard.second));
    return guard.task.empty() ? absl::StrCat(both, " are only ever waited for under ",
                                             validator_.ClassName(guard.lock_class))
                              : absl::StrCat(both, " are only ever waited for by ", guard.task);
  }

  const Validator& validator_;
  std::map<uint32_t, std::vector<uint32_t>> contexts_;  // events, by the node waited for
  const LockGraph::Path* path_ = nullptr;
  std::vector<LockClassId> classes_;              // of the path
  std::vector<std::vector<Sighting>> sightings_;  // of the path's edges
};

Validator::CycleReports Validator::Cycles(const CycleLimits& limits) const {
  CycleList list = AllCycles(graph_, limits);
  CycleReports all;
  all.cut_off = list.cut_off;
  Judge judge(*this);
  const auto tag = [&](const LockGraph::Hop& hop) {
    return graph_.edge(hop.edge).tag[static_cast<size_t>(hop.kind)];
  };
  for (LockGraph::Path& path : list.cycles) {
    // The dependency seen last closed it.
    std::rotate(path.begin(),
                std::max_element(path.begin(), path.end(),
                                 [&](const auto& a, const auto& b) { return tag(a) < tag(b); }),
                path.end());
    LockReport report = MakeReport(ReportKind::kLockCycle, facts_[tag(path.front())]);
    report.cycle.edges = MakePath(path);
    judge.SetVerdict(path, report.cycle);
    all.cycles.push_back(std::move(report));
  }
  return all;
}

}  // namespace sim
