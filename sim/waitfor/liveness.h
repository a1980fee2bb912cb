// Who never gets anywhere although the scheduler is fair: the starvation and livelock checker.
//
// An execution that reaches its limit goes on under a fair scheduler (WorldOptions::beyond_limit,
// FairStrategy), for as many turns and as much time again. If it ends there, it was the strategy
// that kept somebody waiting, and nothing is found. If not, findings tell what the second half of
// these turns has shown, the *bound*; the first half is to let what the strategy held back come to
// where it stays. They are about the user tasks that are left (about the daemons that are at work,
// if there are none), and to get on is to finish an operation (World::MadeProgress()) or to end:
//   "deadlock": some wait for each other in a circle, while others run.
//   "starvation": tasks did not get on; they were never given what they ask for, parked or refused
//     by trylock each time, while others were given it again and again, or got on without it.
//   "livelock": tasks did not get on, although they had their turns; nobody else takes what they
//     ask for but tasks that do not get it either.
//   "unfinished": all got on. The limit is too low, or they go on for ever: nothing is known of the
//     execution's end.
// Never chosen is not starved: in a fair rest everybody who can go on is chosen.
//
// Messages name tasks and lock classes only, so that they are the same for the same fault in other
// executions.
//
// Not seen: what takes longer than the bound to show; a wait that is too long but ends within it.
// What a task does with things that are no locks and that it does not wait for (a variable that it
// polls) is not told: it takes turns and gets nowhere.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "sim/explore/fair.h"
#include "sim/waitfor/wait_graph.h"

namespace sim {

class LivenessWatch final : public TurnListener {
 public:
  void OnStart(const World& world) override;
  void OnTurn(const Turn& turn) override;

  // What the bound has shown. Requires: the world reached its limit again, and has a lock tracker.
  Finding Explain(ExecutionEnd end) const;

 private:
  // What a task had to do with one object.
  struct Dealings {
    uint64_t asked = 0;  // turns that began there, ...
    uint64_t vain = 0;   // ... and left it parked there
    uint64_t took = 0;
    std::string name, kind;           // as in StuckTask, where known
    std::vector<std::string> places;  // the stack of the last taking, innermost first
  };
  struct Unserved {
    ObjectId object;
    std::string kind;
    bool refused = false;
    uint64_t asked = 0;
    std::vector<TaskId> served;  // others who were given it
  };
  // A task that did not get on.
  struct Stuck {
    StuckTask now;
    uint64_t turns = 0;
    std::optional<Unserved> unserved;
  };

  void NoteTake(const Task& task, ObjectId object);
  bool GotOn(const Task& task) const;
  bool IsLock(ObjectId object) const;
  uint64_t TurnsOf(TaskId task) const {
    return task.value < turns_.size() ? turns_[task.value] : 0;
  }
  std::vector<const Task*> Left() const;
  std::optional<Unserved> UnservedOf(const Task& task) const;
  Unserved About(const Task& task, ObjectId object) const;
  static std::vector<const Stuck*> Starving(const std::vector<Stuck>& stuck);
  std::string StarvationText(const std::vector<const Stuck*>& starving) const;
  std::string Story(const std::vector<Stuck>& stuck) const;
  std::string ServedText(const Unserved& unserved) const;

  const World* world_ = nullptr;
  uint64_t begin_ = 0, settled_at_ = 0;  // World::turns()
  // Since settled_at_:
  std::vector<uint64_t> turns_;                                        // by TaskId
  absl::btree_map<std::pair<uint32_t, uint32_t>, Dealings> dealings_;  // by task and object
};

// What kDeadlock, kTurnLimit or kTimeLimit was about; `watch` has seen the rest beyond the limit.
Finding ExplainEnd(const World& world, ExecutionEnd end, const LivenessWatch& watch);

}  // namespace sim
