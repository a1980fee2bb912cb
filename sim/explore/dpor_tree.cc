#include "sim/explore/dpor_tree.h"

#include <algorithm>
#include <utility>

#include "sim/check.h"

namespace sim {

using Fate = DporBranch::Fate;

std::vector<std::unique_ptr<SystematicStrategy>> DporTree::Take(size_t most) {
  if (!std::exchange(takes_again_, false)) {
    SIM_CHECK(taken_.empty());
    DporPath path;
    Place place;
    if (root_.fate == Fate::kOpen) TakeFrom(root_, path, place, most);
  }
  std::vector<std::unique_ptr<SystematicStrategy>> parts;
  for (const Taken& taken : taken_) {
    parts.push_back(std::make_unique<DporStrategy>(options_, actors_, taken.path));
  }
  return parts;
}

void DporTree::TakeFrom(const DporBranch& branch, DporPath& path, Place& place, size_t most) {
  if (branch.next.empty()) {
    taken_.push_back({place, path});
    return;
  }
  path.emplace_back();
  for (size_t i = 0; i < branch.next.size() && taken_.size() < most; ++i) {
    const DporBranch& next = branch.next[i];
    if (next.fate == Fate::kDead) continue;
    if (next.fate == Fate::kOpen) {
      path.back().actor = next.step.actor;
      place.push_back(i);
      TakeFrom(next, path, place, most);
      place.pop_back();
    }
    if (!next.step.certain) break;
    path.back().elders.push_back(next.step);
  }
  path.pop_back();
}

void DporTree::Join(SystematicStrategy& subtree) {
  auto& part = static_cast<DporStrategy&>(subtree);
  const Place place = std::move(taken_.front().place);
  taken_.pop_front();
  if (BranchAt(place, place.size()) == nullptr) return;  // cannot be had, as one joined before
  const auto& dead_end = part.dead_end();
  const size_t turns = dead_end ? dead_end->turns : place.size();
  for (size_t turn = 0; turn < turns; ++turn) {
    BranchAt(place, turn + 1)->step = part.PathStep(turn);
  }
  for (const auto& [after, sequence] : part.outside()) {
    AddSequence(BranchAt(place, after)->next, place[after] + 1, sequence);
  }
  if (dead_end) {
    AddInstead(place, *dead_end);
  } else {
    AddRest(*BranchAt(place, place.size()), part.TakeRest());
  }
  CloseWay(place);
}

DporBranch* DporTree::BranchAt(const Place& place, size_t steps) {
  DporBranch* branch = &root_;
  for (size_t i = 0; i < steps; ++i) {
    if (place[i] >= branch->next.size()) return nullptr;
    branch = &branch->next[place[i]];
  }
  return branch;
}

void DporTree::AddRest(DporBranch& leaf, std::vector<DporStrategy::Rest> rest) {
  if (rest.empty()) leaf.fate = Fate::kDone;
  DporBranch* at = &leaf;
  for (DporStrategy::Rest& state : rest) {
    for (DporStep& step : state.seen) {
      at->next.push_back({.step = std::move(step), .whole = true, .fate = Fate::kDone, .next = {}});
    }
    const size_t way = at->next.size();
    if (state.way) at->next.push_back({.step = *std::move(state.way), .whole = true, .next = {}});
    std::move(state.todo.begin(), state.todo.end(), std::back_inserter(at->next));
    if (state.way) at = &at->next[way];
  }
}

void DporTree::AddInstead(const Place& place, const DporStrategy::DeadEnd& dead_end) {
  DporBranch& at = *BranchAt(place, dead_end.turns);
  DporBranch& dead = at.next[place[dead_end.turns]];
  dead.fate = Fate::kDead;
  dead.next.clear();
  for (const DporStep& step : dead_end.instead) {
    const bool is_there = std::any_of(at.next.begin(), at.next.end(), [&](const DporBranch& other) {
      return other.fate != Fate::kDead && other.step.actor == step.actor;
    });
    if (!is_there) at.next.push_back({.step = step, .whole = true, .next = {}});
  }
}

// Forgets what has been searched.
void DporTree::CloseWay(const Place& place) {
  for (size_t steps = place.size() + 1; steps-- > 0;) {
    DporBranch* branch = BranchAt(place, steps);
    if (branch == nullptr || branch->fate == Fate::kDead) continue;
    const auto is_open = [](const DporBranch& next) { return next.fate == Fate::kOpen; };
    const bool is_leaf = branch->next.empty();
    if (is_leaf && branch->fate == Fate::kOpen) return;
    if (std::any_of(branch->next.begin(), branch->next.end(), is_open)) return;
    branch->fate = Fate::kDone;
    branch->next.clear();
  }
}

}  // namespace sim
