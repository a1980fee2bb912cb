#include "sim/waitfor/wait_graph.h"

#include <algorithm>

#include "sim/check.h"
#include "sim/locking/lock_tracker.h"

namespace sim {
namespace {

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

}  // namespace

WaitGraph FindWaits(const World& world) {
  WaitGraph graph;
  for (const auto& task : world.tasks()) {
    if (task->state() != Task::State::kDone && !task->idle()) {
      graph.stuck.push_back(LookAt(world, *task));
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

Finding ExplainDeadlock(const World& world) {
  const WaitGraph graph = FindWaits(world);
  const TaskText text(world);
  Finding finding;
  finding.kind = "deadlock";
  finding.message = graph.cycle.empty() ? text.Summary(graph.stuck) : text.Cycle(graph.cycle);
  for (const StuckTask& stuck : graph.stuck) finding.detail += text.Detail(stuck);
  return finding;
}

}  // namespace sim
