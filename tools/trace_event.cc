#include "tools/trace_event.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "model/scenario/text.h"
#include "nlohmann/json.hpp"
#include "tools/timeline.h"

namespace tools {
namespace {

using Json = nlohmann::ordered_json;
using scenario::Cat;
using sim::LoggedEvent;

// The list of events, a line each.
class Events {
 public:
  explicit Events(std::ostream& out) : out_(out) {
    out_ << "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [";
  }
  ~Events() { out_ << "\n]}\n"; }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  void Add(const Json& event) {
    out_ << (first_ ? "\n" : ",\n") << event.dump(-1, ' ', false, Json::error_handler_t::replace);
    first_ = false;
  }
  // Of an arrow or an asynchronous span.
  uint64_t NewId() { return ++last_id_; }

 private:
  std::ostream& out_;
  bool first_ = true;
  uint64_t last_id_ = 0;
};

class RunWriter {
 public:
  RunWriter(const scenario::ReplayedRun& run, uint64_t process, Events& events)
      : run_(run),
        process_(process),
        events_(events),
        names_(run.log),
        timeline_(MakeTimeline(run.log)) {
    tasks_[sim::TaskId{}] = "irq";
    for (const LoggedEvent& event : run.log.events) {
      tasks_.try_emplace(event.task, event.actor);
      if (event.task.valid()) irq_track_ = std::max(irq_track_, event.task.value + 2);
      ++events_in_turn_[event.turn];
    }
  }

  void Write(const std::string& scenario) {
    WriteMetadata(scenario);
    auto note = run_.notes.begin();
    const auto write_notes_before = [&](uint64_t turn) {
      for (; note != run_.notes.end() && note->turn < turn; ++note) WriteNote(note->text);
    };
    uint64_t turn = 0, nth = 0;  // event of the turn
    for (size_t i = 0; i < timeline_.size(); ++i) {
      const LoggedEvent& event = *timeline_[i].event;
      if (event.turn != turn) {
        now_ = (turn + 1) * kTurnLength;
        EndInterrupt();
        write_notes_before(event.turn);
        turn = event.turn;
        nth = 0;
      }
      now_ = turn * kTurnLength + nth++ * kTurnLength / events_in_turn_.at(turn);
      BeginTrack(event);
      WriteEvent(i);
    }
    now_ = (turn + 1) * kTurnLength;
    EndInterrupt();
    write_notes_before(UINT64_MAX);
    EndAll();
  }

 private:
  // What a span is of; `id` among its kind.
  enum class Kind { kTask, kInterrupt, kCall, kLock, kWait };
  struct Span {
    Kind kind = Kind::kTask;
    uint64_t id = 0;
    std::string name;
    Json args;
  };

  static constexpr uint64_t kTurnLength = 1000;  // a microsecond of the viewer's
  double Now() const { return static_cast<double>(now_) / 1000; }

  uint32_t TrackOf(sim::TaskId task) const { return task.valid() ? task.value + 1 : irq_track_; }
  Json Event(const char* phase, std::string name, const char* category, sim::TaskId task) const {
    return {{"name", std::move(name)}, {"cat", category},     {"ph", phase}, {"ts", Now()},
            {"pid", process_},         {"tid", TrackOf(task)}};
  }

  static Json PlaceOf(const LoggedEvent& event) {
    return {{"turn", event.turn}, {"time_ns", event.at}};
  }

  void WriteMetadata(const std::string& scenario) {
    const auto add = [&](const char* what, uint32_t track, Json args) {
      events_.Add({{"name", what},
                   {"ph", "M"},
                   {"pid", process_},
                   {"tid", track},
                   {"args", std::move(args)}});
    };
    add("process_name", 0, {{"name", Cat(scenario, ", execution ", run_.execution)}});
    for (const auto& [task, name] : tasks_) {
      add("thread_name", TrackOf(task), {{"name", name}});
      add("thread_sort_index", TrackOf(task), {{"sort_index", TrackOf(task)}});
    }
  }

  void WriteNote(const std::string& text) {
    Json event = Event("i", text, "finding", sim::TaskId{});
    event["s"] = "p";
    events_.Add(event);
  }

  // --- Spans on a track --------------------------------------------------------------------------

