#include "sim/race/race_checker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/check.h"
#include "sim/locking/lock_tracker.h"

namespace sim {
namespace {

const char* Verb(const GuardRow& row) { return row.access == Access::kRead ? "reads" : "writes"; }

std::string Function(const GuardRow& row) {
  return row.frames.empty() ? "a task" : absl::StrCat(row.frames.front()->function, "()");
}

// The same whichever of the two comes first in an execution.
std::string MessageOf(const std::string& field, const GuardRow& a, const GuardRow& b) {
  std::string first = absl::StrCat(Function(a), " ", Verb(a));
  std::string second = absl::StrCat(Function(b), " ", Verb(b));
  if (second < first) std::swap(first, second);
  return absl::StrCat("data race on ", field, ": ", first, ", ", second);
}

std::string LocksOf(const GuardRow& row) {
  if (row.locks.empty()) return "no lock";
  return absl::StrJoin(row.locks, ", ", [](std::string* out, const GuardLock& lock) {
    absl::StrAppend(out, lock.Text());
  });
}

std::string FramesOf(const GuardRow& row) {
  std::string text;
  for (const FrameSite* const frame : row.frames) {
    absl::StrAppend(&text, "       ", frame->function, "+", frame->site.file, ":", frame->site.line,
                    "\n");
  }
  return text;
}

}  // namespace

RaceChecker::RaceChecker(World& world, GuardTable& guards) : world_(world), guards_(guards) {
  SIM_CHECK(world.set_access_listener(this) == nullptr);
}

RaceChecker::~RaceChecker() { (void)world_.set_access_listener(nullptr); }

HappensBefore::Context* RaceChecker::Running() {
  if (event_ != nullptr) return event_;
  if (world_.in_irq() || world_.tearing_down()) return nullptr;
  return &order_.OfTask(world_.current().id());
}

void RaceChecker::OnSpawn(const Task& task) { order_.Spawn(Running(), task.id()); }

void RaceChecker::OnWake(const Task& task) {
  if (HappensBefore::Context* const by = Running()) order_.Wake(*by, task.id());
}

void RaceChecker::OnSchedule(EventId event) { order_.Schedule(Running(), event); }

void RaceChecker::OnEventStart(EventId event) { event_ = &order_.StartEvent(event); }

void RaceChecker::OnEventEnd() {
  order_.EndEvent();
  event_ = nullptr;
}

void RaceChecker::OnRelease(ObjectId sync, bool exclusive) {
  if (HappensBefore::Context* const by = Running()) order_.Release(*by, sync, exclusive);
}

void RaceChecker::OnAcquire(ObjectId sync, bool exclusive) {
  if (HappensBefore::Context* const by = Running()) order_.Acquire(*by, sync, exclusive);
}

void RaceChecker::OnAccess(const Field& field, Access access) {
  HappensBefore::Context* const by = Running();
  if (by == nullptr) return;
  FieldState& state = StateOf(field);
  LockTracker& tracker = world_.lock_tracker();
  const TaskId task = event_ != nullptr ? TaskId{} : world_.current().id();
  const uint32_t row = guards_.Count(state.name, field.owner, access,
                                     {tracker.held(), tracker.validator(), world_.stack_table(),
                                      world_.stack(), world_.turns(), NameOf(task)});
  const Sharing sharing = field.type.sharing;
  if (sharing == Sharing::kOrdered) {
    if (access == Access::kRead) {
      order_.Acquire(*by, field.object, true);
    } else {
      order_.Release(*by, field.object, true);
    }
  }
  if (sharing == Sharing::kAtomic || sharing == Sharing::kOrdered) return;
  const Seen now{by->Now(), row, task, world_.turns()};
  if (access == Access::kWrite) {
    Write(field, state, *by, now);
  } else if (sharing == Sharing::kPlain) {
    Read(field, state, *by, now);
  }
}

RaceChecker::FieldState& RaceChecker::StateOf(const Field& field) {
  const uint32_t number = field.object.value - World::kFirstField;
  if (fields_.size() <= number) fields_.resize(number + 1);
  FieldState& state = fields_[number];
  if (state.name == FieldState::kUnnamed) state.name = guards_.FieldNamed(field.type);
  return state;
}

void RaceChecker::Read(const Field& field, FieldState& state, HappensBefore::Context& by,
                       const Seen& now) {
  if (!by.IsAfter(state.write.at)) Report(field, state.write, now);
  const auto known = std::find_if(state.reads.begin(), state.reads.end(),
                                  [&](const Seen& read) { return read.at.chain == now.at.chain; });
  if (known != state.reads.end()) {
    *known = now;
  } else {
    state.reads.push_back(now);
  }
}

void RaceChecker::Write(const Field& field, FieldState& state, HappensBefore::Context& by,
                        const Seen& now) {
  if (!by.IsAfter(state.write.at)) Report(field, state.write, now);
  for (const Seen& read : state.reads) {
    if (!by.IsAfter(read.at)) Report(field, read, now);
  }
  state.reads.clear();
  state.write = now;
}

void RaceChecker::Report(const Field& field, const Seen& before, const Seen& now) {
  const GuardRow& first = guards_.rows()[before.row];
  const GuardRow& second = guards_.rows()[now.row];
  Finding finding;
  finding.kind = "data_race";
  finding.message = MessageOf(field.type.name, first, second);
  if (!reported_.insert(finding.message).second) return;
  const std::string owner = field.owner.Text();
  finding.detail = absl::StrCat("  ", field.type.name, owner.empty() ? "" : " of ", owner, "\n");
  const auto add = [&](const Seen& seen, const GuardRow& row) {
    absl::StrAppend(&finding.detail, "  ", NameOf(seen.task), " ", Verb(row), " it at step ",
                    seen.step, ", holding ", LocksOf(row), ":\n", FramesOf(row));
  };
  add(before, first);
  add(now, second);
  absl::StrAppend(&finding.detail,
                  "  Nothing orders the two: no lock that both take, no wake-up, no I/O.\n");
  world_.Report(std::move(finding));
}

const std::string& RaceChecker::NameOf(TaskId task) const {
  return task.valid() ? world_.tasks()[task.value]->name() : irq_;
}

}  // namespace sim
