// A task in a report: what it waits for, who owns that, where it is, what it holds.
#pragma once

#include <string>
#include <vector>

#include "sim/engine/world.h"

namespace sim {

// A task that had not ended and was not an idle daemon.
struct StuckTask {
  TaskId task;
  bool parked = false;         // otherwise it could go on
  std::string waits_for;       // while parked: "i_rwsem of inode 12"
  std::string waits_for_kind;  // the same without numbers: "i_rwsem"
  std::vector<TaskId> owners;  // of what it waits for
};

// Requires: the world has a lock tracker.
StuckTask LookAt(const World& world, const Task& task);

class TaskText {
 public:
  // Requires: the world has a lock tracker.
  explicit TaskText(const World& world) : world_(world) {}

  const std::string& Name(TaskId task) const { return TaskOf(task).name(); }
  // "writer, flusher"
  std::string Names(const std::vector<TaskId>& tasks) const;
  // "writer -> flusher -> writer"
  std::string Cycle(const std::vector<TaskId>& cycle) const;
  // "writer waits for i_rwsem, flusher can go on"
  std::string Summary(const std::vector<StuckTask>& stuck) const;
  // Lines: what it does, its stack, what it holds.
  std::string Detail(const StuckTask& stuck) const;

 private:
  const Task& TaskOf(TaskId task) const { return *world_.tasks()[task.value]; }
  std::string Owners(const StuckTask& stuck) const;
  std::string Frames(const Task& task) const;
  std::string HeldLocksOf(const StuckTask& stuck) const;

  const World& world_;
};

}  // namespace sim
