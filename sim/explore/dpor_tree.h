// Optimal partial-order reduction in parts: the same executions as DporStrategy alone would run,
// each once and none redundant where turns are fixed, whatever is searched at the same time.
//
// What is planned from a state on is a wake-up tree. Of each leaf everything is searched that can
// come after it, which depends on the turns before and on the elder branches beside the way to it,
// and on nothing that others find later. So leaves are searched apart from each other. A race
// within a leaf whose reversal belongs before it is kept until the leaf is joined, and then planned
// there: always in the same order. A leaf that is not finished becomes a tree itself: its last
// execution, and what was planned beside it.
//
// Not all leaves can be had at once: of what an elder branch does before it has been taken only the
// beginning may be known, and younger ones then wait for it. Where turns are not fixed a plan may
// also turn out to be impossible; then whatever else is possible there is planned instead.
//
// Memory grows with the depth of executions and with what races have planned.
//
// As lines: actors ("task 3"; "event 5 2 0", the first event of actor 5's second turn; in the order
// in which they are met), then the branches with the elders first ("branch 2 ow 5 fc w7": two
// branches next, open and whole; the step of actor 5, which is fixed and certain and writes object
// 7), then what is taken ("taken 0 2": the third branch of the first), each with the elders beside
// its way ("elder 1 4 fc r7": at its second turn).
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/explore/dpor.h"
#include "sim/explore/systematic.h"
#include "sim/explore/wake_up_tree.h"

namespace sim {

class DporTree final : public SearchTree {
 public:
  explicit DporTree(DporOptions options = {}) : options_(options) { root_.whole = true; }

  [[nodiscard]] std::vector<std::unique_ptr<SystematicStrategy>> Take(size_t most) override;
  void Join(SystematicStrategy& subtree) override;
  std::vector<std::string> ToLines() const override;
  [[nodiscard]] std::optional<BadLine> FromLines(const std::vector<std::string>& lines) override;

 private:
  // The way from the root to a branch, as indexes of DporBranch::next.
  using Place = std::vector<size_t>;
  // Taken and not joined. What is beside the way may have become known better since.
  struct Taken {
    Place place;
    DporPath path;
  };
  class LineWriter;
  class LineReader;

  void TakeFrom(const DporBranch& branch, DporPath& path, Place& place, size_t most);
  // The branch after so many steps of the way; null: the way ends earlier.
  DporBranch* BranchAt(const Place& place, size_t steps);
  void AddRest(DporBranch& leaf, std::vector<DporStrategy::Rest> rest);
  void AddInstead(const Place& place, const DporStrategy::DeadEnd& dead_end);
  void CloseWay(const Place& place);

  DporOptions options_;
  std::shared_ptr<DporActors> actors_ = std::make_shared<DporActors>();
  DporBranch root_;  // without a step
  std::deque<Taken> taken_;
  bool takes_again_ = false;  // what FromLines() has put into taken_
};

}  // namespace sim
