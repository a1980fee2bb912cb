// DepthFirstTree as text and back.
#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sim/explore/depth_first.h"
#include "sim/trace/schedule_text.h"

namespace sim {
namespace {

constexpr uint64_t kMostTurns = uint64_t{1} << 24;  // of the way to a subtree

std::vector<ScheduleRun> ToSchedule(const std::vector<Actor>& path) {
  std::vector<ScheduleRun> schedule;
  for (const Actor& actor : path) {
    if (schedule.empty() || schedule.back().actor != actor) schedule.push_back({actor, 0});
    ++schedule.back().turns;
  }
  return schedule;
}

std::string SubtreeText(const char* kind, const DepthFirstSubtree& subtree) {
  const std::string way = FormatSchedule(ToSchedule(subtree.path));
  return absl::StrCat(kind, " ", subtree.begun, way.empty() ? "" : " ", way);
}

// Empty: it is good. Else what is wrong.
std::string ReadSubtree(LineWords words, DepthFirstSubtree& subtree) {
  if (!words.Number(subtree.begun)) return words.Want("how many options have begun");
  const auto schedule = ParseSchedule(words.rest());
  if (!schedule.ok()) return std::string(schedule.status().message());
  for (const ScheduleRun& run : *schedule) {
    if (subtree.path.size() + run.turns > kMostTurns) return words.Want("a shorter way");
    subtree.path.insert(subtree.path.end(), run.turns, run.actor);
  }
  return "";
}

std::string ReadPlace(LineWords words, DepthFirstPlaces& places) {
  DepthFirstPlace place;
  uint32_t at_end = 0, preemptions = 0;
  const bool good = words.Number(place.trace.high) && words.Number(place.trace.low) &&
                    words.Number(place.last_task) && words.Number(at_end) && at_end <= 1 &&
                    words.Number(preemptions) && words.AtEnd();
  if (!good) return words.Want("five numbers, the fourth 0 or 1");
  place.at_end = at_end == 1;
  places[place] = preemptions;
  return "";
}

std::vector<std::string> PlaceTexts(const DepthFirstPlaces& places) {
  std::vector<std::tuple<uint64_t, uint64_t, uint32_t, bool, uint32_t>> sorted;
  for (const auto& [place, preemptions] : places) {
    sorted.emplace_back(place.trace.high, place.trace.low, place.last_task, place.at_end,
                        preemptions);
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::string> texts;
  for (const auto& [high, low, last_task, at_end, preemptions] : sorted) {
    texts.push_back(absl::StrCat("known ", high, " ", low, " ", last_task, " ", at_end ? 1 : 0, " ",
                                 preemptions));
  }
  return texts;
}

}  // namespace

std::vector<std::string> DepthFirstTree::ToLines() const {
  std::vector<std::string> lines;
  for (const DepthFirstSubtree& subtree : open_) lines.push_back(SubtreeText("open", subtree));
  for (const DepthFirstSubtree& subtree : taken_) lines.push_back(SubtreeText("taken", subtree));
  for (const DepthFirstSubtree& subtree : left_) lines.push_back(SubtreeText("left", subtree));
  std::vector<std::string> places = PlaceTexts(known_);
  std::move(places.begin(), places.end(), std::back_inserter(lines));
  return lines;
}

std::optional<BadLine> DepthFirstTree::FromLines(const std::vector<std::string>& lines) {
  open_.clear();
  for (size_t i = 0; i < lines.size(); ++i) {
    LineWords words(lines[i]);
    const std::string_view kind = words.Word();
    std::string wrong;
    if (kind == "open") {
      wrong = ReadSubtree(words, open_.emplace_back());
    } else if (kind == "taken") {
      wrong = ReadSubtree(words, taken_.emplace_back());
    } else if (kind == "left") {
      wrong = ReadSubtree(words, left_.emplace_back());
    } else if (kind == "known") {
      wrong = ReadPlace(words, known_);
    } else {
      wrong = LineWords(lines[i]).Want("open, taken, left or known");
    }
    if (!wrong.empty()) return BadLine{i, std::move(wrong)};
  }
  takes_again_ = !taken_.empty();
  return std::nullopt;
}

}  // namespace sim
