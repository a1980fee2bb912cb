// Liveness findings against a second implementation: what is found is so without end.

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "sim/engine/random.h"
#include "sim/explore/round_robin.h"
#include "sim/locking/mutex.h"
#include "sim/waitfor/liveness.h"

namespace sim {
namespace {

// A task makes attempts, at most so many that succeed (0: without end, and each is progress). An
// attempt takes locks, one after the other, then gives all back, the last one first. Where a
// trylock fails it does so, too, after a pause, and begins again.
struct Attempt {
  struct Op {
    enum class Kind { kLock, kTry, kPause } kind;
    uint32_t lock;
  };
  std::vector<Op> ops;
  bool endless;
};
using Program = std::vector<Attempt>;

constexpr uint32_t kLocks = 2;
constexpr uint64_t kTurns = 4'000;

Program RandomProgram(RandomStream& random) {
  Program program(2 + random.UniformBelow(2));
  for (Attempt& task : program) {
    task.endless = random.OneIn(3);
    const auto order = static_cast<uint32_t>(random.UniformBelow(kLocks));
    const uint64_t locks = 1 + random.UniformBelow(kLocks);
    for (uint32_t i = 0; i < locks; ++i) {
      const bool tries = random.OneIn(2);
      task.ops.push_back(
          {tries ? Attempt::Op::Kind::kTry : Attempt::Op::Kind::kLock, (order + i) % kLocks});
      if (random.OneIn(2)) task.ops.push_back({Attempt::Op::Kind::kPause, 0});
    }
  }
  return program;
}

// "kind: names", the names of those whom the message is about; or how it ended.
std::string RunInEngine(const Program& program, StackPool& pool) {
  LivenessWatch watch;
  FairStrategy fair(watch);
  RoundRobinStrategy round_robin;
  StackTable stacks;
  Validator validator;
  World world({.max_turns = kTurns, .beyond_limit = &fair}, round_robin, pool, stacks);
  LockTracker tracker(world, validator);
  std::deque<Mutex> locks;
  for (uint32_t i = 0; i < kLocks; ++i) {
    locks.emplace_back(world, tracker.Class("L" + std::to_string(i)), InstanceName{});
  }
  const ObjectId pause = world.NewObject();
  for (size_t t = 0; t < program.size(); ++t) {
    world.Spawn("t" + std::to_string(t), TaskKind::kUser, [&, task = &program[t]] {
      for (bool done = false; !done;) {
        std::vector<Mutex*> held;
        bool got_all = true;
        for (const Attempt::Op& op : task->ops) {
          if (op.kind == Attempt::Op::Kind::kPause) {
            world.Step(pause, Access::kRead);
            continue;
          }
          Mutex& lock = locks[op.lock];
          if (op.kind == Attempt::Op::Kind::kLock) {
            lock.mutex_lock();
          } else if (!lock.mutex_trylock()) {
            world.Step(pause, Access::kRead);
            got_all = false;
            break;
          }
          held.push_back(&lock);
        }
        for (; !held.empty(); held.pop_back()) held.back()->mutex_unlock();
        if (got_all) world.MadeProgress();
        done = got_all && !task->endless;
      }
    });
  }
  const ExecutionEnd end = world.Run();
  if (end == ExecutionEnd::kFinished) return "ends";
  const Finding finding = ExplainEnd(world, end, watch);
  std::set<std::string> names;
  for (size_t t = 0; t < program.size(); ++t) {
    const std::string name = "t" + std::to_string(t);
    const bool about = finding.kind == "starvation"
                           ? finding.message.find(name + " never") != std::string::npos
                           : finding.message.find(name) != std::string::npos;
    if (about) names.insert(name);
  }
  std::string text = finding.kind + ":";
  for (const std::string& name : names) text += " " + name;
  return text;
}

// The same by plain simulation, until a state comes again: from there on it is for ever so.
class Lasso {
 public:
  explicit Lasso(const Program& program) : program_(program), tasks_(program.size()) {}