  void AddBegin(sim::TaskId task, const Span& span) {
    static constexpr const char* kCategories[] = {"task", "interrupt", "call", "lock", "wait"};
    Json event = Event("B", span.name, kCategories[static_cast<size_t>(span.kind)], task);
    event["args"] = span.args;
    events_.Add(event);
  }
  void AddEnd(sim::TaskId task) {
    events_.Add({{"ph", "E"}, {"ts", Now()}, {"pid", process_}, {"tid", TrackOf(task)}});
  }

  void Begin(const LoggedEvent& event, Kind kind, uint64_t id, std::string name) {
    Span span{kind, id, std::move(name), PlaceOf(event)};
    if (!event.frame.empty()) span.args["frame"] = event.frame;
    if (!event.note.empty()) span.args["note"] = event.note;
    AddBegin(event.task, span);
    open_[event.task].push_back(std::move(span));
  }

  // The innermost of that kind and id, if there is one. Those inside are cut.
  void End(sim::TaskId task, Kind kind, uint64_t id) {
    std::vector<Span>& open = open_[task];
    const auto last = std::find_if(open.rbegin(), open.rend(), [&](const Span& span) {
      return span.kind == kind && span.id == id;
    });
    if (last == open.rend()) return;
    for (auto it = open.rbegin(); it != last; ++it) AddEnd(task);
    AddEnd(task);
    const auto rest = open.erase(last.base() - 1);
    for (auto it = rest; it != open.end(); ++it) AddBegin(task, *it);
  }

  void BeginTrack(const LoggedEvent& event) {
    if (!open_[event.task].empty()) return;
    const bool is_task = event.task.valid();
    Begin({.turn = event.turn, .at = event.at, .task = event.task},
          is_task ? Kind::kTask : Kind::kInterrupt, 0, is_task ? event.actor : "interrupt");
  }
  void EndInterrupt() { End(sim::TaskId{}, Kind::kInterrupt, 0); }

  void EndAll() {
    for (auto& [task, open] : open_) {
      for (; !open.empty(); open.pop_back()) AddEnd(task);
    }
    for (const auto& [number, bio] : bios_) EndBio(bio);
    for (auto& [tid, transaction] : transactions_) EndTransaction(tid, transaction);
  }

  // --- Arrows and asynchronous spans -------------------------------------------------------------

  void BeginArrow(size_t from, const char* name) {
    const size_t to = timeline_[from].leads_to;
    if (to == TimelineEvent::kNone) return;
    const uint64_t id = events_.NewId();
    arrows_[to] = {name, id};
    Json event = Event("s", name, "flow", timeline_[from].event->task);
    event["id"] = id;
    events_.Add(event);
  }
  void EndArrow(size_t at) {
    const auto it = arrows_.find(at);
    if (it == arrows_.end()) return;
    Json event = Event("f", it->second.first, "flow", timeline_[at].event->task);
    event["id"] = it->second.second;
    event["bp"] = "e";
    events_.Add(event);
    arrows_.erase(it);
  }

  void AddAsync(const char* phase, const char* category, std::string name, uint64_t id,
                Json args = nullptr) {
    Json event = Event(phase, std::move(name), category, sim::TaskId{});
    event["id"] = id;
    if (!args.is_null()) event["args"] = std::move(args);
    events_.Add(event);
  }
  void AddBiosUnderWay(const TimelineEvent& at) {
    Json event = Event("C", "bios under way", "bio", sim::TaskId{});
    event["args"] = {{"bios", at.in_flight}};
    events_.Add(event);
  }

  // Each lies in a span that has the same name for all, by which viewers put them together.
  struct Bio {
    uint64_t id = 0;
    std::string name;
  };
  static constexpr const char* kBios = "bios";
  void EndBio(const Bio& bio) {
    AddAsync("e", "bio", bio.name, bio.id);
    AddAsync("e", "bio", kBios, bio.id);
  }

  struct Transaction {
    uint64_t id = 0;
    std::string state;
  };
  void EnterState(const LoggedEvent& event) {
    const auto [it, is_new] = transactions_.try_emplace(event.id);
    Transaction& transaction = it->second;
    if (is_new) {
      transaction.id = events_.NewId();
      AddAsync("b", "transaction", event.subject, transaction.id);
    } else {
      AddAsync("e", "transaction", transaction.state, transaction.id);
    }
    transaction.state = event.note;
    AddAsync("b", "transaction", event.note, transaction.id, PlaceOf(event));
    if (event.note != "T_FINISHED") return;
    EndTransaction(event.id, transaction);
    transactions_.erase(it);
  }
  void EndTransaction(uint64_t tid, const Transaction& transaction) {
    AddAsync("e", "transaction", transaction.state, transaction.id);
    AddAsync("e", "transaction", Cat("transaction ", tid), transaction.id);
  }

