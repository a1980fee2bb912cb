#include "sim/waitfor/wait_graph.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sim/check.h"
#include "sim/locking/lock_tracker.h"

namespace sim {
namespace {

// --- Find ----------------------------------------------------------------------------------------

StuckTask Look(const World& world, const Task& task) {
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

// Depth first from each task in turn; a task is done with once no cycle leads through it.
class CycleSearch {
 public:
  explicit CycleSearch(const WaitGraph& graph, size_t tasks)
      : stuck_(tasks, nullptr), done_(tasks, false) {
    for (const StuckTask& stuck : graph.stuck) stuck_[stuck.task.value] = &stuck;
  }

  std::vector<TaskId> Run() {
    for (uint32_t task = 0; task < stuck_.size(); ++task) {
      if (Visit(TaskId{task})) break;
    }
    return std::move(path_);
  }

 private:
  // True with the cycle in path_.
  bool Visit(TaskId task) {
    if (stuck_[task.value] == nullptr || done_[task.value]) return false;
    const auto seen = std::find(path_.begin(), path_.end(), task);
    if (seen != path_.end()) {
      path_.erase(path_.begin(), seen);
      std::rotate(path_.begin(), std::min_element(path_.begin(), path_.end()), path_.end());
      return true;
    }
    path_.push_back(task);
    for (const TaskId owner : stuck_[task.value]->owners) {
      if (Visit(owner)) return true;
    }
    path_.pop_back();
    done_[task.value] = true;
    return false;
  }

  std::vector<const StuckTask*> stuck_;  // by task
  std::vector<bool> done_;
  std::vector<TaskId> path_;
};

// --- Render --------------------------------------------------------------------------------------

class Text {
 public:
  explicit Text(const World& world) : world_(world) {}

  std::string Cycle(const std::vector<TaskId>& cycle) const {
    std::string text;
    for (const TaskId task : cycle) absl::StrAppend(&text, Name(task), " -> ");
    return absl::StrCat(text, Name(cycle.front()));
  }

  // "writer waits for i_rwsem, flusher can go on"
  std::string Summary(const WaitGraph& graph) const {
    return absl::StrJoin(graph.stuck, ", ", [this](std::string* out, const StuckTask& stuck) {
      const std::string what =
          stuck.parked ? absl::StrCat(" waits for ", stuck.waits_for_kind) : " can go on";
      absl::StrAppend(out, Name(stuck.task), what);
    });
  }

  std::string Names(const WaitGraph& graph) const {
    return absl::StrJoin(graph.stuck, ", ", [this](std::string* out, const StuckTask& stuck) {
      absl::StrAppend(out, Name(stuck.task));
    });
  }

  std::string Detail(const StuckTask& stuck) const {
    const Task& task = TaskOf(stuck.task);
    std::string text = absl::StrCat(task.name(), "/", task.id().value, " ");
    if (stuck.parked) {
      absl::StrAppend(&text, "waits for ", stuck.waits_for, Owners(stuck), ":\n");
    } else {
      absl::StrAppend(&text, "can go on:\n");
    }
    return absl::StrCat(text, Frames(task), HeldLocksOf(stuck));
  }

 private:
  const Task& TaskOf(TaskId task) const { return *world_.tasks()[task.value]; }
  const std::string& Name(TaskId task) const { return TaskOf(task).name(); }

  std::string Owners(const StuckTask& stuck) const {
    if (stuck.owners.empty()) return "";
    return absl::StrCat(
        ", owned by ", absl::StrJoin(stuck.owners, ", ", [this](std::string* out, TaskId id) {
          const Task& owner = TaskOf(id);
          absl::StrAppend(out, owner.name(), "/", id.value,
                          owner.state() == Task::State::kDone ? " (which has ended)" : "");
        }));
  }

  // Innermost first; that one with the place of the wait.
  std::string Frames(const Task& task) const {
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
  std::string HeldLocksOf(const StuckTask& stuck) const {
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

  const World& world_;
};

}  // namespace

WaitGraph FindWaits(const World& world) {
  WaitGraph graph;
  for (const auto& task : world.tasks()) {
    if (task->state() != Task::State::kDone && !task->idle()) {
      graph.stuck.push_back(Look(world, *task));
    }
  }
  graph.cycle = CycleSearch(graph, world.tasks().size()).Run();
  return graph;
}

std::vector<HoldAndWait> FindHoldAndWait(const World& world) {
  std::vector<HoldAndWait> found;
  for (const Task* task : world.tasks()) {
    if (task->state() != Task::State::kParked || task->idle()) continue;
    HoldAndWait waits = HoldAndWaitOf(world, *task);
    if (!waits.wanted.empty()) found.push_back(std::move(waits));
  }
  return found;
}

Finding ExplainEnd(const World& world, ExecutionEnd end) {
  SIM_CHECK(end != ExecutionEnd::kFinished);
  const WaitGraph graph = FindWaits(world);
  const Text text(world);
  Finding finding;
  finding.step = world.turns();
  finding.at = world.now();
  const std::string cycle = graph.cycle.empty() ? "" : text.Cycle(graph.cycle);
  if (end == ExecutionEnd::kDeadlock) {
    finding.kind = "deadlock";
    finding.message = cycle.empty() ? text.Summary(graph) : cycle;
  } else {
    finding.kind = "starvation";
    finding.message =
        absl::StrCat(end == ExecutionEnd::kTurnLimit ? "turn" : "time", " limit reached",
                     graph.stuck.empty() ? "" : " with work left for ", text.Names(graph));
    if (!cycle.empty()) finding.detail = absl::StrCat("cycle: ", cycle, "\n");
  }
  for (const StuckTask& stuck : graph.stuck) absl::StrAppend(&finding.detail, text.Detail(stuck));
  return finding;
}

}  // namespace sim
