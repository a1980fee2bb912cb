// Which locks the threads of a program may wait for while they hold which others: by its text, so
// in all executions. It tells lock cycles that cannot become deadlocks because their waits never
// meet on the same instances.
//
// For each instruction of each thread and work item it is known which locks may be held before it:
// along all paths, whatever the conditions. An element of an array is known where its index is made
// of constants and `me`, otherwise it may be any. So much for which lock may be waited for under
// which. A deadlock is a circle of such waits. What two waits of a cycle of *classes* have to be in
// is therefore one circle of *locks*; where there is none that has all waits of the cycle, no
// deadlock has them. (One circle: it is not enough to look at the cycle alone. a0 b0 c0 a1 b1 a0 is
// a circle, and neither A B A nor A B C A is one by itself.)
//
// Said only of programs whose threads wait for nothing but locks, and unlock only what they may
// hold themselves. Who takes a lock twice is not asked: that is no cycle.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "model/program/program.h"

namespace model {

class LockInstances {
 public:
  // `program` must outlive it.
  explicit LockInstances(const LockProgram& program);

  // One wait of a cycle: the classes of the lock held and of the one wanted.
  using Wait = std::pair<std::string, std::string>;
  // Why no deadlock has all these waits, in one line; empty: one may.
  std::string WhyApart(const std::vector<Wait>& cycle) const;

 private:
  using Locks = std::set<uint32_t>;

  bool Gather(const Routine& routine);
  bool Follow(const Routine& routine, const Instruction& code, Locks& held);
  Locks LocksOf(const Routine& routine, const Instruction& code) const;
  void FindCircles();
  std::string Text(uint32_t lock) const;

  const LockProgram& program_;
  bool known_ = true;
  std::set<std::pair<uint32_t, uint32_t>> waits_;  // locks: held, wanted
  std::vector<uint32_t> circle_;  // by lock: locks of one circle, or of several that touch
};

}  // namespace model
