#include "tools/timeline.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string_view>

namespace tools {
namespace {

using sim::LoggedEvent;

// What is under way, by the events so far.
class State {
 public:
  TimelineEvent Apply(const LoggedEvent& event, bool waits) {
    TimelineEvent now;
    now.event = &event;
    now.waits = waits;
    Task& task = tasks_[event.task];
    const std::string& what = event.what;
    if (what == "lock" || what == "trylock" || what == "owe") {
      now.held = task.held;
      const HeldLock lock{event.id, event.subject, event.shared, what == "owe"};
      (waits ? task.wanted : task.held).push_back(lock);
      if (!waits) now.got = lock;
    } else {
      if (what == "unlock") now.owed = Drop(tasks_[event.owner], event.id);
      if (what == "hand_over") Drop(task, event.id);
      if (what == "downgrade") Downgrade(task, event.id);
      if (what == "resume") now.got = Grant(task, event.id);
      ApplyTransaction(event, task);
      in_flight_ += what == "submit" ? 1 : 0;
      in_flight_ -= what == "complete" ? 1 : 0;
      now.held = task.held;
    }
    now.tid = task.handle.has_value() ? task.handle : task.commit;
    now.in_flight = in_flight_;
    return now;
  }

 private:
  struct Task {
    std::vector<HeldLock> held;
    std::vector<HeldLock> wanted;  // parked for
    std::optional<uint64_t> handle, commit;
  };

  static std::vector<HeldLock>::iterator Find(std::vector<HeldLock>& locks, uint64_t id) {
    // The innermost, if it is taken more than once.
    const auto last = std::find_if(locks.rbegin(), locks.rend(),
                                   [&](const HeldLock& lock) { return lock.id == id; });
    return last == locks.rend() ? locks.end() : last.base() - 1;
  }

  // True if it was owed.
  static bool Drop(Task& task, uint64_t id) {
    const auto lock = Find(task.held, id);
    if (lock == task.held.end()) return false;
    const bool owed = lock->owed;
    task.held.erase(lock);
    return owed;
  }

  static void Downgrade(Task& task, uint64_t id) {
    const auto lock = Find(task.held, id);
    if (lock != task.held.end()) lock->shared = true;
  }

  static std::optional<HeldLock> Grant(Task& task, uint64_t id) {
    const auto wanted = Find(task.wanted, id);
    if (wanted == task.wanted.end()) return std::nullopt;
    const HeldLock lock = *wanted;
    task.held.push_back(lock);
    task.wanted.erase(wanted);
    return lock;
  }

  static void ApplyTransaction(const LoggedEvent& event, Task& task) {
    if (event.what == "start_handle") task.handle = event.id;
    if (event.what == "stop_handle") task.handle = std::nullopt;
    if (event.what != "transaction") return;
    if (event.note == "T_LOCKED") task.commit = event.id;
    if (event.note == "T_FINISHED") task.commit = std::nullopt;
  }

  std::map<sim::TaskId, Task> tasks_;
  size_t in_flight_ = 0;
};

// Which locks are waited for: by index of the event.
std::vector<bool> FindWaits(const sim::EventLog& log) {
  std::vector<bool> waits(log.events.size());
  std::map<sim::TaskId, size_t> last;  // of each task
  for (size_t i = 0; i < log.events.size(); ++i) {
    const LoggedEvent& event = log.events[i];
    const auto before = last.find(event.task);
    if (event.what == "park" && before != last.end()) {
      const LoggedEvent& lock = log.events[before->second];
      waits[before->second] = lock.what == "lock" && lock.id == event.id;
    }
    last[event.task] = i;
  }
  return waits;
}

void LinkFlows(std::vector<TimelineEvent>& timeline) {
  std::map<uint64_t, size_t> wakes, bios;  // by task, by bio: where it was woken, submitted
  for (size_t i = 0; i < timeline.size(); ++i) {
    const LoggedEvent& event = *timeline[i].event;
    if (event.what == "wake") wakes[event.id] = i;
    if (event.what == "submit") bios[event.id] = i;
    const auto link = [&](std::map<uint64_t, size_t>& begun, uint64_t id) {
      const auto it = begun.find(id);
      if (it == begun.end()) return;
      timeline[it->second].leads_to = i;
      begun.erase(it);
    };
    if (event.what == "resume") link(wakes, event.task.value);
    if (event.what == "complete") link(bios, event.id);
  }
}

// --- Names ---------------------------------------------------------------------------------------

bool NamesALock(const LoggedEvent& event) {
  static constexpr std::array<std::string_view, 10> kOfLocks = {
      "lock", "trylock",    "unlock", "hand_over", "downgrade",
      "owe",  "might_wait", "park",   "resume",    "signal"};
  return std::find(kOfLocks.begin(), kOfLocks.end(), event.what) != kOfLocks.end();
}

// "&(ei->i_raw_lock)" -> "i_raw_lock", "folio lock (iomap)" -> "folio lock".
std::string ShortClass(std::string_view name) {
  if (name.starts_with("&(") && name.ends_with(')')) name = name.substr(2, name.size() - 3);
  if (name.starts_with('&')) name.remove_prefix(1);
  if (const size_t arrow = name.rfind("->"); arrow != name.npos) name.remove_prefix(arrow + 2);
  return std::string(name.substr(0, name.find(" (")));
}

// "folio 12:1" -> "12:1"; without a number, as it is.
std::string ShortInstance(std::string_view instance) {
  size_t begin = instance.size();
  while (begin > 0 && (std::isdigit(static_cast<unsigned char>(instance[begin - 1])) != 0 ||
                       instance[begin - 1] == ':')) {
    --begin;
  }
  std::string_view number = instance.substr(begin);
  if (number.starts_with(':')) number.remove_prefix(1);
  return std::string(number.empty() ? instance : number);
}

// From short to long.
std::array<std::string, 4> NamesFor(const std::string& subject) {
  const size_t of = subject.find(" of ");
  const std::string lock_class = ShortClass(subject.substr(0, of));
  const std::string instance = of == subject.npos ? "" : subject.substr(of + 4);
  return {lock_class, lock_class + "(" + ShortInstance(instance) + ")",
          lock_class + "(" + instance + ")", subject};
}

}  // namespace

std::vector<TimelineEvent> MakeTimeline(const sim::EventLog& log) {
  const std::vector<bool> waits = FindWaits(log);
  std::vector<TimelineEvent> timeline;
  State state;
  for (size_t i = 0; i < log.events.size(); ++i) {
    timeline.push_back(state.Apply(log.events[i], waits[i]));
  }
  LinkFlows(timeline);
  return timeline;
}

ShortNames::ShortNames(const sim::EventLog& log) {
  std::set<std::string> left;
  for (const LoggedEvent& event : log.events) {
    if (NamesALock(event)) left.insert(event.subject);
  }
  for (size_t length = 0; length < 4; ++length) {
    std::map<std::string, std::vector<std::string>> meant;
    for (const std::string& subject : left) meant[NamesFor(subject)[length]].push_back(subject);
    for (const auto& [name, subjects] : meant) {
      if (subjects.size() > 1) continue;
      names_[subjects.front()] = name;
      left.erase(subjects.front());
    }
  }
}

const std::string& ShortNames::Of(const std::string& subject) const {
  const auto it = names_.find(subject);
  return it == names_.end() ? subject : it->second;
}

}  // namespace tools
