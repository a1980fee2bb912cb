// Interned call stacks of modelled functions.
//
// A stack is a path in a tree of frames, so that the stack of "here" is one id, whatever its depth,
// and keeping it beside a lock or an event costs nothing. Ids depend on what ran before in the same
// table: they are for rendering only, never hashed, compared for order or printed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/engine/ids.h"

namespace sim {

// A place in the model's source.
struct Site {
  const char* file = "";
  int line = 0;
  const char* function = "";  // that the line is in, by its C++ name; empty: not known

  // As a default argument: the place of the call.
  static constexpr Site Here(const char* file = __builtin_FILE(), int line = __builtin_LINE(),
                             const char* function = __builtin_FUNCTION()) {
    return {file, line, function};
  }
};

// One modelled function: the kernel's name for it and where the model has it. Static, one per
// function; see SIM_FRAME.
struct FrameSite {
  const char* function;
  Site site;
};

// What happened at `site` while these frames, innermost first, were being executed: a line for each
// function, "jbd2_log_do_checkpoint+model/jbd2/checkpoint.cc:60", with the line of `site` where it
// is in that function, and the function's own line elsewhere. A site in a function that has no
// SIM_FRAME, or in none that is known, is a line of its own, before all others.
std::vector<std::string> StackLines(const std::vector<const FrameSite*>& frames, const Site& site);
// The line of these that has the site.
std::string PlaceText(const std::vector<const FrameSite*>& frames, const Site& site);

class StackTable {
 public:
  StackTable();
  StackTable(const StackTable&) = delete;
  StackTable& operator=(const StackTable&) = delete;

  // The empty stack.
  static constexpr StackId kEmpty{0};

  // The stack `parent` with `frame` called from it.
  StackId Push(StackId parent, const FrameSite* frame) {
    Node& node = nodes_[parent.value];
    if (node.last_frame == frame) return node.last_child;
    return PushSlow(parent, frame);
  }

  // Innermost frame first.
  std::vector<const FrameSite*> Frames(StackId stack) const;

 private:
  struct Node {
    const FrameSite* frame = nullptr;
    StackId parent;
    StackId first_child, next_sibling;
    const FrameSite* last_frame = nullptr;  // the child found last
    StackId last_child;
  };

  StackId PushSlow(StackId parent, const FrameSite* frame);

  std::vector<Node> nodes_;
};

}  // namespace sim
