#include "sim/explore/depth_first.h"

#include <algorithm>
#include <utility>

namespace sim {

bool DepthFirstStrategy::Next() {
  depth_ = 0;
  if (!std::exchange(begun_, true)) return true;
  for (; !states_.empty(); states_.pop_back()) {
    State& state = states_.back();
    if (++state.taken < state.options.size()) return true;
  }
  return false;
}

size_t DepthFirstStrategy::Choose(const ChoicePoint& point) {
  if (point.winding_down) return 0;
  if (depth_ < states_.size()) {
    const State& state = states_[depth_++];
    return state.options[state.taken];
  }
  State state;
  if (!states_.empty()) {
    const State& last = states_.back();
    state.preemptions = last.preemptions + (last.running_first && last.taken > 0 ? 1 : 0);
  }
  for (size_t i = 0; i < point.candidates.size(); ++i) {
    const Candidate& candidate = point.candidates[i];
    if (candidate.blocked) continue;
    state.options.push_back(i);
    if (candidate.actor == Actor{Actor::Kind::kTask, point.running.value}) {
      std::swap(state.options.front(), state.options.back());
      state.running_first = true;
    }
  }
  if (state.options.empty()) return 0;  // those that are left park for good
  if (state.running_first && state.preemptions == max_preemptions_) state.options.resize(1);
  states_.push_back(std::move(state));
  ++depth_;
  return states_.back().options.front();
}

}  // namespace sim
