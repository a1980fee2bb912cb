// All cycles, and which of them something excludes.

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sim/lockdep/validator.h"

namespace sim {

// A guard that is held in all contexts of an edge is held as long as both of the edge's locks are:
// where it is given up under them, or becomes a shared hold, what is left is a context of its own
// (Rechain()). Tasks that deadlock may each do several of a cycle's edges, one within the other.
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
    sightings_.clear();
    for (const LockGraph::Hop& hop : path) {
      const LockGraph::Edge& edge = validator_.graph_.edge(hop.edge);
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

  // Events in which the edge was seen; as AddDependencies() goes back over the locks held.
  std::vector<uint32_t> SightingsOf(const LockGraph::Edge& edge) {
    std::vector<uint32_t> sightings;
    for (uint32_t number : contexts_[edge.to.value]) {
      const Event& event = validator_.events_[number];
      const auto held = validator_.HeldAt(event);
      for (size_t i = held.size(); i-- > 0;) {
        if (held[i].irq_context != event.lock.irq_context) break;
        if (!held[i].check) continue;
        if (held[i].node == edge.from) sightings.push_back(number);
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
    for (uint32_t one : sightings_[i]) {
      for (uint32_t other : sightings_[j]) {
        const std::optional<Guard> guard =
            CommonGuard(validator_.events_[one], validator_.events_[other]);
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

  std::optional<Guard> CommonGuard(const Event& first, const Event& second) const {
    const std::string& task = validator_.names_[first.task_name];
    if (first.unique_task && second.unique_task && first.task_name == second.task_name &&
        !validator_.not_unique_.contains(task)) {
      return Guard{{}, task};
    }
    for (const Use& use : validator_.HeldAt(first)) {
      for (const Use& same : validator_.HeldAt(second)) {
        if (!Guards(use, first) || !Guards(same, second)) continue;
        const LockClassId lock_class = validator_.nodes_[use.node.value].lock_class;
        if (lock_class != validator_.nodes_[same.node.value].lock_class) continue;
        if (use.read == ReadMode::kExclusive || same.read == ReadMode::kExclusive) {
          return Guard{lock_class, {}};
        }
      }
    }
    return std::nullopt;
  }

  // An interrupt may come where nobody holds what is held under it here.
  bool Guards(const Use& use, const Event& event) const {
    return validator_.TraitsOf(use.node).unique && use.irq_context == event.lock.irq_context;
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
  std::vector<std::vector<uint32_t>> sightings_;  // of the path's edges
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
    AddPath(path, kNow, report.cycle.edges);
    judge.SetVerdict(path, report.cycle);
    all.cycles.push_back(std::move(report));
  }
  return all;
}

Validator::Conclusions Validator::Conclude(const CycleLimits& limits) const {
  if (ends_.empty()) return ConcludeFromGraph(limits);
  Validator all(options_);
  all.Merge(*this);
  all.ConcludeFromEnds();
  return all.ConcludeFromGraph(limits);
}

Validator::Conclusions Validator::ConcludeFromGraph(const CycleLimits& limits) const {
  CycleReports cycles = Cycles(limits);
  Conclusions conclusions;
  conclusions.more_cycles = cycles.cut_off;
  std::set<std::string> listed;
  for (const LockReport& report : cycles.cycles) listed.insert(Message(report));
  for (const LockReport& report : reports()) {
    const bool is_cycle = report.kind == ReportKind::kLockCycle;
    if (is_cycle && (!cycles.cut_off || listed.contains(Message(report)))) continue;
    conclusions.found.push_back(report);
  }
  for (LockReport& report : cycles.cycles) {
    const bool possible = report.cycle.verdict == CycleVerdict::kPossible;
    (possible ? conclusions.found : conclusions.excluded).push_back(std::move(report));
  }
  return conclusions;
}

}  // namespace sim
