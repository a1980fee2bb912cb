// Strategies that go through all executions there are, one after the other or in parts.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/engine/strategy.h"
#include "sim/trace/line_words.h"

namespace sim {

// Goes through executions one after the other, and knows when it has had them all.
class SystematicStrategy : public Strategy {
 public:
  // Gets ready for the next execution; false: there is none.
  [[nodiscard]] virtual bool Next() = 0;

  // Once an execution has ended: does it show what no other of this strategy has shown?
  virtual bool last_counts() const { return true; }

  bool wants_turns() const final { return true; }
};

// All executions there are, as a tree of choices that is searched by subtrees: at the same time, or
// now and later. What is run, and in which order it counts, depends on how much of each subtree is
// searched at a time, and on nothing else.
class SearchTree {
 public:
  virtual ~SearchTree() = default;

  // What is to be searched next: the first subtrees in the order in which one strategy would come
  // to them, at most so many. They need nothing of each other. None: everything has been searched.
  // Requires: those taken before have been joined.
  [[nodiscard]] virtual std::vector<std::unique_ptr<SystematicStrategy>> Take(size_t most) = 0;

  // The first of those taken and not yet joined has been searched: until Next() was false; or for a
  // while, and the execution for which Next() was true has not been run. Then what is left of it is
  // taken again, in smaller parts.
  virtual void Join(SystematicStrategy& subtree) = 0;

  // All that the tree knows, as text: the same for any number of threads. Those taken and not yet
  // joined, which may be being searched, are written as they were when they were taken.
  virtual std::vector<std::string> ToLines() const = 0;
  // Into a new tree with the same options. If some had been taken and not joined when the lines
  // were written, the next Take() gives these again, and no others. After a failure the tree is of
  // no use.
  [[nodiscard]] virtual std::optional<BadLine> FromLines(const std::vector<std::string>& lines) = 0;
};

}  // namespace sim
