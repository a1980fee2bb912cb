#include "model/scenario/strategies.h"

#include "sim/check.h"
#include "sim/engine/random.h"
#include "sim/explore/depth_first.h"
#include "sim/explore/dpor.h"
#include "sim/explore/dpor_tree.h"
#include "sim/explore/pct.h"
#include "sim/explore/pos.h"
#include "sim/explore/random.h"
#include "sim/explore/round_robin.h"
#include "sim/explore/timed.h"

namespace scenario {

SearchConfig AsSample(SearchConfig search) {
  if (IsSystematic(search.strategy)) search.strategy = StrategyKind::kRandom;
  return search;
}

int64_t ExecutionLimit(const SearchConfig& search) {
  return search.executions.value_or(IsSystematic(search.strategy) ? INT64_MAX : 1);
}

uint64_t SeedOf(const SearchConfig& search, int64_t number) {
  // Seeds of one search are unrelated, and the first execution has the search's own.
  if (number == 0 || IsSystematic(search.strategy)) return search.seed;
  return sim::RandomStream(search.seed ^ static_cast<uint64_t>(number) << 32, "executions").Next();
}

std::unique_ptr<sim::Strategy> MakeStrategy(const SearchConfig& search, uint64_t seed,
                                            uint64_t turns) {
  switch (search.strategy) {
    case StrategyKind::kTimed:
      return std::make_unique<sim::TimedStrategy>();
    case StrategyKind::kRandom:
      return std::make_unique<sim::RandomStrategy>(seed);
    case StrategyKind::kPct:
      return std::make_unique<sim::PctStrategy>(sim::PctOptions{
          .seed = seed, .depth = static_cast<uint32_t>(search.pct_depth), .max_turns = turns});
    case StrategyKind::kPos:
      return std::make_unique<sim::PosStrategy>(seed);
    case StrategyKind::kRoundRobin:
      return std::make_unique<sim::RoundRobinStrategy>();
    case StrategyKind::kDepthFirst:
    case StrategyKind::kDpor:
      break;
  }
  SIM_CHECK(false);  // systematic
  return nullptr;
}

uint32_t MaxPreemptions(const SearchConfig& search) {
  const bool bounded = IsSystematic(search.strategy) && search.max_preemptions;
  return bounded ? static_cast<uint32_t>(*search.max_preemptions)
                 : sim::DepthFirstStrategy::kAnyNumber;
}

std::unique_ptr<sim::SystematicStrategy> MakeSystematic(const SearchConfig& search,
                                                        bool one_operation_turns) {
  SIM_CHECK(IsSystematic(search.strategy));
  if (search.strategy == StrategyKind::kDepthFirst) {
    return std::make_unique<sim::DepthFirstStrategy>(MaxPreemptions(search));
  }
  if (search.max_preemptions) {
    return std::make_unique<sim::DepthFirstStrategy>(
        MaxPreemptions(search), sim::DepthFirstSubtree{}, sim::DepthFirstMode::kReduced);
  }
  return std::make_unique<sim::DporStrategy>(sim::DporOptions{.fixed_turns = one_operation_turns});
}

std::unique_ptr<sim::SearchTree> MakeSearchTree(const SearchConfig& search,
                                                bool one_operation_turns) {
  SIM_CHECK(IsSystematic(search.strategy));
  if (search.strategy == StrategyKind::kDepthFirst) {
    return std::make_unique<sim::DepthFirstTree>(MaxPreemptions(search),
                                                 sim::DepthFirstMode::kEvery);
  }
  if (search.max_preemptions) {
    return std::make_unique<sim::DepthFirstTree>(MaxPreemptions(search),
                                                 sim::DepthFirstMode::kReduced);
  }
  return std::make_unique<sim::DporTree>(sim::DporOptions{.fixed_turns = one_operation_turns});
}

}  // namespace scenario
