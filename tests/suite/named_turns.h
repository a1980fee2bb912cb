// Turns by names that are the same in all executions of a scenario. The ids of events and objects
// will not do: they depend on the order of independent turns. Named is who made it, in which of its
// turns, as which of that turn's.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/engine/strategy.h"
#include "sim/engine/world.h"

namespace suite {

using Name = uint32_t;

// Of one scenario.
class Names {
 public:
  enum class Kind : uint8_t { kTask, kEvent, kObject, kField };
  static constexpr Name kNobody = UINT32_MAX;

  // Of `creator`'s `nth` turn the `which`-th; nobody's: made before any turn.
  Name Get(Kind kind, Name creator, uint32_t nth, uint32_t which) {
    const Key key{kind, creator, nth, which};
    const auto [it, is_new] = names_.try_emplace(key, static_cast<Name>(keys_.size()));
    if (is_new) keys_.push_back(key);
    return it->second;
  }

  // "event 0 of turn 3 of task 2"
  std::string Text(Name name) const {
    static constexpr const char* kKinds[] = {"task", "event", "object", "field"};
    const auto& [kind, creator, nth, which] = keys_[name];
    const std::string text = absl::StrCat(kKinds[static_cast<size_t>(kind)], " ", which);
    return creator == kNobody ? text : absl::StrCat(text, " of turn ", nth, " of ", Text(creator));
  }

 private:
  using Key = std::tuple<Kind, Name, uint32_t, uint32_t>;
  std::map<Key, Name> names_;
  std::vector<Key> keys_;
};

struct NamedTurn {
  Name actor = Names::kNobody;
  uint32_t nth = 0;  // of its actor's turns, from 1
  // The turn that made it possible, by its place + 1; 0: none.
  size_t enabler = 0;
  std::vector<std::pair<Name, sim::Access>> accesses;
};

inline bool Conflict(const NamedTurn& a, const NamedTurn& b) {
  return std::any_of(a.accesses.begin(), a.accesses.end(), [&](const auto& x) {
    return std::any_of(b.accesses.begin(), b.accesses.end(), [&](const auto& y) {
      return x.first == y.first && (sim::Writes(x.second) || sim::Writes(y.second));
    });
  });
}

// The turns of the execution at hand.
class TurnNamer {
 public:
  explicit TurnNamer(Names& names) : names_(names) {}

  const std::vector<NamedTurn>& turns() const { return turns_; }

  Name ActorOf(const sim::Candidate& candidate) {
    if (candidate.actor.kind == sim::Actor::Kind::kTask) {
      return names_.Get(Names::Kind::kTask, Names::kNobody, 0, candidate.actor.id);
    }
    return NameOf(Names::Kind::kEvent, events_, candidate.actor.id);
  }
  size_t EnablerOf(const sim::Candidate& candidate) const {
    if (candidate.actor.kind == sim::Actor::Kind::kTask) return candidate.since;
    return CreatorOf(events_, candidate.actor.id);
  }

  // `candidate` takes the next turn.
  void Begin(const sim::ChoicePoint& point, const sim::Candidate& candidate) {
    NamedTurn turn{.actor = ActorOf(candidate), .enabler = EnablerOf(candidate), .accesses = {}};
    turn.nth = ++counts_[turn.actor];
    turns_.push_back(std::move(turn));
    events_.push_back(point.events_end.value);
    objects_.push_back(point.objects_end.value);
    fields_.push_back(point.fields_end.value);
  }
  void End(const sim::Turn& turn) {
    for (const sim::Footprint& access : turn.accesses) {
      if (!access.object.valid()) continue;
      const bool is_field = access.object.value >= sim::World::kFirstField;
      const Name name = is_field ? NameOf(Names::Kind::kField, fields_, access.object.value)
                                 : NameOf(Names::Kind::kObject, objects_, access.object.value);
      turns_.back().accesses.emplace_back(name, access.access);
    }
  }

 private:
  // By turn: which was the next before it.
  using Begins = std::vector<uint32_t>;

  static size_t CreatorOf(const Begins& begins, uint32_t id) {
    return static_cast<size_t>(std::upper_bound(begins.begin(), begins.end(), id) - begins.begin());
  }
  Name NameOf(Names::Kind kind, const Begins& begins, uint32_t id) {
    const size_t turns = CreatorOf(begins, id);
    if (turns == 0) return names_.Get(kind, Names::kNobody, 0, id);
    const NamedTurn& creator = turns_[turns - 1];
    return names_.Get(kind, creator.actor, creator.nth, id - begins[turns - 1]);
  }

  Names& names_;
  std::vector<NamedTurn> turns_;
  Begins events_, objects_, fields_;
  std::map<Name, uint32_t> counts_;
};

}  // namespace suite
