// The strategies of sim/explore as a scenario's search asks for them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "model/scenario/scenario.h"
#include "sim/engine/strategy.h"
#include "sim/explore/systematic.h"

namespace scenario {

// Which of two ways to search: execution by execution, each a function of its seed; or one strategy
// for all, which goes through them and knows when there are no more.
constexpr bool IsSystematic(StrategyKind kind) {
  return kind == StrategyKind::kDepthFirst || kind == StrategyKind::kDpor;
}

// The search itself if its executions can be had by number; else random ones instead.
SearchConfig AsSample(SearchConfig search);

// How many executions the search may run.
int64_t ExecutionLimit(const SearchConfig& search);

// The seed of the search's execution of that number. All of a systematic search have the same: they
// differ in their choices only.
uint64_t SeedOf(const SearchConfig& search, int64_t number);

// Of each execution, for the strategies of depth_first.h.
uint32_t MaxPreemptions(const SearchConfig& search);

// For one execution. `turns`: none is expected to be longer; for pct.
// Requires: not systematic.
std::unique_ptr<sim::Strategy> MakeStrategy(const SearchConfig& search, uint64_t seed,
                                            uint64_t turns);
// `one_operation_turns`: as in a lock program, what a turn touches is always the same.
// Requires: systematic.
std::unique_ptr<sim::SystematicStrategy> MakeSystematic(const SearchConfig& search,
                                                        bool one_operation_turns);
// The same executions, to be searched in parts.
std::unique_ptr<sim::SearchTree> MakeSearchTree(const SearchConfig& search,
                                                bool one_operation_turns);

}  // namespace scenario
