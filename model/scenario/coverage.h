// What a search has come across, and whether it still finds anything new.
//
// Four kinds: lock edges (dependencies between lock classes), choice points (choice_watch.h), final
// states (final_state.h), and policies asked. Of each thing seen, the first execution that shows it
// is kept, so what comes out is the same for any number of threads.
//
// Costs up to 48 bytes for each execution, if each ends in another state.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "model/ext4/policy.h"
#include "sim/lockdep/validator.h"

namespace scenario {

using PolicyCounts = std::array<uint64_t, model::kPolicyEntries.size()>;  // by policy

// Of one execution.
struct ExecutionCoverage {
  std::vector<uint64_t> choice_points, final_states;  // each once
  PolicyCounts policies_asked{};
};

// Things of one kind.
struct SeenThings {
  uint64_t seen = 0;
  // In the first quarter of the search's executions, the second, ...
  std::array<uint64_t, 4> new_by_quarter{};

  bool operator==(const SeenThings&) const = default;
};

struct PolicyAsked {
  std::string_view name;
  bool on = false;     // what the answer was
  uint64_t times = 0;  // how often it was asked for

  bool operator==(const PolicyAsked&) const = default;
};

struct Coverage {
  int64_t executions = 0;  // up to the last one; those given up as redundant are among them
  SeenThings lock_edges, choice_points, final_states;
  std::vector<PolicyAsked> policies;  // all there are

  bool operator==(const Coverage&) const = default;
};

class CoverageTable {
 public:
  using FirstSeen = absl::btree_map<uint64_t, int64_t>;  // and the execution
  // All that it has seen.
  struct Seen {
    int64_t executions = 0;  // their numbers are below
    FirstSeen choice_points, final_states;
    PolicyCounts policies_asked{};
  };
  CoverageTable() = default;
  explicit CoverageTable(Seen seen) : seen_(std::move(seen)) {}
  const Seen& seen() const { return seen_; }

  void Add(int64_t execution, const ExecutionCoverage& coverage);
  // `other` has seen other executions, which are then numbered from `first_execution` on.
  void Merge(const CoverageTable& other, int64_t first_execution = 0);
  // `locks`: what the same executions showed; `on`: the policies' values.
  Coverage Summary(const sim::Validator& locks, const model::Policy& on) const;

 private:
  SeenThings Count(const FirstSeen& things) const;
  void AddTo(SeenThings& things, int64_t first) const;

  Seen seen_;
};

}  // namespace scenario
