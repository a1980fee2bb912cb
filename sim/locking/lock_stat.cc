#include "sim/locking/lock_stat.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sim/check.h"
#include "sim/lockdep/proc.h"

namespace sim {

void LockTimes::Add(Nanos time) {
  min = count == 0 ? time : std::min(min, time);
  max = std::max(max, time);
  total += time;
  ++count;
}

void LockTimes::Merge(const LockTimes& other) {
  if (other.count == 0) return;
  min = count == 0 ? other.min : std::min(min, other.min);
  max = std::max(max, other.max);
  total += other.total;
  count += other.count;
}

void LockStat::Merge(const LockStat& other) {
  for (const auto& [name, theirs] : other.classes_) {
    ClassStat& ours = classes_[name];
    for (size_t mode = 0; mode < 2; ++mode) {
      ours.waits[mode].Merge(theirs.waits[mode]);
      ours.holds[mode].Merge(theirs.holds[mode]);
      ours.contended_bounces[mode] += theirs.contended_bounces[mode];
      ours.acquired_bounces[mode] += theirs.acquired_bounces[mode];
    }
    for (const auto& [place, count] : theirs.contention_points) {
      ours.contention_points[place] += count;
    }
    for (const auto& [place, count] : theirs.contending_points) {
      ours.contending_points[place] += count;
    }
  }
}

void LockStat::BeginExecution() {
  holds_.clear();
  waits_.clear();
  last_.clear();
}

void LockStat::Acquire(TaskId who, Taking taking, Nanos now) {
  Hold& hold = holds_[who.value].emplace_back();
  hold.instance = taking.instance;
  hold.stat = &StatOf(taking.class_name, taking.subclass);
  hold.shared = taking.shared;
  hold.since = now;
  hold.taker = {who, std::move(taking.place)};
  Took(hold);
}

void LockStat::Contended(TaskId who, const Taking& taking, Nanos now) {
  Hold* const hold = FindHold(who, taking.instance);
  ClassStat& stat = hold != nullptr ? *hold->stat : StatOf(taking.class_name, taking.subclass);
  if (hold != nullptr) {  // not yet
    if (hold->has_before) {
      stat.acquired_bounces[hold->shared] -= hold->before.who != who ? 1 : 0;
      last_[taking.instance] = hold->before;
    } else {
      last_.erase(taking.instance);
    }
  }
  const bool shared = hold != nullptr && hold->shared;
  ++stat.contention_points[taking.place];
  const auto last = last_.find(taking.instance);
  if (last != last_.end()) {
    ++stat.contending_points[last->second.place];
    stat.contended_bounces[shared] += last->second.who != who ? 1 : 0;
  }
  waits_[who.value] = {&stat, shared, now};
}

void LockStat::Waited(TaskId who, uint64_t instance, Nanos now) {
  const auto wait = waits_.find(who.value);
  SIM_CHECK(wait != waits_.end());
  wait->second.stat->waits[wait->second.shared].Add(now - wait->second.since);
  waits_.erase(wait);
  Hold* const hold = FindHold(who, instance);
  if (hold == nullptr) return;
  hold->since = now;
  Took(*hold);
}

void LockStat::Release(TaskId who, uint64_t instance, Nanos now) {
  Hold* const hold = FindHold(who, instance);
  if (hold == nullptr) return;
  hold->stat->holds[hold->shared].Add(now - hold->since);
  std::vector<Hold>& holds = holds_[who.value];
  holds.erase(holds.begin() + (hold - holds.data()));
}

void LockStat::Downgrade(TaskId who, uint64_t instance, Nanos now) {
  Hold* const hold = FindHold(who, instance);
  if (hold == nullptr) return;
  hold->stat->holds[hold->shared].Add(now - hold->since);
  hold->shared = true;
  hold->since = now;
}

LockStat::ClassStat& LockStat::StatOf(std::string_view class_name, uint32_t subclass) {
  if (subclass == 0) {
    const auto known = classes_.find(class_name);
    if (known != classes_.end()) return known->second;
  }
  std::string name(class_name);
  if (subclass != 0) absl::StrAppend(&name, "/", subclass);
  return classes_[std::move(name)];
}

// Its innermost hold of the instance.
LockStat::Hold* LockStat::FindHold(TaskId who, uint64_t instance) {
  std::vector<Hold>& holds = holds_[who.value];
  const auto hold = std::find_if(holds.rbegin(), holds.rend(),
                                 [&](const Hold& held) { return held.instance == instance; });
  return hold == holds.rend() ? nullptr : &*hold;
}

void LockStat::Took(Hold& hold) {
  const auto [last, is_first] = last_.try_emplace(hold.instance, hold.taker);
  hold.has_before = !is_first;
  if (is_first) return;
  hold.before = std::exchange(last->second, hold.taker);
  hold.stat->acquired_bounces[hold.shared] += hold.before.who != hold.taker.who ? 1 : 0;
}

namespace {

constexpr size_t kPoints = 4;  // LOCKSTAT_POINTS
constexpr size_t kWidth = 40 + 1 + 12 * 15;

uint64_t Contentions(const LockStat::ClassStat& stat) {
  return stat.waits[0].count + stat.waits[1].count;
}

// Microseconds, as the kernel prints them.
std::string Time(Nanos time) { return absl::StrFormat("%d.%02d", time / 1000, time % 1000 / 10); }

std::string Times(const LockTimes& times) {
  const Nanos average = times.count == 0 ? 0 : times.total / static_cast<Nanos>(times.count);
  return absl::StrFormat("%14d %14s %14s %14s %14s", times.count, Time(times.min), Time(times.max),
                         Time(times.total), Time(average));
}

std::string Row(std::string_view label, const LockStat::ClassStat& stat, size_t mode) {
  return absl::StrFormat("%41s%14d %s %14d %s\n", std::string(label) + ":",
                         stat.contended_bounces[mode], Times(stat.waits[mode]),
                         stat.acquired_bounces[mode], Times(stat.holds[mode]));
}

// The most frequent ones.
std::string Points(const std::string& name, size_t rule,
                   const std::map<std::string, uint64_t>& at) {
  std::vector<std::pair<std::string, uint64_t>> points(at.begin(), at.end());
  std::stable_sort(points.begin(), points.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  points.resize(std::min(points.size(), kPoints));
  std::string text;
  for (const auto& [place, count] : points) {
    if (text.empty()) {
      text = absl::StrCat(std::string(40 - std::min<size_t>(rule, 40), ' '), std::string(rule, '-'),
                          "\n");
    }
    const size_t plus = place.find('+');
    const bool named = plus != std::string::npos;
    absl::StrAppendFormat(&text, "%40s %14d %29s %s\n", name, count,
                          absl::StrCat("[<", named ? place.substr(plus + 1) : place, ">]"),
                          named ? place.substr(0, plus) : "");
  }
  return text;
}

std::string Block(const std::string& name, const LockStat::ClassStat& stat) {
  const bool has_readers = stat.holds[1].count + stat.waits[1].count > 0;
  std::string text;
  if (!has_readers || stat.holds[0].count + stat.waits[0].count > 0) {
    text = Row(has_readers ? name + "-W" : name, stat, 0);
  }
  if (has_readers) text += Row(name + "-R", stat, 1);
  if (Contentions(stat) == 0) return text;
  const size_t rule = name.size() + (has_readers ? 2 : 0);
  return absl::StrCat(text, Points(name, rule, stat.contention_points),
                      Points(name, rule, stat.contending_points), "\n", std::string(kWidth, '.'),
                      "\n\n");
}

}  // namespace

std::string RenderLockStat(const LockStat& stat) {
  std::vector<std::pair<std::string, const LockStat::ClassStat*>> rows;
  for (const auto& [name, row] : stat.classes()) rows.emplace_back(Printable(name), &row);
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) {
    return Contentions(*a.second) > Contentions(*b.second);
  });
  const std::string rule(kWidth, '-');
  std::string text = absl::StrCat("lock_stat version 0.4\n", rule, "\n");
  absl::StrAppendFormat(&text, "%40s", "class name");
  for (const char* column : {"con-bounces", "contentions", "waittime-min", "waittime-max",
                             "waittime-total", "waittime-avg", "acq-bounces", "acquisitions",
                             "holdtime-min", "holdtime-max", "holdtime-total", "holdtime-avg"}) {
    absl::StrAppendFormat(&text, " %14s", column);
  }
  absl::StrAppend(&text, "\n", rule, "\n\n");
  for (const auto& [name, row] : rows) absl::StrAppend(&text, Block(name, *row));
  return text;
}

}  // namespace sim
