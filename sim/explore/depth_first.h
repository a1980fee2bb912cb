// Depth first: every execution, or every one with at most so many preemptions, each once.
//
// A preemption is to take another actor's turn although the task that has just run could go on
// [Musuvathi, Qadeer: Iterative Context Bounding, PLDI 2007]. As in dpor.h, a task that asks for a
// lock that it would not get is not let run until it does; and the daemons' ways home are not
// searched.
//
// Memory grows with the depth of an execution, not with their number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "sim/engine/random.h"
#include "sim/explore/systematic.h"

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

class DepthFirstStrategy final : public SystematicStrategy {
 public:
  static constexpr uint32_t kAnyNumber = UINT32_MAX;

  explicit DepthFirstStrategy(uint32_t max_preemptions = kAnyNumber, DepthFirstSubtree subtree = {})
      : max_preemptions_(max_preemptions), root_(std::move(subtree)) {}

  [[nodiscard]] bool Next() override;
  // What is left, in order.
  std::vector<DepthFirstSubtree> Rest() const;
  size_t Choose(const ChoicePoint& point) override;

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

  uint32_t max_preemptions_;
  DepthFirstSubtree root_;
  bool begun_ = false;
  std::vector<State> states_;
  size_t depth_ = 0;  // of the execution at hand
};

class DepthFirstTree final : public SearchTree {
 public:
  explicit DepthFirstTree(uint32_t max_preemptions = DepthFirstStrategy::kAnyNumber)
      : max_preemptions_(max_preemptions) {}

  [[nodiscard]] std::vector<std::unique_ptr<SystematicStrategy>> Take(size_t most) override;
  void Join(SystematicStrategy& subtree) override;

 private:
  uint32_t max_preemptions_;
  std::vector<DepthFirstSubtree> open_ = {{}};  // the next one last
  // Of those taken, what is left of those joined; the next one first.
  std::vector<DepthFirstSubtree> left_;
  size_t taken_ = 0;
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