  // --- Events ------------------------------------------------------------------------------------

  void WriteEvent(size_t i) {
    const TimelineEvent& at = timeline_[i];
    const LoggedEvent& event = *at.event;
    const std::string& what = event.what;
    const std::string& name = names_.Of(event.subject);
    if (what == "lock" || what == "trylock" || what == "owe") {
      if (at.got.has_value()) BeginLock(event, *at.got);
    } else if (what == "unlock") {
      End(event.owner, Kind::kLock, event.id);
    } else if (what == "hand_over") {
      End(event.task, Kind::kLock, event.id);
    } else if (what == "park") {
      Begin(event, Kind::kWait, event.id, "wait for " + name);
    } else if (what == "resume") {
      EndArrow(i);
      End(event.task, Kind::kWait, event.id);
      if (at.got.has_value()) BeginLock(event, *at.got);
    } else if (what == "wake") {
      BeginArrow(i, "wake");
    } else if (what == "call") {
      Begin(event, Kind::kCall, 0, event.subject);
    } else if (what == "return") {
      End(event.task, Kind::kCall, 0);
    } else if (what == "submit" || what == "complete") {
      WriteBio(i);
    } else if (what == "flushed") {
      AddAsync("n", "bio", "flushed", bios_.at(event.id).id);
    } else if (what == "transaction") {
      EnterState(event);
    } else {
      WriteInstant(event, name);
    }
  }

  void BeginLock(const LoggedEvent& event, const HeldLock& lock) {
    const std::string& name = names_.Of(lock.subject);
    Begin(event, Kind::kLock, lock.id,
          lock.owed     ? "owes " + name
          : lock.shared ? name + " (shared)"
                        : name);
  }

  void WriteBio(size_t i) {
    const LoggedEvent& event = *timeline_[i].event;
    if (event.what == "submit") {
      BeginArrow(i, "bio");
      Bio& bio = bios_[event.id];
      bio = {events_.NewId(), Cat("bio ", event.id, ": ", event.subject)};
      AddAsync("b", "bio", kBios, bio.id);
      AddAsync("b", "bio", bio.name, bio.id, PlaceOf(event));
    } else {
      EndArrow(i);
      const auto bio = bios_.find(event.id);
      EndBio(bio->second);
      bios_.erase(bio);
    }
    AddBiosUnderWay(timeline_[i]);
  }

  void WriteInstant(const LoggedEvent& event, const std::string& name) {
    std::string text = Cat(event.what, " ", name);
    if (!event.note.empty()) text += " " + event.note;
    Json instant = Event("i", std::move(text), "event", event.task);
    instant["s"] = "t";
    instant["args"] = PlaceOf(event);
    instant["args"]["frame"] = event.frame;
    events_.Add(instant);
  }

  const scenario::ReplayedRun& run_;
  const uint64_t process_;
  Events& events_;
  const ShortNames names_;
  const std::vector<TimelineEvent> timeline_;
  std::map<sim::TaskId, std::string> tasks_;
  uint32_t irq_track_ = 1;

  std::map<uint64_t, uint64_t> events_in_turn_;

  uint64_t now_ = 0;                                           // where on the axis
  std::map<sim::TaskId, std::vector<Span>> open_;              // outermost first
  std::map<size_t, std::pair<const char*, uint64_t>> arrows_;  // by the event that they lead to
  std::map<uint64_t, Bio> bios_;                               // those under way
  std::map<uint64_t, Transaction> transactions_;               // the same
};

}  // namespace

void WriteTraceEvents(const std::string& scenario, const std::vector<scenario::ReplayedRun>& runs,
                      std::ostream& out) {
  Events events(out);
  uint64_t process = 0;
  for (const scenario::ReplayedRun& run : runs) {
    RunWriter(run, ++process, events).Write(scenario);
  }
}

}  // namespace tools
