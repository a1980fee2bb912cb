#include "sim/lockdep/proc.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sim {
std::string RenderLockdepStats(const Validator& validator) {
  return absl::StrFormat(" %-32s%11d\n %-32s%11d\n %-32s%11d\n",
                         "lock-classes:", validator.class_count(),
                         "direct dependencies:", validator.dependency_count(),
                         "dependency chains:", validator.chain_count());
}

std::string RenderLockdepClasses(const Validator& validator) {
  const LockGraph& graph = validator.graph();
  std::vector<std::vector<LockNodeId>> after(graph.node_count()), before(graph.node_count());
  for (const LockGraph::Edge& edge : graph.edges()) {
    after[edge.from.value].push_back(edge.to);
    before[edge.to.value].push_back(edge.from);
  }
  const auto reached = [&](const std::vector<std::vector<LockNodeId>>& next, LockNodeId root) {
    std::vector<bool> seen(graph.node_count(), false);
    std::vector<LockNodeId> queue = {root};
    seen[root.value] = true;
    for (size_t head = 0; head < queue.size(); ++head) {
      for (LockNodeId node : next[queue[head].value]) {
        if (seen[node.value]) continue;
        seen[node.value] = true;
        queue.push_back(node);
      }
    }
    return queue.size();
  };
  std::string text = "all lock classes:\n";
  for (uint32_t i = 0; i < graph.node_count(); ++i) {
    const LockName name = validator.NodeName(LockNodeId{i});
    absl::StrAppend(&text, absl::StrFormat("FD:%5d BD:%5d %s: %s\n", reached(after, LockNodeId{i}),
                                           reached(before, LockNodeId{i}), UsageString(name.usage),
                                           Printable(name.Text())));
    for (LockNodeId next : after[i]) {
      absl::StrAppend(&text, " -> ", Printable(validator.NodeName(next).Text()), "\n");
    }
    text += "\n";
  }
  return text;
}

std::string RenderLockdepChains(const Validator& validator) {
  std::string text = "all lock chains:\n";
  for (uint64_t i = 0; i < validator.chain_count(); ++i) {
    for (const Validator::ChainLink& link : validator.Chain(i)) {
      absl::StrAppend(&text, Printable(validator.NodeName(link.node).Text()), "\n");
    }
    text += "\n";
  }
  return text;
}

std::string Printable(std::string_view text) {
  std::string printable(text);
  for (char& c : printable) {
    if (c < ' ' || c > '~') c = '?';
  }
  return printable;
}

}  // namespace sim
