// What any trace-event JSON of ours must be, for viewers to show what is meant.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace tools {

// Parses; time never goes back on a track; begins and ends are balanced on each track and in each
// asynchronous span; each arrow has one start and one end, in this order, inside of some span.
inline void CheckTraceEvents(const std::string& text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  ASSERT_FALSE(json.is_discarded());
  using Track = std::pair<int, int>;
  std::map<Track, double> last;
  std::map<Track, int> depth;
  std::map<std::pair<std::string, int>, std::vector<std::string>> spans;
  std::map<int, std::string> arrows;
  for (const auto& event : json["traceEvents"]) {
    const std::string phase = event["ph"];
    if (phase == "M") continue;
    const Track track{event["pid"], event["tid"]};
    ASSERT_GE(event["ts"].get<double>(), last[track]) << event;
    last[track] = event["ts"];
    if (phase == "B") ++depth[track];
    if (phase == "E") {
      ASSERT_GE(--depth[track], 0) << event;
    }
    if (phase == "s" || phase == "f") {
      ASSERT_GT(depth[track], 0) << event;
      arrows[event["id"]] += phase;
    }
    if (phase == "b") spans[{event["cat"], event["id"]}].push_back(event["name"]);
    if (phase == "n") {
      ASSERT_TRUE(spans.contains({event["cat"], event["id"]})) << event;
    }
    if (phase != "e") continue;
    std::vector<std::string>& open = spans[{event["cat"], event["id"]}];
    ASSERT_FALSE(open.empty()) << event;
    EXPECT_EQ(open.back(), event["name"]);
    open.pop_back();
  }
  for (const auto& [track, open] : depth) EXPECT_EQ(open, 0) << track.first << "/" << track.second;
  for (const auto& [id, open] : spans) EXPECT_TRUE(open.empty()) << id.first << " " << id.second;
  for (const auto& [id, phases] : arrows) EXPECT_EQ(phases, "sf") << id;
}

}  // namespace tools
