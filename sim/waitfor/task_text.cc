#include "sim/waitfor/task_text.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/locking/lock_tracker.h"

namespace sim {

StuckTask LookAt(const World& world, const Task& task) {
  StuckTask stuck;
  stuck.task = task.id();
  stuck.parked = task.state() == Task::State::kParked;
  if (!stuck.parked) return stuck;
  const Waitable& on = *task.waiting_on();
  stuck.waits_for = on.Describe();
  const auto* lock = dynamic_cast<const Lock*>(&on);
  stuck.waits_for_kind = lock != nullptr
                             ? world.lock_tracker().validator().ClassName(lock->lock_class())
                             : stuck.waits_for;
  stuck.owners = on.Owners();
  return stuck;
}

std::string TaskText::Names(const std::vector<TaskId>& tasks) const {
  return absl::StrJoin(tasks, ", ",
                       [this](std::string* out, TaskId task) { absl::StrAppend(out, Name(task)); });
}

std::string TaskText::Cycle(const std::vector<TaskId>& cycle) const {
  std::string text;
  for (const TaskId task : cycle) absl::StrAppend(&text, Name(task), " -> ");
  return absl::StrCat(text, Name(cycle.front()));
}

std::string TaskText::Summary(const std::vector<StuckTask>& stuck) const {
  return absl::StrJoin(stuck, ", ", [this](std::string* out, const StuckTask& task) {
    const std::string what =
        task.parked ? absl::StrCat(" waits for ", task.waits_for_kind) : " can go on";
    absl::StrAppend(out, Name(task.task), what);
  });
}

std::string TaskText::Detail(const StuckTask& stuck) const {
  const Task& task = TaskOf(stuck.task);
  std::string text = absl::StrCat(task.name(), "/", task.id().value, " ");
  if (stuck.parked) {
    absl::StrAppend(&text, "waits for ", stuck.waits_for, Owners(stuck), ":\n");
  } else {
    absl::StrAppend(&text, "can go on:\n");
  }
  return absl::StrCat(text, Frames(task), HeldLocksOf(stuck));
}

std::string TaskText::Owners(const StuckTask& stuck) const {
  if (stuck.owners.empty()) return "";
  return absl::StrCat(
      ", owned by ", absl::StrJoin(stuck.owners, ", ", [this](std::string* out, TaskId id) {
        const Task& owner = TaskOf(id);
        absl::StrAppend(out, owner.name(), "/", id.value,
                        owner.state() == Task::State::kDone ? " (which has ended)" : "");
      }));
}

// Innermost first; that one with the place of the wait.
std::string TaskText::Frames(const Task& task) const {
  const bool parked = task.state() == Task::State::kParked;
  const std::vector<const FrameSite*> frames = world_.stack_table().Frames(task.stack());
  if (frames.empty() && !parked) return "";
  std::string text;
  for (const std::string& line :
       StackLines(frames, parked ? task.waiting_at() : frames.front()->site)) {
    absl::StrAppend(&text, "       ", line, "\n");
  }
  return text;
}

// Outermost first, without the one that it waits for.
std::string TaskText::HeldLocksOf(const StuckTask& stuck) const {
  const Waitable* on = TaskOf(stuck.task).waiting_on();
  std::string text;
  int count = 0;
  for (const HeldLock& held : world_.lock_tracker().held(stuck.task).locks()) {
    const Acquisition& lock = held.acquisition;
    if (on != nullptr && lock.instance == on->object().value) continue;
    absl::StrAppend(&text, "  #", count++, ": ",
                    world_.lock_tracker().validator().ClassName(lock.lock_class));
    if (lock.subclass != 0) absl::StrAppend(&text, "/", lock.subclass);
    absl::StrAppend(&text, lock.read == ReadMode::kExclusive ? "" : " (shared)",
                    ", taken at: ", lock.at.site.file, ":", lock.at.site.line, "\n");
  }
  return text.empty() ? "" : absl::StrCat("  holds:\n", text);
}

}  // namespace sim
