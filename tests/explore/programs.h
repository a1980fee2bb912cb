// Small programs, whose executions a search can all run: the literature's, and random ones.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sim/engine/random.h"
#include "sim/engine/shared.h"
#include "sim/engine/world.h"
#include "sim/locking/bit_lock.h"
#include "sim/locking/mutex.h"
#include "sim/locking/rwsem.h"
#include "sim/locking/wait_event.h"

namespace sim {

// What the threads of a program share, made anew for each execution.
struct Stage {
  explicit Stage(Strategy& strategy, StackPool& pool, StackTable& stacks)
      : owner(std::make_unique<World>(WorldOptions{.max_turns = 10'000}, strategy, pool, stacks)) {
    for (uint64_t i = 0; i < 8; ++i) {
      mutexes.emplace_back(world, tracker.Class("mutex"), InstanceName{"mutex", i});
      rwsems.emplace_back(world, tracker.Class("rwsem"), InstanceName{"rwsem", i});
      bits.emplace_back(world, tracker.Class("bit"), InstanceName{"bit", i});
      events.emplace_back(world, tracker.Class("event", {}), InstanceName{"event", i});
      flags.emplace_back(world, tracker.Class("flag", {}), InstanceName{"flag", i});
      completions.emplace_back(world, tracker.Class("done", {}), InstanceName{"done", i}, 2);
    }
    for (int i = 0; i < 40; ++i) {
      variables.emplace_back(world, FieldType{"variable"}, InstanceName{}, 0);
    }
  }

  // A task for each of them.
  ExecutionEnd Run(const std::vector<std::function<void(Stage&)>>& program) {
    for (const auto& body : program) {
      world.Spawn("thread", TaskKind::kUser, [&] { body(*this); });
    }
    return world.Run();
  }

  // Tasks that are unwound still find their locks.
  ~Stage() { owner = nullptr; }

  Validator validator;
  std::unique_ptr<World> owner;
  World& world = *owner;
  LockTracker tracker{world, validator};
  std::deque<Mutex> mutexes;
  std::deque<RwSem> rwsems;
  std::deque<BitLock> bits;
  std::deque<WaitQueue> events;
  std::deque<WaitBit> flags;
  std::deque<Completion> completions;
  std::deque<Shared<int>> variables;
};

using Body = std::function<void(Stage&)>;
using Program = std::vector<Body>;

inline Program Philosophers(int count, int rounds, bool ordered) {
  Program program;
  for (int i = 0; i < count; ++i) {
    const int left = i, right = (i + 1) % count;
    const int first = ordered ? std::min(left, right) : left;
    const int second = ordered ? std::max(left, right) : right;
    program.push_back([=](Stage& stage) {
      for (int round = 0; round < rounds; ++round) {
        const MutexGuard a(stage.mutexes[first]);
        const MutexGuard b(stage.mutexes[second]);
      }
    });
  }
  return program;
}

// lastzero(n) [Abdulla et al. 2014]: n + 1 cells; thread i sets cell i to cell i - 1 plus one, one
// thread looks for the last zero.
inline Program LastZero(int n) {
  Program program = {[n](Stage& stage) {
    for (int i = n; i >= 0 && stage.variables[i].load_racy() != 0; --i) {
    }
  }};
  for (int i = 1; i <= n; ++i) {
    program.push_back([i](Stage& stage) {
      const int before = stage.variables[i - 1].load_racy();
      stage.variables[i].store_racy(before + 1);
    });
  }
  return program;
}

// Threads of a few operations on two of everything, which may deadlock.
struct RandomProgram {
  struct Op {
    int kind = 0, object = 0;
  };
  std::vector<std::vector<Op>> threads;

  explicit RandomProgram(std::vector<std::vector<Op>> ops) : threads(std::move(ops)) {}
  RandomProgram(uint64_t seed, int kinds) {
    RandomStream random(seed, "program");
    threads.resize(2 + random.UniformBelow(2));
    for (std::vector<Op>& ops : threads) {
      ops.resize(1 + random.UniformBelow(threads.size() == 2 ? 4 : 2));
      for (Op& op : ops) {
        op = {static_cast<int>(random.UniformBelow(static_cast<uint64_t>(kinds))),
              static_cast<int>(random.UniformBelow(2))};
      }
    }
  }

  static void Run(Stage& stage, const std::vector<Op>& ops, size_t at, int& seen) {
    if (at == ops.size()) return;
    const int object = ops[at].object;
    const auto rest = [&] { Run(stage, ops, at + 1, seen); };
    switch (ops[at].kind) {
      case 0:
        seen = seen * 3 + stage.variables[object].load_racy();
        return rest();
      case 1:
        stage.variables[object].store_racy(seen % 7 + 1);
        return rest();
      case 2: {
        if (stage.mutexes[object].held()) return rest();
        const MutexGuard guard(stage.mutexes[object]);
        return rest();
      }
      case 3: {
        const MutexGuard guard(stage.mutexes[2 + object]);
        seen = seen * 3 + stage.variables[object].load_racy();
      }
        return rest();
      case 4: {
        if (stage.rwsems[object].held_exclusive()) return rest();
        const ReadGuard guard(stage.rwsems[object]);
        return rest();
      }
      case 5: {
        if (stage.rwsems[object].held_shared()) return rest();
        if (stage.rwsems[object].held_exclusive()) return rest();
        const WriteGuard guard(stage.rwsems[object]);
        return rest();
      }
      case 6:
        if (stage.mutexes[object].held() || !stage.mutexes[object].mutex_trylock()) {
          seen += 1;
          return rest();
        } else {
          const MutexGuard guard(stage.mutexes[object], kAdoptLock);
          return rest();
        }
      case 7:
        stage.events[object].wait_event([&] { return stage.variables[10 + object].load() != 0; });
        return rest();
      case 8:
        stage.variables[10 + object].store(1);
        stage.events[object].WakeAll();
        return rest();
      case 9: {  // I/O: the bit is unlocked by its completion
        stage.bits[object].lock();
        stage.bits[object].hand_over();
        stage.world.At(
            stage.world.now() + 1'000, stage.bits[object].object(),
            [](void* self, uint64_t bit) {
              auto& on = *static_cast<Stage*>(self);
              on.variables[20 + static_cast<int>(bit)].store(1);
              on.bits[static_cast<int>(bit)].unlock();
            },
            &stage, static_cast<uint64_t>(object));
        return rest();
      }
      default:
        FAIL();
    }
  }

  Program program() const {
    Program program;
    for (size_t i = 0; i < threads.size(); ++i) {
      program.push_back([this, i](Stage& stage) {
        int seen = 0;
        Run(stage, threads[i], 0, seen);
        stage.variables[30 + static_cast<int>(i)].init(seen);
      });
    }
    return program;
  }
};

inline std::string Describe(const RandomProgram& program) {
  std::string text;
  for (const auto& thread : program.threads) {
    for (const auto& op : thread) absl::StrAppend(&text, op.kind, "/", op.object, " ");
    text += "| ";
  }
  return text;
}

// Programs of more threads: what a bound on preemptions is for.
inline RandomProgram LargerProgram(uint64_t seed, int kinds) {
  RandomStream random(seed, "larger program");
  std::vector<std::vector<RandomProgram::Op>> threads(3 + random.UniformBelow(2));
  for (auto& ops : threads) {
    ops.resize(1 + random.UniformBelow(threads.size() == 3 ? 4 : 3));
    for (RandomProgram::Op& op : ops) {
      op = {static_cast<int>(random.UniformBelow(static_cast<uint64_t>(kinds))),
            static_cast<int>(random.UniformBelow(2))};
    }
  }
  return RandomProgram(std::move(threads));
}

}  // namespace sim
