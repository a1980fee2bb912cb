#include "sim/engine/stack_table.h"

namespace sim {

StackTable::StackTable() { nodes_.emplace_back(); }

StackId StackTable::PushSlow(StackId parent, const FrameSite* frame) {
  StackId child = nodes_[parent.value].first_child;
  while (child.valid() && nodes_[child.value].frame != frame) {
    child = nodes_[child.value].next_sibling;
  }
  if (!child.valid()) {
    child = StackId{static_cast<uint32_t>(nodes_.size())};
    Node node;
    node.frame = frame;
    node.parent = parent;
    node.next_sibling = nodes_[parent.value].first_child;
    nodes_.push_back(node);
    nodes_[parent.value].first_child = child;
  }
  nodes_[parent.value].last_frame = frame;
  nodes_[parent.value].last_child = child;
  return child;
}

std::vector<const FrameSite*> StackTable::Frames(StackId stack) const {
  std::vector<const FrameSite*> frames;
  if (!stack.valid()) return frames;
  for (; stack != kEmpty; stack = nodes_[stack.value].parent) {
    frames.push_back(nodes_[stack.value].frame);
  }
  return frames;
}

}  // namespace sim
