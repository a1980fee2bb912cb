#include "sim/lockdep/dot.h"

#include <algorithm>
#include <boost/graph/adjacency_list.hpp>
#include <boost/graph/graphviz.hpp>
#include <map>
#include <set>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/lockdep/proc.h"

namespace sim {
namespace {

using Graph = boost::adjacency_list<boost::vecS, boost::vecS, boost::bidirectionalS,
                                    boost::property<boost::vertex_index_t, size_t>, size_t>;
using EdgeNames = std::pair<std::string, std::string>;  // names: held, acquired

// "ES" and so on: holder exclusive or shared, taker recursive or not.
std::string Kinds(uint8_t kinds) {
  constexpr const char* kNames[] = {"SR", "ER", "SN", "EN"};
  std::string text;
  for (size_t i = 0; i < 4; ++i) {
    if ((kinds >> i & 1) != 0) absl::StrAppend(&text, text.empty() ? "" : " ", kNames[i]);
  }
  return text;
}

class Picture {
 public:
  Picture(const Validator& validator, absl::Span<const std::string_view> unseen)
      : validator_(validator), unseen_(unseen) {
    for (const LockReport& report : validator.reports()) {
      size_t number = 0;
      for (const LockEdge& edge : report.cycle.edges) {
        const EdgeNames names(edge.held.lock.Text(), edge.acquired.lock.Text());
        in_cycle_.try_emplace(names, ++number);
        shown_.insert({names.first, names.second});
      }
    }
  }

  std::string Text() {
    for (uint32_t i = 0; i < validator_.class_count(); ++i) {
      if (Shows(LockNodeId{i})) Vertex(LockNodeId{i});
    }
    for (size_t i = 0; i < validator_.graph().edges().size(); ++i) {
      const LockGraph::Edge& edge = validator_.graph().edges()[i];
      if (!Shows(edge.from) || !Shows(edge.to)) continue;
      boost::add_edge(Vertex(edge.from), Vertex(edge.to), i, graph_);
    }
    std::ostringstream out;
    boost::write_graphviz(
        out, graph_, [this](std::ostream& o, size_t vertex) { o << NodeAttributes(vertex); },
        [this](std::ostream& o, const Graph::edge_descriptor& edge) {
          o << EdgeAttributes(graph_[edge]);
        },
        [](std::ostream& o) {
          o << "node [fontname=\"Helvetica\" fontsize=11 shape=box]\n"
               "edge [fontname=\"Helvetica\" fontsize=9 color=\"#707070\"]\n";
        });
    return out.str();
  }

 private:
  std::string Name(LockNodeId node) const { return validator_.NodeName(node).Text(); }
  bool Shows(LockNodeId node) const { return shown_.empty() || shown_.count(Name(node)) > 0; }

  size_t Vertex(LockNodeId node) {
    const auto [it, is_new] = vertices_.try_emplace(node, nodes_.size());
    if (is_new) {
      nodes_.push_back(node);
      boost::add_vertex(graph_);
    }
    return it->second;
  }

  static std::string Quoted(const std::string& text) { return boost::escape_dot_string(text); }

  std::string NodeAttributes(size_t vertex) const {
    const LockName name = validator_.NodeName(nodes_[vertex]);
    const bool unseen = std::any_of(unseen_.begin(), unseen_.end(), [&](std::string_view start) {
      return std::string_view(name.name).substr(0, start.size()) == start;
    });
    std::string style = unseen ? "filled" : "";
    if (name.inner == static_cast<uint8_t>(WaitType::kSpin)) {
      absl::StrAppend(&style, style.empty() ? "" : ",", "rounded");
    }
    return absl::StrCat(
        "[label=", Quoted(absl::StrCat(Printable(name.Text()), "\\n", UsageString(name.usage))),
        name.inner == 0 ? " shape=ellipse" : "",
        style.empty() ? "" : absl::StrCat(" style=\"", style, "\""),
        unseen ? " fillcolor=\"#cfe2f3\"" : "", "]");
  }

  std::string EdgeAttributes(size_t index) const {
    const LockGraph::Edge& edge = validator_.graph().edges()[index];
    const LockEdge first = validator_.FirstSeen(edge);
    const std::string about =
        absl::StrCat(Kinds(edge.kinds), "\\n", Printable(FirstSeenText(first)));
    const auto in_cycle = in_cycle_.find({Name(edge.from), Name(edge.to)});
    if (in_cycle == in_cycle_.end()) {
      return absl::StrCat("[", shown_.empty() ? "tooltip=" : "label=", Quoted(about), "]");
    }
    return absl::StrCat("[label=", Quoted(absl::StrCat("#", in_cycle->second, " ", about)),
                        " color=red penwidth=2.5 fontcolor=red]");
  }

  const Validator& validator_;
  absl::Span<const std::string_view> unseen_;
  std::map<EdgeNames, size_t> in_cycle_;  // edges of reported cycles, by their place in it
  std::set<std::string> shown_;           // empty: all
  Graph graph_;                           // edge property: index in the lock graph
  std::map<LockNodeId, size_t> vertices_;
  std::vector<LockNodeId> nodes_;  // by vertex
};

}  // namespace

std::string RenderDot(const Validator& validator, absl::Span<const std::string_view> unseen) {
  return Picture(validator, unseen).Text();
}

}  // namespace sim