  std::string Run() {
    for (uint64_t turn = 0; turn < kTurns; ++turn) {
      if (!Turn()) return Over();
    }
    last_ = tasks_.size();  // another scheduler begins
    std::map<std::vector<uint64_t>, size_t> seen;
    while (seen.try_emplace(State(), log_.size()).second) {
      if (!Turn()) return Over();
    }
    log_.erase(log_.begin(), log_.begin() + static_cast<ptrdiff_t>(seen.at(State())));
    return Verdict();
  }

 private:
  static constexpr uint64_t kNobody = 99;
  struct TaskState {
    uint64_t at = 0;  // op; beyond the last: to give up
    bool started = false, parked = false, done = false, granted = false;
    std::vector<uint32_t> held;
  };
  struct LockState {
    uint64_t owner = kNobody;
    std::deque<uint64_t> waiters;
  };
  struct Logged {
    uint64_t task;
    enum class What { kTook, kRefused, kSucceeded, kNothing } what;
    uint32_t lock;
  };

  std::vector<uint64_t> State() const {
    std::vector<uint64_t> state = {last_};
    for (const TaskState& task : tasks_) {
      state.insert(state.end(), {task.at, task.parked, task.done, task.granted});
    }
    for (const LockState& lock : locks_) {
      state.push_back(lock.owner);
      state.insert(state.end(), lock.waiters.begin(), lock.waiters.end());
      state.push_back(kNobody);
    }
    return state;
  }

  bool Turn() {
    for (size_t i = 0; i < tasks_.size(); ++i) {
      const size_t next = (last_ >= tasks_.size() ? i : (last_ + 1 + i) % tasks_.size());
      if (tasks_[next].parked || tasks_[next].done) continue;
      last_ = next;
      Go(next);
      return true;
    }
    return false;
  }

  void Go(uint64_t id) {
    TaskState& task = tasks_[id];
    if (!task.started) {
      task.started = true;
      return Log(id, Logged::What::kNothing);
    }
    const std::vector<Attempt::Op>& ops = program_[id].ops;
    if (task.at == ops.size()) {  // the pause after a refusal
      Log(id, Logged::What::kNothing);
      return Release(task, id);
    }
    const Attempt::Op& op = ops[task.at];
    if (op.kind == Attempt::Op::Kind::kPause) {
      Log(id, Logged::What::kNothing);
      return Advance(task, id);
    }
    LockState& lock = locks_[op.lock];
    if (task.granted || lock.owner == kNobody) {
      task.granted = false;
      lock.owner = id;
      task.held.push_back(op.lock);
      Log(id, Logged::What::kTook, op.lock);
      return Advance(task, id);
    }
    if (op.kind == Attempt::Op::Kind::kTry) {
      Log(id, Logged::What::kRefused, op.lock);
      task.at = ops.size();
      return;
    }
    Log(id, Logged::What::kNothing);
    lock.waiters.push_back(id);
    task.parked = true;
  }

  void Advance(TaskState& task, uint64_t id) {
    if (++task.at < program_[id].ops.size()) return;
    Log(id, Logged::What::kSucceeded);
    task.done = !program_[id].endless;
    Release(task, id);
  }
  void Release(TaskState& task, uint64_t id) {
    (void)id;
    task.at = 0;
    for (; !task.held.empty(); task.held.pop_back()) {
      LockState& lock = locks_[task.held.back()];
      lock.owner = kNobody;
      if (lock.waiters.empty()) continue;
      lock.owner = lock.waiters.front();
      lock.waiters.pop_front();
      tasks_[lock.owner].parked = false;
      tasks_[lock.owner].granted = true;
    }
  }
  void Log(uint64_t task, Logged::What what, uint32_t lock = 0) {
    log_.push_back({task, what, lock});
  }

  std::string Over() const {
    for (const TaskState& task : tasks_) {
      if (!task.done) return "deadlock:";
    }
    return "ends";
  }

