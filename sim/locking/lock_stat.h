// Contention and hold times of each lock class on virtual time, as in /proc/lock_stat
// [kernel/locking/lockdep_proc.c, Documentation/locking/lockstat.rst].
//
// A hold lasts from when the lock was got to when it was given up; one that the end of the
// execution cuts off does not count, and one that is left to an I/O completion ends there. A
// downgrade ends a hold and begins another. Wait queues count,
// too: waiting is contention, and whoever has to bring the event about holds it; a wait that goes
// on after a wake-up in vain is one more. Whoever runs has a processor of its own, so a lock that
// somebody else took last counts as a bounce.
//
// The lock tracker tells it what happens, if it is there; otherwise nothing is measured and nothing
// is paid. Any number of executions may add to one; Merge() takes them in any order.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "sim/engine/ids.h"

namespace sim {

struct LockTimes {
  uint64_t count = 0;
  Nanos min = 0, max = 0, total = 0;

  void Add(Nanos time);
  void Merge(const LockTimes& other);
};

class LockStat {
 public:
  struct ClassStat {
    // Of exclusive and of shared holds.
    std::array<LockTimes, 2> waits, holds;
    std::array<uint64_t, 2> contended_bounces = {}, acquired_bounces = {};
    // Where it was waited for, and where those who had it then had taken it; how often.
    std::map<std::string, uint64_t> contention_points, contending_points;
  };
  // By the class's name, with the subclass: "&ei->i_data_sem/2".
  using Classes = std::map<std::string, ClassStat, std::less<>>;
  const Classes& classes() const { return classes_; }

  LockStat() = default;
  explicit LockStat(Classes classes) : classes_(std::move(classes)) {}

  void Merge(const LockStat& other);

  // What the tracker says. `who`: a task, or not valid for an interrupt.
  struct Taking {
    std::string_view class_name;
    uint32_t subclass = 0;
    bool shared = false;
    uint64_t instance = 0;
    std::string place;  // where: "function+file:line"
  };
  void BeginExecution();
  // Begins to take; unless Contended() follows, has it.
  void Acquire(TaskId who, Taking taking, Nanos now);
  // Has to wait for what it has just begun to take, or for an event that it does not take.
  void Contended(TaskId who, const Taking& taking, Nanos now);
  void Waited(TaskId who, uint64_t instance, Nanos now);
  void Release(TaskId who, uint64_t instance, Nanos now);
  void Downgrade(TaskId who, uint64_t instance, Nanos now);

 private:
  struct Taker {
    TaskId who;
    std::string place;
  };
  struct Hold {
    uint64_t instance = 0;
    ClassStat* stat = nullptr;
    bool shared = false;
    Nanos since = 0;
    Taker taker, before;  // who takes it, who took it last
    bool has_before = false;
  };
  struct Wait {
    ClassStat* stat = nullptr;
    bool shared = false;
    Nanos since = 0;
  };

  ClassStat& StatOf(std::string_view class_name, uint32_t subclass);
  Hold* FindHold(TaskId who, uint64_t instance);
  void Took(Hold& hold);

  Classes classes_;
  // Of the running execution.
  absl::flat_hash_map<uint32_t, std::vector<Hold>> holds_;  // by task
  absl::flat_hash_map<uint32_t, Wait> waits_;               // by task
  absl::flat_hash_map<uint64_t, Taker> last_;               // by instance
};

// In the layout of the kernel; places stand for addresses. Most contended first.
std::string RenderLockStat(const LockStat& stat);

}  // namespace sim
