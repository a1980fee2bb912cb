#include "tools/timeline_text.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "model/scenario/text.h"
#include "tools/timeline.h"

namespace tools {
namespace {

using scenario::Cat;
using sim::LoggedEvent;

constexpr size_t kWidth = 120;
constexpr size_t kLongestTask = 14;
constexpr size_t kFrameWidth = 24, kOperationWidth = 26;

// Cells from left to right, each from its column on or, if that is too late, behind the last one.
class Row {
 public:
  explicit Row(std::ostream& out) : out_(out) {}
  ~Row() { out_ << text_ << "\n"; }
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;

  void Put(size_t column, std::string_view cell) {
    if (cell.empty()) return;
    text_.resize(Start(column), ' ');
    text_ += cell;
  }
  bool Fits(size_t column, std::string_view cell) const {
    return Start(column) + cell.size() <= kWidth;
  }
  // The same, on a new line if it would not fit.
  void PutOrWrap(size_t column, std::string_view cell) {
    if (!Fits(column, cell) && text_.size() > column) {
      out_ << text_ << "\n";
      text_.clear();
    }
    Put(column, cell);
  }

 private:
  size_t Start(size_t column) const {
    return text_.empty() ? column : std::max(column, text_.size() + 1);
  }

  std::ostream& out_;
  std::string text_;
};

std::string TimeText(sim::Nanos at) {
  return absl::StrFormat("%d.%09d", at / 1'000'000'000, at % 1'000'000'000);
}

class TimelineText {
 public:
  TimelineText(const scenario::ReplayedRun& run, std::ostream& out)
      : run_(run), out_(out), names_(run.log), timeline_(MakeTimeline(run.log)) {
    const auto& events = run.log.events;
    size_t task_width = std::string_view("task").size();
    for (const LoggedEvent& event : events) {
      task_width = std::max(task_width, std::min(event.actor.size(), kLongestTask));
    }
    const uint64_t last_turn = events.empty() ? 0 : events.back().turn;
    turn_width_ = std::max(Cat(last_turn).size(), std::string_view("turn").size());
    time_ = turn_width_ + 1;
    task_ = time_ + TimeText(events.empty() ? 0 : events.back().at).size() + 2;
    transaction_ = task_ + task_width + 1;
    bios_ = transaction_ + 4;
    frame_ = bios_ + 4;
    operation_ = frame_ + kFrameWidth + 1;
    locks_ = operation_ + kOperationWidth + 1;
  }

  void Write() {
    WriteHead();
    auto note = run_.notes.begin();
    const auto write_notes_before = [&](uint64_t turn) {
      for (; note != run_.notes.end() && note->turn < turn; ++note) {
        out_ << std::string(turn_width_, '*') << "  " << note->text << "\n";
      }
    };
    for (size_t i = 0; i < timeline_.size(); ++i) {
      write_notes_before(timeline_[i].event->turn);
      const bool is_pair = IsPair(i);
      WriteEvent(timeline_[i], is_pair);
      if (is_pair) ++i;
    }
    write_notes_before(UINT64_MAX);
  }

 private:
  void WriteHead() {
    Row row(out_);
    row.Put(turn_width_ - 4, "turn");
    row.Put(time_, "time");
    row.Put(task_, "task");
    row.Put(transaction_, "tid");
    row.Put(bios_, "bios");
    row.Put(frame_, "frame");
    row.Put(operation_, "operation");
    row.Put(locks_, "locks held");
  }

  // Is it a lock that the next event, in the same function, gives back?
  bool IsPair(size_t i) const {
    if (i + 1 == timeline_.size() || timeline_[i].waits) return false;
    const LoggedEvent& first = *timeline_[i].event;
    const LoggedEvent& second = *timeline_[i + 1].event;
    return (first.what == "lock" || first.what == "trylock") && second.what == "unlock" &&
           first.id == second.id && first.task == second.task && first.turn == second.turn &&
           first.frame == second.frame;
  }

