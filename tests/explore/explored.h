// What comes of searching a program: its traces, its final states.
#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/explore/depth_first.h"
#include "sim/explore/systematic.h"
#include "tests/explore/programs.h"
#include "tests/explore/trace_listener.h"

namespace sim {

struct Outcome {
  std::multiset<std::string> traces;
  std::vector<std::string> order;  // the same, as they came
  std::set<std::string> states;    // final values and how it ended
  uint64_t deadlocks = 0;
  uint64_t abandoned = 0;

  std::set<std::string> distinct() const { return {traces.begin(), traces.end()}; }
};

inline std::string StateOf(const Stage& stage, ExecutionEnd end) {
  std::string state = absl::StrCat(static_cast<int>(end), ":");
  for (const Shared<int>& variable : stage.variables) absl::StrAppend(&state, variable.peek());
  return state;
}

inline void RunOne(SystematicStrategy& search, const Program& program, StackPool& pool,
                   StackTable& stacks, Outcome& outcome) {
  TraceListener listener(search);
  Stage stage(listener, pool, stacks);
  const ExecutionEnd end = stage.Run(program);
  if (listener.abandoned() || !search.last_counts()) {
    ++outcome.abandoned;
    return;
  }
  outcome.order.push_back(*outcome.traces.insert(listener.Trace()));
  if (end == ExecutionEnd::kDeadlock) ++outcome.deadlocks;
  outcome.states.insert(StateOf(stage, end));
}

// None: there are more executions than that.
template <class Search>
std::optional<Outcome> Explore(Search& search, const Program& program,
                               uint64_t max_executions = UINT64_MAX) {
  StackPool pool;
  StackTable stacks;
  Outcome outcome;
  for (uint64_t executions = 0; search.Next(); ++executions) {
    if (executions == max_executions) return std::nullopt;
    RunOne(search, program, pool, stacks, outcome);
  }
  return outcome;
}

// If that can be had soon.
inline std::optional<Outcome> Everything(const Program& program) {
  constexpr uint64_t kMaxExecutions = 600;
  DepthFirstStrategy search;
  return Explore(search, program, kMaxExecutions);
}

// Nothing is missed, and nothing comes twice.
inline void ExpectEachTraceOnce(const Outcome& reduced, const Outcome& all) {
  EXPECT_EQ(reduced.distinct(), all.distinct());
  EXPECT_EQ(reduced.traces.size(), all.distinct().size());
  EXPECT_EQ(reduced.states, all.states);
}

// The first so many random programs, from `seed` on, whose executions can all be run; and what
// comes of these.
inline void ForPrograms(int count, uint64_t seed, int kinds,
                        const std::function<void(const Program&, const Outcome& all)>& check) {
  for (; count > 0 && !testing::Test::HasFailure(); ++seed) {
    const RandomProgram random(seed, kinds);
    const std::optional<Outcome> all = Everything(random.program());
    if (!all.has_value()) continue;
    --count;
    SCOPED_TRACE(absl::StrCat("seed ", seed, ": ", Describe(random)));
    check(random.program(), *all);
  }
}

struct Count {
  size_t traces = 0;
  uint64_t deadlocks = 0, abandoned = 0;
  bool operator==(const Count&) const = default;
};
inline std::ostream& operator<<(std::ostream& out, const Count& count) {
  return out << count.traces << " traces, " << count.deadlocks << " deadlocks, " << count.abandoned
             << " abandoned";
}

inline Count CountedOf(const Outcome& outcome) {
  EXPECT_EQ(outcome.traces.size(), outcome.distinct().size()) << "a trace came twice";
  return {outcome.traces.size(), outcome.deadlocks, outcome.abandoned};
}

}  // namespace sim