  bool Did(uint64_t task, Logged::What what, uint32_t lock) const {
    return std::any_of(log_.begin(), log_.end(), [&](const Logged& entry) {
      return entry.task == task && entry.what == what &&
             (what == Logged::What::kSucceeded || entry.lock == lock);
    });
  }

  // Of the rounds that come again and again.
  std::string Verdict() const {
    std::set<uint64_t> stuck, left;
    std::map<uint64_t, uint32_t> unserved;  // and of what
    for (uint64_t id = 0; id < tasks_.size(); ++id) {
      if (tasks_[id].done) continue;
      left.insert(id);
      if (Did(id, Logged::What::kSucceeded, 0)) continue;
      stuck.insert(id);
      for (uint32_t lock = 0; lock < kLocks; ++lock) {
        const auto& waiters = locks_[lock].waiters;
        const bool waits = std::find(waiters.begin(), waiters.end(), id) != waiters.end();
        if (Did(id, Logged::What::kTook, lock)) continue;
        if (waits || Did(id, Logged::What::kRefused, lock)) unserved[id] = lock;
      }
    }
    std::set<uint64_t> starved;
    for (const auto& [id, lock] : unserved) {
      bool served_somebody = false, served_better = false;
      for (uint64_t other = 0; other < tasks_.size(); ++other) {
        if (!Did(other, Logged::What::kTook, lock)) continue;
        served_somebody = true;
        served_better |= !unserved.contains(other);
      }
      if (served_somebody ? served_better : unserved.size() == stuck.size()) starved.insert(id);
    }
    if (WaitsInACircle()) return "deadlock:";
    if (!starved.empty()) return "starvation:" + Names(starved);
    if (stuck.empty()) return "unfinished:" + Names(left);
    std::erase_if(stuck, [&](uint64_t id) {
      return std::none_of(log_.begin(), log_.end(),
                          [&](const Logged& entry) { return entry.task == id; });
    });
    return "livelock:" + Names(stuck);
  }
  bool WaitsInACircle() const {
    for (uint64_t id = 0; id < tasks_.size(); ++id) {
      uint64_t at = id;
      for (size_t steps = 0; steps <= tasks_.size() && at != kNobody; ++steps) {
        if (!tasks_[at].parked) break;
        at = locks_[program_[at].ops[tasks_[at].at].lock].owner;
        if (at == id) return true;
      }
    }
    return false;
  }
  static std::string Names(const std::set<uint64_t>& tasks) {
    std::string text;
    for (const uint64_t task : tasks) text += " t" + std::to_string(task);
    return text;
  }

  const Program& program_;
  std::vector<TaskState> tasks_;
  LockState locks_[kLocks];
  size_t last_ = SIZE_MAX;
  std::vector<Logged> log_;
};

std::string Text(const Program& program) {
  std::string text;
  for (const Attempt& task : program) {
    text += task.endless ? "endless:" : "once:";
    for (const Attempt::Op& op : task.ops) {
      text += op.kind == Attempt::Op::Kind::kPause ? " pause"
              : op.kind == Attempt::Op::Kind::kTry ? " try" + std::to_string(op.lock)
                                                   : " lock" + std::to_string(op.lock);
    }
    text += "\n";
  }
  return text;
}

// Random programs under round robin, which come to a state that they were in before.
TEST(LivenessOracleTest, TheVerdictIsThatOfTheExecutionWithoutEnd) {
  StackPool pool;
  RandomStream random(1, "programs");
  std::map<std::string, int> seen;
  for (int i = 0; i < 400; ++i) {
    const Program program = RandomProgram(random);
    std::string wanted = Lasso(program).Run();
    std::string found = RunInEngine(program, pool);
    if (wanted.starts_with("deadlock")) found = found.substr(0, wanted.size());  // names vary
    EXPECT_EQ(found, wanted) << Text(program);
    ++seen[wanted.substr(0, wanted.find(':'))];
  }
  for (const char* kind : {"ends", "starvation", "livelock", "unfinished", "deadlock"}) {
    EXPECT_GE(seen[kind], 4) << kind;
  }
}

}  // namespace
}  // namespace sim