  void WriteEvent(const TimelineEvent& at, bool is_pair) {
    const LoggedEvent& event = *at.event;
    Row row(out_);
    if (event.turn != shown_turn_) {
      const std::string turn = Cat(event.turn);
      row.Put(turn_width_ - turn.size(), turn);
      row.Put(time_, TimeText(event.at));
      shown_turn_ = event.turn;
    }
    row.Put(task_, event.actor);
    if (at.tid.has_value()) row.Put(transaction_, Cat(*at.tid));
    if (at.in_flight > 0) row.Put(bios_, Cat(at.in_flight));
    row.Put(frame_, event.frame);
    for (const auto word : absl::StrSplit(Operation(at, is_pair), ' ')) {
      row.PutOrWrap(operation_, {word.data(), word.size()});
    }
    WriteLocks(at, row);
  }

  void WriteLocks(const TimelineEvent& at, Row& row) {
    if (base_ != nullptr && base_->event->task == at.event->task && !base_->held.empty() &&
        base_->held.size() <= at.held.size() &&
        std::equal(base_->held.begin(), base_->held.end(), at.held.begin())) {
      std::string text = base_->held.size() == at.held.size() ? "\"" : "\" +";
      for (size_t i = base_->held.size(); i < at.held.size(); ++i) text += " " + Text(at.held[i]);
      if (row.Fits(locks_, text)) return row.Put(locks_, text);
    }
    base_ = &at;
    for (const HeldLock& lock : at.held) row.PutOrWrap(locks_, Text(lock));
  }

  std::string Text(const HeldLock& lock) const {
    const std::string& name = names_.Of(lock.subject);
    return lock.owed ? Cat(name, "...") : lock.shared ? Cat("(", name, ")") : name;
  }

  std::string Operation(const TimelineEvent& at, bool is_pair) const {
    const LoggedEvent& event = *at.event;
    const std::string& what = event.what;
    const std::string& name = names_.Of(event.subject);
    const auto with_note = [&](std::string_view before, std::string_view after = "") {
      return event.note.empty() ? std::string() : Cat(before, event.note, after);
    };
    if (what == "lock" || what == "trylock") {
      return Cat(what == "lock" ? "" : "try ", event.shared ? "rlock " : "lock ",
                 is_pair ? "+ unlock " : "", name);
    }
    if (what == "unlock") return Cat(at.owed ? "has done " : "unlock ", name);
    if (what == "hand_over") return Cat("leave unlock to irq: ", name);
    if (what == "owe") return Cat("owe ", name);
    if (what == "might_wait") return Cat("might wait for ", name);
    if (what == "park") return Cat("WAIT for ", name, with_note(", up to "));
    if (what == "resume")
      return Cat(at.got.has_value() ? "got " : "go on after ", name, with_note(", "));
    if (what == "submit" || what == "flushed" || what == "complete") {
      return Cat(what, " bio ", event.id, ": ", event.subject, with_note(", "));
    }
    if (what == "transaction") return Cat(event.subject, ": ", event.note);
    if (what == "start_handle") return Cat("start handle, tid ", event.id);
    if (what == "stop_handle") return Cat("stop handle, tid ", event.id);
    return Cat(what, " ", name, with_note(" "));
  }

  const scenario::ReplayedRun& run_;
  std::ostream& out_;
  const ShortNames names_;
  const std::vector<TimelineEvent> timeline_;
  size_t turn_width_ = 0, time_ = 0, task_ = 0, transaction_ = 0, bios_ = 0, frame_ = 0;
  size_t operation_ = 0, locks_ = 0;
  uint64_t shown_turn_ = UINT64_MAX;
  const TimelineEvent* base_ = nullptr;  // the last one with all its locks, if the task is the same
};

}  // namespace

void WriteTimeline(const scenario::ReplayedRun& run, std::ostream& out) {
  out << "execution " << run.execution << ", seed " << run.seed << ": " << run.log.events.size()
      << " events\n"
      << "locks held: (shared), owed..., \" those above; before the operation, if it takes one\n";
  TimelineText(run, out).Write();
}

}  // namespace tools
