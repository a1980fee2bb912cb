// Interned call stacks of modelled functions.
//
// A stack is a path in a tree of frames, so that the stack of "here" is one id, whatever its depth,
// and keeping it beside a lock or an event costs nothing. Ids depend on what ran before in the same
// table: they are for rendering only, never hashed, compared for order or printed.
#pragma once

#include <cstdint>
#include <vector>

#include "sim/engine/ids.h"

namespace sim {

// A place in the model's source.
struct Site {
  const char* file = "";
  int line = 0;

  // As a default argument: the place of the call.
  static constexpr Site Here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

// One modelled function: the kernel's name for it and where the model has it. Static, one per
// function; see SIM_FRAME.
struct FrameSite {
  const char* function;
  Site site;
};

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
