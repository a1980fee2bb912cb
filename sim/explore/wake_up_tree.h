// Wake-up trees: what partial-order reduction (dpor.h) has planned to run from some state on.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "sim/explore/dpor_step.h"

namespace sim {

// A sequence of steps, of which some may change places: size(), operator[] for a step, Remove(i),
// and Ordered(a, b, step): must the `a`-th come before the `b`-th, of which `step` is the same
// turn?
//
// Where `step` is in the sequence, or size() if it is not, provided that the sequence may as well
// begin with it. None: it may not.
template <class Sequence>
std::optional<size_t> PlaceOf(const DporStep& step, const Sequence& sequence) {
  for (size_t i = 0; i < sequence.size(); ++i) {
    if (sequence[i].actor != step.actor) continue;
    for (size_t j = 0; j < i; ++j) {
      if (sequence.Ordered(j, i, step)) return std::nullopt;
    }
    return i;
  }
  for (size_t i = 0; i < sequence.size(); ++i) {
    if (Depend(step, sequence[i])) return std::nullopt;
  }
  return sequence.size();
}

// One that stands for itself.
class DporSequence {
 public:
  // As DporOptions have it.
  explicit DporSequence(bool fixed_turns) : fixed_turns_(fixed_turns) {}

  void Add(const DporStep& step) { steps_.push_back({step, next_id_++, {}}); }
  // The last step comes after the `earlier`-th.
  void OrderLastAfter(size_t earlier) { steps_.back().after.push_back(steps_[earlier].id); }

  size_t size() const { return steps_.size(); }
  const DporStep& operator[](size_t i) const { return steps_[i].step; }
  void Remove(size_t i) { steps_.erase(steps_.begin() + static_cast<ptrdiff_t>(i)); }
  bool Ordered(size_t a, size_t b, const DporStep& step) const {
    const std::vector<uint32_t>& after = steps_[b].after;
    if (std::find(after.begin(), after.end(), steps_[a].id) != after.end()) return true;
    if (steps_[b].step.certain) return false;
    // It is brought forward, and has its order from what it does, of which `step` may know more
    // than a request.
    return Depend(steps_[a].step, fixed_turns_ && step.fixed ? step : steps_[b].step);
  }

 private:
  struct Place {
    DporStep step;
    uint32_t id = 0;
    std::vector<uint32_t> after;  // ids
  };

  bool fixed_turns_ = false;
  std::vector<Place> steps_;
  uint32_t next_id_ = 0;
};

// A step, and what is planned to come next. What comes first here is also searched first: the steps
// of elder branches are asleep in younger ones.
struct DporBranch {
  enum class Fate : uint8_t {
    kOpen,
    kDone,  // everything that begins so has been searched
    kDead,  // it could not be carried out, and stands for nothing
  };
  DporStep step;
  bool whole = false;  // everything that can come next is to be searched, not only what is planned
  Fate fate = Fate::kOpen;
  std::vector<DporBranch> next;
};

// Adds a branch for the sequence, unless what is there, from the branch `first` on, covers it.
template <class Sequence>
void AddSequence(std::vector<DporBranch>& branches, size_t first, Sequence sequence) {
  std::vector<DporBranch>* among = &branches;
  for (;;) {
    size_t place = 0;
    const auto covers = [&](const DporBranch& branch) {
      if (branch.fate == DporBranch::Fate::kDead) return false;
      const std::optional<size_t> found = PlaceOf(branch.step, sequence);
      place = found.value_or(0);
      return found.has_value();
    };
    const auto branch =
        std::find_if(among->begin() + static_cast<ptrdiff_t>(first), among->end(), covers);
    if (branch == among->end()) break;
    if (place < sequence.size()) sequence.Remove(place);
    if (branch->whole || branch->fate == DporBranch::Fate::kDone || sequence.size() == 0) return;
    among = &branch->next;
    first = 0;
  }
  for (size_t i = 0; i < sequence.size(); ++i) {
    const bool is_last = i + 1 == sequence.size();
    DporBranch& branch = among->emplace_back();
    branch.step = sequence[i];
    branch.whole = is_last;
    among = &branch.next;
  }
}

}  // namespace sim
