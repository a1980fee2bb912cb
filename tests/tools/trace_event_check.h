// What any trace-event JSON of ours must be by the rules of that format, for viewers to show what
// is meant.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tools {

class TraceEventChecker {
 public:
  void Check(const nlohmann::json& event) {
    ASSERT_TRUE(event.contains("ph") && event.contains("pid")) << event;
    const std::string phase = event["ph"];
    if (phase == "M") return CheckMetadata(event);
    ASSERT_TRUE(event.contains("tid") && event.contains("ts")) << event;
    const Track track{event["pid"], event["tid"]};
    // Viewers sort by time: what is at the same time stays in the order of the file.
    ASSERT_GE(event["ts"].get<double>(), now_[track]) << event;
    now_[track] = event["ts"];
    if (phase == "E") {
      ASSERT_GE(--depth_[track], 0) << event;
      return;
    }
    ASSERT_TRUE(event.contains("name")) << event;
    if (phase == "B") {
      ++depth_[track];
    } else if (phase == "s" || phase == "f") {
      CheckArrow(event, phase, depth_[track]);
    } else if (phase == "b" || phase == "n" || phase == "e") {
      CheckSpan(event, phase);
    } else if (phase == "i") {
      const std::string scope = event.value("s", "t");
      ASSERT_TRUE(scope == "t" || scope == "p" || scope == "g") << event;
    } else {
      ASSERT_EQ(phase, "C") << event;
      ASSERT_FALSE(event["args"].empty()) << event;
      for (const auto& value : event["args"]) ASSERT_TRUE(value.is_number()) << event;
    }
  }

  void CheckEnd() const {
    for (const auto& [track, open] : depth_) {
      EXPECT_EQ(open, 0) << track.first << "/" << track.second;
    }
    for (const auto& [id, span] : spans_) {
      EXPECT_TRUE(span.open.empty()) << id.first << " " << id.second;
    }
    for (const auto& [id, arrow] : arrows_) EXPECT_EQ(arrow.phases, "sf") << id.second;
  }

 private:
  using Track = std::pair<int, int>;       // process and thread
  using Id = std::pair<std::string, int>;  // category and id: the same in all processes
  struct Arrow {
    std::string name, phases;
    double at = 0;
  };
  struct Span {
    int process = 0;
    double at = 0;
    std::vector<std::string> open;  // names, outermost first
  };

  void CheckMetadata(const nlohmann::json& event) {
    const std::string name = event["name"];
    if (name.ends_with("_name")) {
      ASSERT_TRUE(event["args"]["name"].is_string()) << event;
      const int thread = name == "thread_name" ? event["tid"].get<int>() : -1;
      ASSERT_TRUE(named_.insert({event["pid"], thread}).second) << "named twice: " << event;
    } else {
      ASSERT_TRUE(name.ends_with("_sort_index")) << event;
      ASSERT_TRUE(event["args"]["sort_index"].is_number()) << event;
    }
  }

  // From a span to one, not back in time.
  void CheckArrow(const nlohmann::json& event, const std::string& phase, int depth) {
    ASSERT_TRUE(event.contains("cat") && event.contains("id")) << event;
    ASSERT_GT(depth, 0) << "in no span: " << event;
    Arrow& arrow = arrows_[{event["cat"], event["id"]}];
    arrow.phases += phase;
    if (phase == "s") arrow.name = event["name"];
    ASSERT_EQ(arrow.name, event["name"]) << event;
    ASSERT_GE(event["ts"].get<double>(), arrow.at) << event;
    arrow.at = event["ts"];
    // Otherwise it leads to the span that comes next.
    if (phase == "f") {
      ASSERT_EQ(event.value("bp", ""), "e") << event;
    }
  }

  // Of one process, nested.
  void CheckSpan(const nlohmann::json& event, const std::string& phase) {
    ASSERT_TRUE(event.contains("cat") && event.contains("id")) << event;
    const auto [it, is_new] = spans_.try_emplace({event["cat"], event["id"]});
    Span& span = it->second;
    if (is_new) span.process = event["pid"];
    ASSERT_EQ(span.process, event["pid"]) << event;
    ASSERT_GE(event["ts"].get<double>(), span.at) << event;
    span.at = event["ts"];
    if (phase == "b") return span.open.push_back(event["name"]);
    ASSERT_FALSE(span.open.empty()) << event;
    if (phase == "n") return;
    ASSERT_EQ(span.open.back(), event["name"]);
    span.open.pop_back();
  }

  std::map<Track, double> now_;
  std::map<Track, int> depth_;
  std::set<Track> named_;
  std::map<Id, Arrow> arrows_;
  std::map<Id, Span> spans_;
};

inline void CheckTraceEvents(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  ASSERT_FALSE(json.is_discarded());
  TraceEventChecker checker;
  for (const auto& event : json["traceEvents"]) {
    checker.Check(event);
    if (testing::Test::HasFatalFailure()) return;
  }
  checker.CheckEnd();
}

}  // namespace tools
