#include "sim/lockdep/lock_orders.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sim {
namespace {

using Pair = std::pair<std::string_view, std::string_view>;

Pair ClassesOf(const DocumentedOrder& order, const LockOrders& orders) {
  const DocumentedChain& chain = orders.chains[order.chain];
  return {chain.classes[order.at], chain.classes[order.at + 1]};
}

// Each pair of neighbours once, with the first chain that has it.
std::vector<DocumentedOrder> AllOrders(const LockOrders& orders) {
  std::vector<DocumentedOrder> all;
  std::set<Pair> seen;
  for (size_t chain = 0; chain < orders.chains.size(); ++chain) {
    for (size_t at = 0; at + 1 < orders.chains[chain].classes.size(); ++at) {
      const DocumentedOrder order = {chain, at};
      if (seen.insert(ClassesOf(order, orders)).second) all.push_back(order);
    }
  }
  return all;
}

// The documented orders as a graph.
class Documents {
 public:
  explicit Documents(const LockOrders& orders) {
    for (const DocumentedOrder& order : AllOrders(orders)) {
      const auto [before, after] = ClassesOf(order, orders);
      after_[before].emplace_back(after, order);
    }
  }

  // The fewest orders that lead from one class to another; none: nothing is said about them.
  std::vector<DocumentedOrder> Path(std::string_view from, std::string_view to) const {
    std::map<std::string_view, std::pair<std::string_view, DocumentedOrder>> reached_by;
    std::deque<std::string_view> queue = {from};
    while (!queue.empty()) {
      const std::string_view at = queue.front();
      queue.pop_front();
      const auto next = after_.find(at);
      if (next == after_.end()) continue;
      for (const auto& [after, order] : next->second) {
        if (after == from || !reached_by.try_emplace(after, at, order).second) continue;
        queue.push_back(after);
      }
    }
    std::vector<DocumentedOrder> path;
    if (reached_by.find(to) == reached_by.end()) return path;
    for (std::string_view at = to; at != from; at = reached_by.at(at).first) {
      path.push_back(reached_by.at(at).second);
    }
    std::reverse(path.begin(), path.end());
    return path;
  }

 private:
  std::map<std::string_view, std::vector<std::pair<std::string_view, DocumentedOrder>>> after_;
};

// Every pair of classes of which the second was waited for under the first.
std::set<std::pair<std::string, std::string>> Exercised(const Validator& observed) {
  const auto name = [&](LockNodeId node) { return observed.NodeName(node).name; };
  std::set<std::pair<std::string, std::string>> pairs;
  for (const LockGraph::Edge& edge : observed.graph().edges()) {
    pairs.emplace(name(edge.from), name(edge.to));
  }
  for (uint64_t i = 0; i < observed.chain_count(); ++i) {
    const std::vector<Validator::ChainLink> chain = observed.Chain(i);
    for (const Validator::ChainLink& held : chain) {
      pairs.emplace(name(held.node), name(chain.back().node));
    }
  }
  return pairs;
}

}  // namespace

std::vector<OrderContradiction> FindContradictions(const Validator& observed,
                                                   const LockOrders& orders) {
  const auto named = Project(observed, ClassNames(orders.classes));
  const Documents documents(orders);
  std::vector<OrderContradiction> contradictions;
  for (const LockGraph::Edge& edge : named->graph().edges()) {
    const std::string held = named->NodeName(edge.from).name, taken = named->NodeName(edge.to).name;
    // Documents that say both have not decided.
    if (!documents.Path(held, taken).empty()) continue;
    std::vector<DocumentedOrder> path = documents.Path(taken, held);
    if (!path.empty()) contradictions.push_back({named->FirstSeen(edge), std::move(path)});
  }
  return contradictions;
}

std::vector<DocumentedOrder> FindUnexercised(const Validator& observed, const LockOrders& orders) {
  const auto exercised = Exercised(*Project(observed, ClassNames(orders.classes)));
  std::vector<DocumentedOrder> unexercised = AllOrders(orders);
  std::erase_if(unexercised, [&](const DocumentedOrder& order) {
    const auto [before, after] = ClassesOf(order, orders);
    return exercised.count({std::string(before), std::string(after)}) > 0;
  });
  return unexercised;
}

std::string RenderText(const DocumentedOrder& order, const LockOrders& orders) {
  const DocumentedChain& chain = orders.chains[order.chain];
  return absl::StrCat(chain.classes[order.at], " -> ", chain.classes[order.at + 1], " [",
                      chain.name, "; ", chain.source, "]");
}

std::string RenderText(const OrderContradiction& contradiction, const LockOrders& orders) {
  const LockEdge& observed = contradiction.observed;
  std::string text = absl::StrCat(observed.held.lock.Text(), " -> ", observed.acquired.lock.Text(),
                                  "\n    observed: ", FirstSeenText(observed), "\n");
  for (const DocumentedOrder& order : contradiction.documented) {
    absl::StrAppend(&text, "    documented: ", RenderText(order, orders), "\n");
  }
  return text;
}

}  // namespace sim
