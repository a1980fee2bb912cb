#include "model/scenario/shown.h"

#include <algorithm>

namespace scenario {

void Tally::Merge(const Tally& other, int64_t first) {
  redundant += other.redundant;
  turns += other.turns;
  most_turns = std::max(most_turns, other.most_turns);
  most_actors = std::max(most_actors, other.most_actors);
  clock_reads += other.clock_reads;
  beyond_limit += other.beyond_limit;
  crash_states.Merge(other.crash_states);
  enumerated.Merge(other.enumerated);
  coverage.Merge(other.coverage, first);
  lock_stat.Merge(other.lock_stat);
}

void Chunk::Keep(ExecutionResult& result, int64_t number) {
  for (sim::Finding& finding : result.findings) {
    const auto [it, is_new] = index.try_emplace({finding.kind, finding.message}, findings.size());
    if (is_new) findings.push_back({std::move(finding), number});
    ++findings[it->second].count;
  }
  const bool is_new_deadlock =
      !result.deadlocked.empty() &&
      std::none_of(deadlocks.begin(), deadlocks.end(),
                   [&](const auto& known) { return known.first == result.deadlocked; });
  if (is_new_deadlock) deadlocks.emplace_back(std::move(result.deadlocked), number);
  tally.turns += result.turns;
  tally.most_turns = std::max(tally.most_turns, result.turns);
  tally.most_actors = std::max(tally.most_actors, result.actors);
  tally.clock_reads += result.clock_read ? 1 : 0;
  tally.beyond_limit += result.beyond_limit ? 1 : 0;
  tally.crash_states.Merge(result.crash_states);
  if (result.abandoned) {
    ++tally.redundant;
  } else {
    digests.push_back(result.digest);
  }
}

}  // namespace scenario
