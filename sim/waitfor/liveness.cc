#include "sim/waitfor/liveness.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/check.h"
#include "sim/locking/lock_tracker.h"

namespace sim {
namespace {

bool Takes(Access access) { return access == Access::kTake || access == Access::kTakeShared; }

bool AreAmong(const std::vector<TaskId>& tasks, const std::vector<TaskId>& all) {
  return std::all_of(tasks.begin(), tasks.end(), [&](TaskId task) {
    return std::find(all.begin(), all.end(), task) != all.end();
  });
}

}  // namespace

// --- Watch ---------------------------------------------------------------------------------------

void LivenessWatch::OnStart(const World& world) {
  world_ = &world;
  begin_ = world.turns();
  settled_at_ = begin_ + (world.max_turns() - begin_) / 2;
}

void LivenessWatch::OnTurn(const Turn& turn) {
  if (turn.actor.kind != Actor::Kind::kTask || world_->turns() <= settled_at_) return;
  const Task& task = *world_->tasks()[turn.actor.id];
  if (turn.actor.id >= turns_.size()) turns_.resize(turn.actor.id + 1, 0);
  ++turns_[turn.actor.id];
  const ObjectId object = turn.accesses.front().object;
  Dealings& dealings = dealings_[{task.id().value, object.value}];
  ++dealings.asked;
  if (task.state() == Task::State::kParked && task.waiting_on()->object() == object) {
    ++dealings.vain;
    if (dealings.name.empty()) {
      const StuckTask stuck = LookAt(*world_, task);
      dealings.name = stuck.waits_for;
      dealings.kind = stuck.waits_for_kind;
    }
  }
  for (const Footprint& access : turn.accesses) {
    if (Takes(access.access)) NoteTake(task, access.object);
  }
}

void LivenessWatch::NoteTake(const Task& task, ObjectId object) {
  Dealings& dealings = dealings_[{task.id().value, object.value}];
  ++dealings.took;
  const HeldLock* held = world_->lock_tracker().held(task.id()).Find(object.value);
  if (held == nullptr) return;  // given back in the same turn
  const Acquisition& lock = held->acquisition;
  dealings.kind = world_->lock_tracker().validator().ClassName(lock.lock_class);
  dealings.places = StackLines(world_->stack_table().Frames(lock.at.stack), lock.at.site);
}

// --- Find ----------------------------------------------------------------------------------------

// Sleeping is getting on as well.
bool LivenessWatch::GotOn(const Task& task) const {
  if (TurnsOf(task.id()) > 0) return task.progress_at() > settled_at_;
  return task.state() == Task::State::kParked &&
         dynamic_cast<const Lock*>(task.waiting_on()) == nullptr;
}

// Those that should have ended.
std::vector<const Task*> LivenessWatch::Left() const {
  std::vector<const Task*> users, daemons;
  for (const Task* const task : world_->tasks()) {
    if (task->state() == Task::State::kDone || task->idle()) continue;
    (task->kind() == TaskKind::kUser ? users : daemons).push_back(task);
  }
  return users.empty() ? daemons : users;
}

// Has anybody held it, or does so now?
bool LivenessWatch::IsLock(ObjectId object) const {
  const auto holds = [&](const Task* task) {
    return world_->lock_tracker().held(task->id()).Find(object.value) != nullptr;
  };
  return std::any_of(dealings_.begin(), dealings_.end(),
                     [&](const auto& entry) {
                       return entry.first.second == object.value && entry.second.took > 0;
                     }) ||
         std::any_of(world_->tasks().begin(), world_->tasks().end(), holds);
}

// What `task`, which did not get on, asked for and never got. None: it gets what it asks for, and
// goes round.
std::optional<LivenessWatch::Unserved> LivenessWatch::UnservedOf(const Task& task) const {
  if (TurnsOf(task.id()) == 0) {
    if (task.state() != Task::State::kParked) return std::nullopt;
    return About(task, task.waiting_on()->object());
  }
  std::optional<Unserved> most;
  uint64_t vain = 0;
  for (auto it = dealings_.lower_bound({task.id().value, 0});
       it != dealings_.end() && it->first.first == task.id().value; ++it) {
    const auto& [key, dealings] = *it;
    const ObjectId object{key.second};
    // Woken for nothing each time.
    if (dealings.vain == TurnsOf(task.id())) return About(task, object);
    if (dealings.took > 0 || !object.valid() || !IsLock(object)) continue;
    if (dealings.asked > vain) most = About(task, object);
    vain = std::max(vain, dealings.asked);
  }
  return most;
}

LivenessWatch::Unserved LivenessWatch::About(const Task& task, ObjectId object) const {
  Unserved unserved;
  unserved.object = object;
  for (const auto& [key, dealings] : dealings_) {
    if (key.second != object.value) continue;
    if (!dealings.kind.empty()) unserved.kind = dealings.kind;
    if (key.first == task.id().value) {
      unserved.asked = dealings.asked;
      unserved.refused = dealings.vain == 0 && dealings.asked > 0;
    } else if (dealings.took > 0) {
      unserved.served.push_back(TaskId{key.first});
    }
  }
  if (unserved.kind.empty()) unserved.kind = LookAt(*world_, task).waits_for_kind;
  return unserved;
}

// --- Judge ---------------------------------------------------------------------------------------

// Those whom somebody keeps from it who is better off; those who wait for something that nobody
// could be busy with.
std::vector<const LivenessWatch::Stuck*> LivenessWatch::Starving(const std::vector<Stuck>& stuck) {
  std::vector<TaskId> unserved;
  for (const Stuck& task : stuck) {
    if (task.unserved) unserved.push_back(task.now.task);
  }
  const bool all_unserved = unserved.size() == stuck.size();
  std::vector<const Stuck*> starving;
  for (const Stuck& task : stuck) {
    if (!task.unserved) continue;
    const std::vector<TaskId>& served = task.unserved->served;
    if (served.empty() ? all_unserved : !AreAmong(served, unserved)) starving.push_back(&task);
  }
  return starving;
}

Finding LivenessWatch::Explain(ExecutionEnd end) const {
  SIM_CHECK(world_ != nullptr);
  std::vector<Stuck> stuck;
  std::vector<TaskId> left, going_round;
  for (const Task* const task : Left()) {
    left.push_back(task->id());
    if (GotOn(*task)) continue;
    stuck.push_back({LookAt(*world_, *task), TurnsOf(task->id()), UnservedOf(*task)});
    if (stuck.back().turns > 0) going_round.push_back(task->id());
  }
  const std::vector<TaskId> cycle = FindWaits(*world_).cycle;
  const std::vector<const Stuck*> starving = Starving(stuck);
  const TaskText text(*world_);
  Finding finding{.detail = Story(stuck), .step = world_->turns(), .at = world_->now()};
  if (!cycle.empty()) {
    finding.kind = "deadlock";
    finding.message = text.Cycle(cycle);
  } else if (!starving.empty()) {
    finding.kind = "starvation";
    finding.message = StarvationText(starving);
  } else if (!stuck.empty()) {
    finding.kind = "livelock";
    finding.message = absl::StrCat(text.Names(going_round), going_round.size() == 1
                                                                ? " takes turns and gets nowhere"
                                                                : " take turns and get nowhere");
  } else {
    finding.kind = "unfinished";
    finding.message = absl::StrCat(end == ExecutionEnd::kTurnLimit ? "turn" : "time",
                                   " limit reached with work left", left.empty() ? "" : " for ",
                                   text.Names(left));
  }
  return finding;
}

// --- Render --------------------------------------------------------------------------------------

std::string LivenessWatch::StarvationText(const std::vector<const Stuck*>& starving) const {
  const TaskText text(*world_);
  return absl::StrJoin(starving, "; ", [&](std::string* out, const Stuck* task) {
    const Unserved& unserved = *task->unserved;
    absl::StrAppend(out, text.Name(task->now.task), " never gets ", unserved.kind);
    if (!unserved.served.empty()) absl::StrAppend(out, ", taken by ", text.Names(unserved.served));
  });
}

std::string LivenessWatch::Story(const std::vector<Stuck>& stuck) const {
  const TaskText text(*world_);
  std::string story = absl::StrCat("a fair scheduler went on after turn ", begin_, "; from turn ",
                                   settled_at_, " to ", world_->turns(), ":\n");
  for (const Stuck& task : stuck) {
    absl::StrAppend(&story, text.Detail(task.now), "  had ", task.turns, " turns");
    if (task.unserved) absl::StrAppend(&story, ServedText(*task.unserved));
    absl::StrAppend(&story, "\n");
  }
  return story;
}

// ", never got B, which was taken meanwhile:" and by whom, how often, where.
std::string LivenessWatch::ServedText(const Unserved& unserved) const {
  std::string text = absl::StrCat(", never got ", unserved.kind);
  if (unserved.refused) absl::StrAppend(&text, ", which it asked for ", unserved.asked, " times");
  if (unserved.served.empty()) return text;
  absl::StrAppend(&text, "; meanwhile it was taken");
  for (const TaskId task : unserved.served) {
    const Dealings& dealings = dealings_.at({task.value, unserved.object.value});
    absl::StrAppend(&text, "\n    ", dealings.took, " times by ", TaskText(*world_).Name(task), "/",
                    task.value);
    if (!dealings.places.empty()) absl::StrAppend(&text, ", last at:");
    for (const std::string& line : dealings.places) absl::StrAppend(&text, "\n       ", line);
  }
  return text;
}

Finding ExplainEnd(const World& world, ExecutionEnd end, const LivenessWatch& watch) {
  SIM_CHECK(end != ExecutionEnd::kFinished);
  return end == ExecutionEnd::kDeadlock ? ExplainDeadlock(world) : watch.Explain(end);
}

}  // namespace sim
