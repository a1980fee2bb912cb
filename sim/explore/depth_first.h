// Depth first: every execution, or every one with at most so many preemptions, each once.
//
// A preemption is to take another actor's turn although the task that has just run could go on
// [Musuvathi, Qadeer: Iterative Context Bounding, PLDI 2007]. As in dpor.h, a task that asks for a
// lock that it would not get is not let run until it does; and the daemons' ways home are not
// searched.
//
// Memory grows with the depth of an execution, not with their number.
//
// With a bound on preemptions it can be told to reduce: of executions that have come to the same
// trace (trace_hash.h), the same task having run last, with as many preemptions left, one goes on;
// the others are given up, since what can come is the same. An execution that ends as a trace seen
// does not count. So each trace that some execution within the bound shows is shown, and none
// beyond it. Memory then grows with the number of traces and their beginnings, about 40 bytes for
// each, and one part of the tree is searched at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sim/engine/random.h"
#include "sim/explore/systematic.h"
#include "sim/explore/trace_hash.h"

namespace sim {

// What can be done next; the first option is no preemption, and if `running_first`, all others are.
struct DepthFirstOptions {
  std::vector<size_t> candidates;  // indexes; never empty
  bool running_first = false;
};

// The executions that begin with these turns, and then not with one of the first `begun` options.
struct DepthFirstSubtree {
  std::vector<Actor> path;
  size_t begun = 0;
};

enum class DepthFirstMode : uint8_t { kEvery, kReduced };

// What executions have come to, with the fewest preemptions so far. Look-up only.
struct DepthFirstPlace {
  TraceHash::Value trace;
  uint32_t last_task = UINT32_MAX;
  bool at_end = false;

  bool operator==(const DepthFirstPlace&) const = default;
  template <class H>
  friend H AbslHashValue(H hash, const DepthFirstPlace& place) {
    return H::combine(std::move(hash), place.trace, place.last_task, place.at_end);
  }
};
using DepthFirstPlaces = absl::flat_hash_map<DepthFirstPlace, uint32_t>;

class DepthFirstStrategy final : public SystematicStrategy {
 public:
  static constexpr uint32_t kAnyNumber = UINT32_MAX;

  // Reduced: `known`, if it is not null, are places that others see to; it outlives this.
  explicit DepthFirstStrategy(uint32_t max_preemptions = kAnyNumber, DepthFirstSubtree subtree = {},
                              DepthFirstMode mode = DepthFirstMode::kEvery,
                              const DepthFirstPlaces* known = nullptr)
      : max_preemptions_(max_preemptions), mode_(mode), root_(std::move(subtree)), known_(known) {}

  // Reduced: those that it has come to.
  const DepthFirstPlaces& places() const { return places_; }

  [[nodiscard]] bool Next() override;
  bool last_counts() const override { return counts_; }
  // What is left, in order.
  std::vector<DepthFirstSubtree> Rest() const;
  size_t Choose(const ChoicePoint& point) override;
  void OnTurn(const Turn& turn) override;
  void OnEnd() override;

 private:
  // A state: what could be done, and which of it is being done.
  struct State {
    DepthFirstOptions options;
    size_t taken = 0;          // index of options.candidates
    uint32_t preemptions = 0;  // before it
    Actor actor;               // who has the turn

    bool preempts() const { return options.running_first && taken > 0; }
  };

  void EnterState(const ChoicePoint& point);
  uint32_t PreemptionsSoFar() const;
  bool IsKnown(const DepthFirstPlace& place, uint32_t preemptions);

  uint32_t max_preemptions_;
  DepthFirstMode mode_;
  DepthFirstSubtree root_;
  bool begun_ = false;
  std::vector<State> states_;
  size_t depth_ = 0;  // of the execution at hand
  bool counts_ = true;

  const DepthFirstPlaces* known_ = nullptr;
  DepthFirstPlaces places_;
  TraceHash trace_;
  uint32_t last_task_ = UINT32_MAX;
  bool in_turn_ = false;  // one that a choice was made for
};

// As lines: the subtrees that are open, taken, and left of what was taken and joined, each with
// how many options have begun and the way there ("open 1 t3x12 e5"); and the places known ("known
// 12 34 3 0 1": the trace in two words, the last task, whether it is at the end, preemptions).
class DepthFirstTree final : public SearchTree {
 public:
  explicit DepthFirstTree(uint32_t max_preemptions = DepthFirstStrategy::kAnyNumber,
                          DepthFirstMode mode = DepthFirstMode::kEvery)
      : max_preemptions_(max_preemptions), mode_(mode) {}

  [[nodiscard]] std::vector<std::unique_ptr<SystematicStrategy>> Take(size_t most) override;
  void Join(SystematicStrategy& subtree) override;
  std::vector<std::string> ToLines() const override;
  [[nodiscard]] std::optional<BadLine> FromLines(const std::vector<std::string>& lines) override;

 private:
  uint32_t max_preemptions_;
  DepthFirstMode mode_;
  std::vector<DepthFirstSubtree> open_ = {{}};  // the next one last
  std::deque<DepthFirstSubtree> taken_;         // and not joined
  // Of those joined since, what is left; the next one first.
  std::vector<DepthFirstSubtree> left_;
  bool takes_again_ = false;  // what FromLines() has put into taken_
  DepthFirstPlaces known_;    // of the parts joined
};

// One way at random through what DepthFirstStrategy goes through. The product of the numbers of
// options on it is an unbiased estimate of how many executions there are [Knuth: Estimating the
// Efficiency of Backtrack Programs, Math. Comp. 29, 1975]: average it over many ways.
class DepthFirstProbe final : public Strategy {
 public:
  explicit DepthFirstProbe(uint64_t seed, uint32_t max_preemptions = DepthFirstStrategy::kAnyNumber)
      : random_(seed, "probe"), max_preemptions_(max_preemptions) {}

  double executions() const { return executions_; }

  bool wants_turns() const override { return true; }
  size_t Choose(const ChoicePoint& point) override;

 private:
  RandomStream random_;
  uint32_t max_preemptions_, preemptions_ = 0;
  double executions_ = 1;
};

}  // namespace sim
