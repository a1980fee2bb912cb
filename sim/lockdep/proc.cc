#include "sim/lockdep/proc.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace sim {
namespace {

using NodePair = std::pair<LockNodeId, LockNodeId>;

// How many classes each one leads to, and from how many it is reached; itself included.
class Reachability {
 public:
  explicit Reachability(const LockGraph& graph)
      : after_(graph.node_count()), before_(graph.node_count()) {
    for (const LockGraph::Edge& edge : graph.edges()) {
      after_[edge.from.value].push_back(edge.to);
      before_[edge.to.value].push_back(edge.from);
    }
  }

  size_t Forwards(uint32_t node) const { return Count(after_, node); }
  size_t Backwards(uint32_t node) const { return Count(before_, node); }
  const std::vector<LockNodeId>& After(uint32_t node) const { return after_[node]; }

 private:
  static size_t Count(const std::vector<std::vector<LockNodeId>>& next, uint32_t root) {
    std::vector<bool> seen(next.size(), false);
    std::vector<uint32_t> queue = {root};
    seen[root] = true;
    for (size_t head = 0; head < queue.size(); ++head) {
      for (LockNodeId node : next[queue[head]]) {
        if (seen[node.value]) continue;
        seen[node.value] = true;
        queue.push_back(node.value);
      }
    }
    return queue.size();
  }

  std::vector<std::vector<LockNodeId>> after_, before_;  // by node
};

// Dependencies that only chains with tried locks in between show: who reads the chains finds them
// there. A lock was tried where the chain up to it is not itself a chain.
std::set<NodePair> AcrossTriedLocks(const Validator& validator) {
  std::vector<std::vector<LockNodeId>> chains(validator.chain_count());
  for (uint64_t i = 0; i < chains.size(); ++i) {
    for (const Validator::ChainLink& link : validator.Chain(i)) chains[i].push_back(link.node);
  }
  const std::set<std::vector<LockNodeId>> known(chains.begin(), chains.end());
  std::set<NodePair> neighbours, across;
  for (const std::vector<LockNodeId>& chain : chains) {
    std::vector<LockNodeId> below = chain;
    for (below.pop_back(); !below.empty(); below.pop_back()) {
      (below.size() + 1 == chain.size() ? neighbours : across).emplace(below.back(), chain.back());
      if (known.count(below) > 0) break;
    }
  }
  for (const NodePair& pair : neighbours) across.erase(pair);
  return across;
}

std::string NameOf(const Validator& validator, LockNodeId node) {
  return Printable(validator.NodeName(node).Text());
}

// "[0000000000000007] name"
std::string Numbered(const Validator& validator, LockNodeId node) {
  return absl::StrFormat("[%016x] %s", node.value + 1, NameOf(validator, node));
}

std::string Count(const char* label, uint64_t count) {
  return absl::StrFormat(" %-31s%11d\n", label, count);
}

// How many classes have one of the usage bits.
uint64_t CountUsage(const Validator& validator, UsageMask mask) {
  uint64_t count = 0;
  for (uint32_t i = 0; i < validator.class_count(); ++i) {
    if ((validator.NodeName(LockNodeId{i}).usage & mask) != 0) ++count;
  }
  return count;
}

// "hardirq-safe locks:" and its eleven relatives.
std::string UsageRows(const Validator& validator) {
  constexpr std::array<std::pair<const char*, UsageMask>, 3> kIrqs = {
      {{"hardirq-", static_cast<UsageMask>(0xff & ~kUsageSoftirq)},
       {"softirq-", kUsageSoftirq},
       {"irq-", 0xff}}};
  std::string text;
  for (const char* read : {"", "read-"}) {
    const auto mode = static_cast<UsageMask>(*read == '\0' ? kUsageWrite : 0xff & ~kUsageWrite);
    for (const auto& [irq, bits] : kIrqs) {
      for (const auto& [safety, side] :
           {std::pair{"safe locks:", kUsageInIrq}, std::pair{"unsafe locks:", kUsageIrqOn}}) {
        absl::StrAppend(&text, Count(absl::StrCat(irq, read, safety).c_str(),
                                     CountUsage(validator, bits & mode & side)));
      }
    }
  }
  return text;
}

}  // namespace

std::string RenderLockdepStats(const Validator& validator) {
  const Reachability reachability(validator.graph());
  uint64_t indirect = 0, uncategorized = 0, hlocks = 0, depth = 0;
  for (uint32_t i = 0; i < validator.class_count(); ++i) {
    indirect += reachability.Forwards(i);
    if ((validator.NodeName(LockNodeId{i}).usage & 0xff) == 0) ++uncategorized;
  }
  std::array<uint64_t, 4> chains = {};  // by interrupt context
  for (uint64_t i = 0; i < validator.chain_count(); ++i) {
    const uint64_t length = validator.Chain(i).size();
    hlocks += length;
    depth = std::max(depth, length);
    ++chains[validator.ChainContext(i)];
  }
  return absl::StrCat(
      Count("lock-classes:", validator.class_count()),
      Count("direct dependencies:", validator.dependency_count()),
      Count("indirect dependencies:", indirect),
      Count("dependency chains:", validator.chain_count()),
      Count("dependency chain hlocks used:", hlocks),
      Count("in-hardirq chains:", chains[1] + chains[3]), Count("in-softirq chains:", chains[2]),
      Count("in-process chains:", chains[0]), UsageRows(validator),
      Count("uncategorized locks:", uncategorized), Count("max locking depth:", depth));
}

std::string RenderLockdepClasses(const Validator& validator) {
  const Reachability reachability(validator.graph());
  const std::set<NodePair> across = AcrossTriedLocks(validator);
  std::string text = "all lock classes:\n";
  for (uint32_t i = 0; i < validator.class_count(); ++i) {
    const LockNodeId node{i};
    absl::StrAppend(&text, absl::StrFormat("%016x FD:%5d BD:%5d %s: %s\n", i + 1,
                                           reachability.Forwards(i), reachability.Backwards(i),
                                           UsageString(validator.NodeName(node).usage),
                                           NameOf(validator, node)));
    for (LockNodeId next : reachability.After(i)) {
      if (across.count({node, next}) > 0) continue;
      absl::StrAppend(&text, " -> ", Numbered(validator, next), "\n");
    }
    text += "\n";
  }
  return text;
}

std::string RenderLockdepChains(const Validator& validator) {
  constexpr std::array kContexts = {"0", "hardirq", "softirq", "hardirq|softirq"};
  std::string text = "all lock chains:\n";
  for (uint64_t i = 0; i < validator.chain_count(); ++i) {
    absl::StrAppend(&text, "irq_context: ", kContexts[validator.ChainContext(i)], "\n");
    for (const Validator::ChainLink& link : validator.Chain(i)) {
      absl::StrAppend(&text, Numbered(validator, link.node), "\n");
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
