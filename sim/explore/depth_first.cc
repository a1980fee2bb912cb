#include "sim/explore/depth_first.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "sim/check.h"

namespace sim {
namespace {

DepthFirstOptions OptionsAt(const ChoicePoint& point, bool may_preempt) {
  DepthFirstOptions options;
  for (size_t i = 0; i < point.candidates.size(); ++i) {
    const Candidate& candidate = point.candidates[i];
    if (candidate.blocked) continue;
    options.candidates.push_back(i);
    if (candidate.actor == Actor{Actor::Kind::kTask, point.running.value}) {
      std::swap(options.candidates.front(), options.candidates.back());
      options.running_first = true;
    }
  }
  if (options.candidates.empty()) options.candidates = {0};  // all that are left park for good
  if (options.running_first && !may_preempt) options.candidates.resize(1);
  return options;
}

void AddTo(DepthFirstPlaces& places, const DepthFirstPlaces& others) {
  for (const auto& [place, preemptions] : others) {
    const auto [it, is_new] = places.try_emplace(place, preemptions);
    if (!is_new) it->second = std::min(it->second, preemptions);
  }
}

}  // namespace

bool DepthFirstStrategy::Next() {
  depth_ = 0;
  counts_ = true;
  trace_.Clear();
  last_task_ = UINT32_MAX;
  in_turn_ = false;
  if (!std::exchange(begun_, true)) return true;
  for (; states_.size() > root_.path.size(); states_.pop_back()) {
    State& state = states_.back();
    if (++state.taken < state.options.candidates.size()) return true;
  }
  return false;
}

size_t DepthFirstStrategy::Choose(const ChoicePoint& point) {
  if (point.winding_down) return 0;
  if (depth_ == states_.size()) {
    if (mode_ == DepthFirstMode::kReduced && depth_ > root_.path.size() &&
        IsKnown({trace_.value(), last_task_}, PreemptionsSoFar())) {
      counts_ = false;
      return kAbandon;
    }
    EnterState(point);
  }
  State& state = states_[depth_++];
  const Candidate& chosen = point.candidates[state.options.candidates[state.taken]];
  state.actor = chosen.actor;
  if (mode_ == DepthFirstMode::kReduced) {
    trace_.Begin(point, chosen);
    in_turn_ = true;
    if (chosen.actor.kind == Actor::Kind::kTask) last_task_ = chosen.actor.id;
  }
  return state.options.candidates[state.taken];
}

void DepthFirstStrategy::OnTurn(const Turn& turn) {
  if (std::exchange(in_turn_, false)) trace_.End(turn);
}

void DepthFirstStrategy::OnEnd() {
  if (mode_ == DepthFirstMode::kEvery || !counts_) return;
  counts_ = !IsKnown({.trace = trace_.value(), .at_end = true}, 0);
}

uint32_t DepthFirstStrategy::PreemptionsSoFar() const {
  if (states_.empty()) return 0;
  return states_.back().preemptions + (states_.back().preempts() ? 1 : 0);
}

bool DepthFirstStrategy::IsKnown(const DepthFirstPlace& place, uint32_t preemptions) {
  if (known_ != nullptr) {
    const auto known = known_->find(place);
    if (known != known_->end() && known->second <= preemptions) return true;
  }
  const auto [it, is_new] = places_.try_emplace(place, preemptions);
  if (!is_new && it->second <= preemptions) return true;
  it->second = preemptions;
  return false;
}

void DepthFirstStrategy::EnterState(const ChoicePoint& point) {
  State state;
  state.preemptions = PreemptionsSoFar();
  state.options = OptionsAt(point, state.preemptions < max_preemptions_);
  if (depth_ < root_.path.size()) {
    const std::vector<size_t>& options = state.options.candidates;
    const auto on_path = std::find_if(options.begin(), options.end(), [&](size_t candidate) {
      return point.candidates[candidate].actor == root_.path[depth_];
    });
    SIM_CHECK(on_path != options.end());  // the world is not a function of its choices
    state.taken = static_cast<size_t>(on_path - options.begin());
  } else if (depth_ == root_.path.size()) {
    SIM_CHECK(root_.begun < state.options.candidates.size());
    state.taken = root_.begun;
  }
  states_.push_back(std::move(state));
}

std::vector<DepthFirstSubtree> DepthFirstStrategy::Rest() const {
  std::vector<DepthFirstSubtree> rest;
  DepthFirstSubtree subtree;
  for (size_t i = 0; i < states_.size(); ++i) {
    const State& state = states_[i];
    const bool is_last = i + 1 == states_.size();
    subtree.begun = state.taken + (is_last ? 0 : 1);
    if (i >= root_.path.size() && subtree.begun < state.options.candidates.size()) {
      rest.push_back(subtree);
    }
    subtree.path.push_back(state.actor);
  }
  std::reverse(rest.begin(), rest.end());
  return rest;
}

std::vector<std::unique_ptr<SystematicStrategy>> DepthFirstTree::Take(size_t most) {
  if (!std::exchange(takes_again_, false)) {
    SIM_CHECK(taken_.empty());
    // Parts that are searched at the same time would come to the same places.
    if (mode_ == DepthFirstMode::kReduced) most = std::min<size_t>(most, 1);
    for (; taken_.size() < most && !open_.empty(); open_.pop_back()) {
      taken_.push_back(std::move(open_.back()));
    }
  }
  std::vector<std::unique_ptr<SystematicStrategy>> parts;
  for (const DepthFirstSubtree& taken : taken_) {
    parts.push_back(std::make_unique<DepthFirstStrategy>(max_preemptions_, taken, mode_, &known_));
  }
  return parts;
}

void DepthFirstTree::Join(SystematicStrategy& subtree) {
  auto& part = static_cast<DepthFirstStrategy&>(subtree);
  std::vector<DepthFirstSubtree> rest = part.Rest();
  AddTo(known_, part.places());
  std::move(rest.begin(), rest.end(), std::back_inserter(left_));
  taken_.pop_front();
  if (!taken_.empty()) return;
  std::move(left_.rbegin(), left_.rend(), std::back_inserter(open_));
  left_.clear();
}

size_t DepthFirstProbe::Choose(const ChoicePoint& point) {
  if (point.winding_down) return 0;
  const DepthFirstOptions options = OptionsAt(point, preemptions_ < max_preemptions_);
  const size_t taken = random_.UniformBelow(options.candidates.size());
  if (options.running_first && taken > 0) ++preemptions_;
  executions_ *= static_cast<double>(options.candidates.size());
  return options.candidates[taken];
}

}  // namespace sim
