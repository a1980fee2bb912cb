#include "sim/engine/stack_table.h"

#include <cstring>

#include "absl/strings/str_cat.h"

namespace sim {
namespace {

std::string Line(const char* function, const Site& site) {
  if (*function == '\0') return absl::StrCat(site.file, ":", site.line);
  // What compilers call the body of a lambda.
  const bool is_lambda = std::strcmp(function, "operator()") == 0;
  return absl::StrCat(is_lambda ? "lambda" : function, "+", site.file, ":", site.line);
}

// Which frame's function the site lies in. A site of no known function is the innermost one's.
size_t FrameOf(const std::vector<const FrameSite*>& frames, const Site& site) {
  size_t frame = 0;
  const auto is_in = [&](const Site& function) {
    return *site.function == '\0' || (std::strcmp(function.function, site.function) == 0 &&
                                      std::strcmp(function.file, site.file) == 0);
  };
  while (frame < frames.size() && !is_in(frames[frame]->site)) ++frame;
  return frame;
}

}  // namespace

std::vector<std::string> StackLines(const std::vector<const FrameSite*>& frames, const Site& site) {
  const size_t place = FrameOf(frames, site);
  std::vector<std::string> lines;
  if (place == frames.size()) lines.push_back(Line(site.function, site));
  for (size_t i = 0; i < frames.size(); ++i) {
    lines.push_back(Line(frames[i]->function, i == place ? site : frames[i]->site));
  }
  return lines;
}

std::string PlaceText(const std::vector<const FrameSite*>& frames, const Site& site) {
  const size_t place = FrameOf(frames, site);
  return Line(place == frames.size() ? site.function : frames[place]->function, site);
}

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
