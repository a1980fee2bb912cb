// Cycles whose waits never meet on the same locks, against all orders of small random programs: a
// deadlock of such an order has never all waits of a cycle that was said to be apart.

#include "model/program/lock_instances.h"

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace model {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kInstances = 2;

// Arrays of locks, and threads that lock and unlock.
class Program {
 public:
  explicit Program(std::vector<std::string> classes) {
    for (const std::string& name : classes) {
      for (uint64_t i = 0; i < kInstances; ++i) {
        program.locks.push_back({.name = name, .lock_class = name, .number = i});
      }
    }
  }
  void AddThread() { program.threads.emplace_back(); }
  void Do(Opcode op, uint32_t lock) {
    Instruction& code = program.threads.back().code.emplace_back();
    code.op = op;
    code.first = lock / kInstances * kInstances;
    code.count = kInstances;
    code.index = Expression(lock % kInstances);
  }
  // Takes the locks, one inside the other, and gives them back.
  void Nest(const std::vector<uint32_t>& locks) {
    for (const uint32_t lock : locks) Do(Opcode::kLock, lock);
    for (auto lock = locks.rbegin(); lock != locks.rend(); ++lock) Do(Opcode::kUnlock, *lock);
  }

  LockProgram program;
};

using Wait = LockInstances::Wait;

// Goes through all orders, and keeps the waits, as classes, of each circle of tasks that it meets.
class Oracle {
 public:
  explicit Oracle(const LockProgram& program)
      : program_(program), at_(program.threads.size(), 0), owner_(program.locks.size(), -1) {
    Walk();
  }
  const std::set<std::set<Wait>>& deadlocks() const { return deadlocks_; }
  const std::set<Wait>& waits() const { return waits_; }

 private:
  static uint32_t LockOf(const Instruction& code) {
    return code.first + static_cast<uint32_t>(code.index.Value({}));
  }
  const Instruction* Next(size_t thread) const {
    const auto& code = program_.threads[thread].code;
    return at_[thread] < code.size() ? &code[at_[thread]] : nullptr;
  }
  const std::string& ClassOf(uint32_t lock) const { return program_.locks[lock].lock_class; }
  // Whose lock the thread waits for; -1: it does not wait.
  int WaitsFor(size_t thread) const {
    const Instruction* const code = Next(thread);
    return code != nullptr && code->op == Opcode::kLock ? owner_[LockOf(*code)] : -1;
  }

  void Walk() {
    if (!seen_.insert(at_).second) return;
    for (size_t thread = 0; thread < at_.size(); ++thread) FollowCircle(thread);
    for (size_t thread = 0; thread < at_.size(); ++thread) {
      const Instruction* const code = Next(thread);
      if (code == nullptr) continue;
      NoteWaits(thread, *code);
      if (WaitsFor(thread) >= 0) continue;
      int& owner = owner_[LockOf(*code)];
      const int before = owner;
      owner = code->op == Opcode::kLock ? static_cast<int>(thread) : -1;
      ++at_[thread];
      Walk();
      --at_[thread];
      owner = before;
    }
  }
  void NoteWaits(size_t thread, const Instruction& code) {
    if (code.op != Opcode::kLock) return;
    for (uint32_t held = 0; held < owner_.size(); ++held) {
      if (owner_[held] != static_cast<int>(thread)) continue;
      waits_.insert({ClassOf(held), ClassOf(LockOf(code))});
    }
  }
  void FollowCircle(size_t start) {
    std::set<Wait> waits;
    size_t at = start;
    uint32_t steps = 0;
    do {
      const int next = WaitsFor(at);
      if (next < 0 || ++steps > at_.size()) return;
      // The next one holds what this one wants, and waits for something itself.
      const Instruction* const wanted = Next(static_cast<size_t>(next));
      if (wanted == nullptr || WaitsFor(static_cast<size_t>(next)) < 0) return;
      waits.insert({ClassOf(LockOf(*Next(at))), ClassOf(LockOf(*wanted))});
      at = static_cast<size_t>(next);
    } while (at != start);
    deadlocks_.insert(waits);
  }

  const LockProgram& program_;
  std::vector<size_t> at_;  // by thread: its next instruction
  std::vector<int> owner_;  // by lock: the thread; -1: nobody
  std::set<std::vector<size_t>> seen_;
  std::set<std::set<Wait>> deadlocks_;
  std::set<Wait> waits_;
};

// All elementary cycles of classes among these waits, each from its least class.
std::vector<std::vector<Wait>> CyclesOf(const std::set<Wait>& waits) {
  std::vector<std::vector<Wait>> cycles;
  std::vector<Wait> path;
  const std::function<void()> extend = [&] {
    for (const Wait& wait : waits) {
      if (wait.first != path.back().second || wait.second < path.front().first) continue;
      const bool closes = wait.second == path.front().first;
      const bool again = std::any_of(path.begin(), path.end(),
                                     [&](const Wait& one) { return one.first == wait.second; });
      if (again && !closes) continue;
      path.push_back(wait);
      closes ? cycles.push_back(path) : extend();
      path.pop_back();
    }
  };
  for (const Wait& wait : waits) {
    if (wait.second <= wait.first) continue;
    path = {wait};
    extend();
  }
  return cycles;
}

TEST(LockInstancesTest, NoDeadlockHasTheWaitsOfACycleThatIsApart) {
  std::mt19937 random(1);
  int apart = 0, confirmed = 0;
  for (int round = 0; round < 1000; ++round) {
    Program random_program({"A", "B", "C"});
    for (uint32_t threads = 2 + random() % 3; threads > 0; --threads) {
      random_program.AddThread();
      for (uint32_t nests = 1 + random() % 2; nests > 0; --nests) {
        std::vector<uint32_t> locks = {0, 1, 2, 3, 4, 5};
        std::shuffle(locks.begin(), locks.end(), random);
        locks.resize(2 + random() % 2);
        random_program.Nest(locks);
      }
    }
    const LockInstances instances(random_program.program);
    const Oracle oracle(random_program.program);
    for (const std::vector<Wait>& cycle : CyclesOf(oracle.waits())) {
      const bool is_apart = !instances.WhyApart(cycle).empty();
      const bool deadlocks =
          std::any_of(oracle.deadlocks().begin(), oracle.deadlocks().end(), [&](const auto& waits) {
            return std::all_of(cycle.begin(), cycle.end(),
                               [&](const Wait& wait) { return waits.contains(wait); });
          });
      ASSERT_FALSE(is_apart && deadlocks) << "round " << round << ": " << cycle[0].first;
      apart += is_apart ? 1 : 0;
      confirmed += deadlocks ? 1 : 0;
    }
  }
  EXPECT_GT(apart, 300);
  EXPECT_GT(confirmed, 300);
}

TEST(LockInstancesTest, SaysWhichLocksTheWaitsAreFor) {
  Program program({"A", "B"});
  for (const std::vector<uint32_t>& order : {std::vector<uint32_t>{0, 2}, {3, 1}}) {
    program.AddThread();
    program.Nest(order);
  }
  EXPECT_EQ(LockInstances(program.program).WhyApart({{"A", "B"}, {"B", "A"}}),
            "in this scenario they are never the same locks: A[0] --> B[0]; B[1] --> A[1]");
}

// a0 b0 c0 a1 b1 a0: no cycle of classes is closed by itself.
TEST(LockInstancesTest, ACircleThatGoesRoundTwiceIsSeen) {
  Program program({"A", "B", "C"});
  for (const std::vector<uint32_t>& order :
       {std::vector<uint32_t>{0, 2}, {2, 4}, {4, 1}, {1, 3}, {3, 0}}) {
    program.AddThread();
    program.Nest(order);
  }
  const LockInstances instances(program.program);
  EXPECT_THAT(instances.WhyApart({{"A", "B"}, {"B", "A"}}), IsEmpty());
  EXPECT_THAT(instances.WhyApart({{"A", "B"}, {"B", "C"}, {"C", "A"}}), IsEmpty());
}

// The one thread's locks depend on a register, or it waits for something else meanwhile, or unlocks
// what another has taken: then anything may be.
TEST(LockInstancesTest, NothingIsSaidOfWhatIsNotKnown) {
  const auto why = [](const std::function<void(LockProgram&)>& change) {
    Program program({"A", "B"});
    for (const std::vector<uint32_t>& order : {std::vector<uint32_t>{0, 2}, {3, 1}}) {
      program.AddThread();
      program.Nest(order);
    }
    change(program.program);
    return LockInstances(program.program).WhyApart({{"A", "B"}, {"B", "A"}});
  };
  EXPECT_THAT(why([](LockProgram&) {}), HasSubstr("never the same locks"));
  const auto index = [](const char* text, int number) {
    return *Expression::Parse(text, [=](std::string_view) { return number; });
  };
  EXPECT_THAT(why([&](LockProgram& program) {
                for (Instruction& code : program.threads[0].code) code.index = index("i % 2", 1);
              }),
              IsEmpty());
  EXPECT_THAT(why([&](LockProgram& program) {
                for (Instruction& code : program.threads[0].code) code.index = index("me % 2", 0);
              }),
              HasSubstr("never the same locks"));
  EXPECT_THAT(
      why([](LockProgram& program) { program.threads[0].code.push_back({.op = Opcode::kWait}); }),
      IsEmpty());
  EXPECT_THAT(why([](LockProgram& program) {
                program.threads[0].code.push_back({.op = Opcode::kUnlock, .count = 2});
              }),
              IsEmpty());
}

}  // namespace
}  // namespace model
