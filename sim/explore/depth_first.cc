#include "sim/explore/depth_first.h"

#include <algorithm>
#include <utility>

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

}  // namespace

bool DepthFirstStrategy::Next() {
  depth_ = 0;
  if (!std::exchange(begun_, true)) return true;
  for (; !states_.empty(); states_.pop_back()) {
    State& state = states_.back();
    if (++state.taken < state.options.candidates.size()) return true;
  }
  return false;
}

size_t DepthFirstStrategy::Choose(const ChoicePoint& point) {
  if (point.winding_down) return 0;
  if (depth_ == states_.size()) {
    State state;
    if (!states_.empty()) {
      state.preemptions = states_.back().preemptions + (states_.back().preempts() ? 1 : 0);
    }
    state.options = OptionsAt(point, state.preemptions < max_preemptions_);
    states_.push_back(std::move(state));
  }
  const State& state = states_[depth_++];
  return state.options.candidates[state.taken];
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
