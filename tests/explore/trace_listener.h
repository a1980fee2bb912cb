// What a search ran, as Mazurkiewicz traces, from scratch: the oracle of partial-order reduction.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/engine/strategy.h"

namespace sim {

// Listens to a search: what it ran, as traces.
class TraceListener : public Strategy {
 public:
  explicit TraceListener(Strategy& search) : search_(search) {}

  bool wants_turns() const override { return true; }
  size_t Choose(const ChoicePoint& point) override {
    const size_t chosen = search_.Choose(point);
    if (chosen == kAbandon) {
      abandoned_ = true;
      return chosen;
    }
    const Candidate& candidate = point.candidates[chosen];
    if (point.winding_down || candidate.blocked) closed_ = true;
    if (closed_) return chosen;
    begin_.push_back(point.events_end.value);
    const bool is_task = candidate.actor.kind == Actor::Kind::kTask;
    size_t since = candidate.since;
    if (!is_task) {
      since = 0;
      while (since < begin_.size() && begin_[since] <= candidate.actor.id) ++since;
    }
    turns_.push_back({.since = since, .accesses = {}, .name = ""});
    std::string actor = absl::StrCat("task", candidate.actor.id);
    if (!is_task) {
      actor = since == 0 ? absl::StrCat("event", candidate.actor.id)
                         : absl::StrCat("event", candidate.actor.id - begin_[since - 1], " of ",
                                        turns_[since - 1].name);
    }
    turns_.back().actor = actor;
    turns_.back().name = absl::StrCat(actor, "#", ++counts_[actor]);
    return chosen;
  }
  void OnTurn(const Turn& turn) override {
    search_.OnTurn(turn);
    if (closed_ || abandoned_) return;
    turns_.back().accesses.assign(turn.accesses.begin(), turn.accesses.end());
  }
  void OnEnd() override { search_.OnEnd(); }

  bool abandoned() const { return abandoned_; }

  // Each turn with the names of all that happen before it, in order of the names.
  std::string Trace() const {
    std::vector<std::set<std::string>> before(turns_.size());
    std::set<std::string> lines;
    for (size_t i = 0; i < turns_.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (!Dependent(j, i)) continue;
        before[i].insert(before[j].begin(), before[j].end());
        before[i].insert(turns_[j].name);
      }
      std::string line = turns_[i].name + ":";
      for (const std::string& name : before[i]) line += " " + name;
      lines.insert(line);
    }
    std::string trace;
    for (const std::string& line : lines) trace += line + "\n";
    return trace;
  }

 private:
  struct Recorded {
    size_t since = 0;
    std::vector<Footprint> accesses;
    std::string actor, name;
  };

  bool Dependent(size_t a, size_t b) const {
    if (turns_[a].actor == turns_[b].actor || turns_[b].since == a + 1) return true;
    for (const Footprint& x : turns_[a].accesses) {
      for (const Footprint& y : turns_[b].accesses) {
        if (x.object.valid() && Conflict(x, y)) return true;
      }
    }
    return false;
  }

  Strategy& search_;
  std::vector<Recorded> turns_;
  std::vector<uint32_t> begin_;
  std::map<std::string, int> counts_;
  bool closed_ = false, abandoned_ = false;
};

}  // namespace sim
