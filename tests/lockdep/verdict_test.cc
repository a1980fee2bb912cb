#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/lockdep/lock_story.h"

namespace sim {
namespace {

using ::testing::ElementsAre;

class VerdictTest : public ::testing::Test, protected LockStory {
 protected:
  // Classes of which there is but one lock.
  void Unique(const std::string& name) {
    validator.Class(name, {.inner = WaitType::kSleep, .unique = true});
  }
  void Daemon(const std::string& task) { Task(task).set_unique_task(); }
  // A line for each cycle.
  std::vector<std::string> Verdicts() const {
    std::vector<std::string> verdicts;
    for (const LockReport& report : validator.Cycles().cycles) {
      const std::string message = Message(report);
      const size_t length = std::string(Headline(report) + ": ").size();
      verdicts.push_back(message.substr(length) + ": " + VerdictName(report.cycle.verdict));
      if (!report.cycle.why.empty()) whys.push_back(report.cycle.why);
    }
    return verdicts;
  }
  mutable std::vector<std::string> whys;
};

TEST_F(VerdictTest, CommonOuterLockGuards) {
  Unique("gate");
  Nest("one", {"gate", "A", "B"});
  Nest("two", {"gate", "B", "A"});
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> A: guarded"));
  EXPECT_THAT(whys, ElementsAre("B --> A and A --> B are only ever waited for under gate"));
}

TEST_F(VerdictTest, LockOfWhichThereAreManyDoesNotGuard) {
  Nest("one", {"gate", "A", "B"});
  Nest("two", {"gate", "B", "A"});
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> A: possible"));
}

TEST_F(VerdictTest, ReadersDoNotGuardAgainstEachOther) {
  Unique("gate");
  for (const auto& order : {std::vector<std::string>{"A", "B"}, {"B", "A"}}) {
    Take("task", "gate", ReadMode::kShared);
    Nest("task", order);
    Drop("task", "gate");
  }
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> A: possible"));
}

TEST_F(VerdictTest, ReaderAndWriterGuard) {
  Unique("gate");
  Take("reader", "gate", ReadMode::kShared);
  Nest("reader", {"A", "B"});
  Nest("writer", {"gate", "B", "A"});
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> A: guarded"));
}

TEST_F(VerdictTest, OneSightingWithoutTheGuardIsEnough) {
  Unique("gate");
  Nest("one", {"gate", "A", "B"});
  Nest("two", {"gate", "B", "A"});
  Nest("three", {"A", "B"});
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> A: possible"));
}

// One holds A and has given the gate up when it comes to wait for B.
TEST_F(VerdictTest, GateGivenUpInBetweenDoesNotGuard) {
  Unique("gate");
  Take("one", "gate");
  Take("one", "A");
  Take("one", "C");
  Drop("one", "gate");
  Take("one", "B");
  Nest("two", {"gate", "B", "A"});
  EXPECT_THAT(Verdicts(), testing::Contains("A --> C --> B --> A: possible"));
}

// The gate covers two of three waits, but one task may do both: then only the third is another's.
TEST_F(VerdictTest, GateAroundOneTaskDoesNotGuard) {
  Unique("gate");
  Nest("one", {"gate", "A", "B", "C"});
  Nest("two", {"C", "A"});
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> C --> A: possible"));
}

TEST_F(VerdictTest, GateAroundTwoTasksOfThreeGuards) {
  Unique("gate");
  Nest("one", {"gate", "A", "B"});
  Nest("two", {"gate", "B", "C"});
  Nest("three", {"C", "A"});
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> C --> A: guarded"));
}

TEST_F(VerdictTest, OneDaemonCannotMeetItself) {
  Daemon("kjournald");
  Nest("kjournald", {"A", "B"});
  Nest("kjournald", {"B", "A"});
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> A: same task only"));
  EXPECT_THAT(whys, ElementsAre("B --> A and A --> B are only ever waited for by kjournald"));
}

TEST_F(VerdictTest, AnotherTaskMeetsTheDaemon) {
  Daemon("kjournald");
  Nest("kjournald", {"A", "B"});
  Nest("kjournald", {"B", "A"});
  Nest("writer", {"A", "B"});  // a chain that has been seen already
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> A: possible"));
}

TEST_F(VerdictTest, TasksThatAreNotUniqueMeetEachOther) {
  Nest("writer", {"A", "B"});
  Nest("writer", {"B", "A"});
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> A: possible"));
}

TEST_F(VerdictTest, TwoDaemonsOfOneNameMeetEachOther) {
  Daemon("kworker");
  Nest("kworker", {"A", "B"});
  Nest("kworker", {"B", "A"});
  validator.RevokeUniqueTask("kworker");
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> A: possible"));
}

// It may come on another processor, on which nobody holds the gate.
TEST_F(VerdictTest, GateOfTheInterruptedTaskDoesNotGuard) {
  traits = kSpinLock;
  validator.Class("gate", sim::Unique(kSpinLock));
  Take("one", "gate");
  validator.SetIrqState(Task("one"), {.in_hardirq = true, .hardirqs_on = false}, {});
  Nest("one", {"A", "B"});
  validator.SetIrqState(Task("one"), {}, {});
  Drop("one", "gate");
  Nest("two", {"gate", "B", "A"});
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> A: possible"));
}

TEST_F(VerdictTest, GateThatBecomesSharedDoesNotGuardAgainstReaders) {
  Unique("gate");
  Take("one", "gate");
  Take("one", "A");
  Take("one", "B");
  validator.Downgrade(Task("one"), Instance("gate"));
  Take("one", "C");
  Take("two", "gate", ReadMode::kShared);
  Nest("two", {"C", "A"});
  EXPECT_THAT(Verdicts(), testing::Contains("A --> B --> C --> A: possible"));
}

// Records do not say what else was held.
TEST_F(VerdictTest, OrderKnownFromARecordIsNotGuarded) {
  Unique("gate");
  Nest("one", {"gate", "A", "B"});
  Nest("two", {"gate", "B", "A"});
  validator.KnowDependency(Lock("A"), Lock("B"), "/proc/lockdep");
  EXPECT_THAT(Verdicts(), ElementsAre("A --> B --> A: possible"));
}

TEST_F(VerdictTest, AllCyclesAreListedShortestFirst) {
  Nest("one", {"A", "B", "C"});
  Nest("two", {"C", "A"});
  Nest("three", {"C", "B"});
  EXPECT_THAT(Verdicts(), ElementsAre("B --> C --> B: possible", "A --> B --> C --> A: possible"));
}

// The oracle: random programs, each run once alone under a validator; then a few copies of them,
// with every choice of instances and in every interleaving. Classes 0 and 1 are unique, the others
// have two locks each; program 0 is a daemon, of which there is one copy at most.
constexpr uint32_t kClasses = 5;
constexpr uint32_t kUnique = 2;

struct Op {
  enum class Kind { kTake, kTry, kDowngrade, kDrop } kind = Kind::kTake;
  uint32_t lock_class = 0;
  ReadMode read = ReadMode::kExclusive;  // as which it is held from then on

  bool takes() const { return kind == Kind::kTake || kind == Kind::kTry; }
};
using Program = std::vector<Op>;

// What random programs are like.
struct Shape {
  int programs = 3;
  int steps = 7;
  uint32_t plain = 2;  // of four acquisitions, how many wait for an exclusive hold at least
  bool gate = false;   // a gate is taken first
};

Op TakeOf(uint32_t lock_class, uint32_t plain, std::mt19937& random) {
  if (random() % 4 < plain) return {Op::Kind::kTake, lock_class, ReadMode::kExclusive};
  constexpr ReadMode kModes[] = {ReadMode::kExclusive, ReadMode::kShared,
                                 ReadMode::kSharedRecursive};
  return {random() % 3 == 0 ? Op::Kind::kTry : Op::Kind::kTake, lock_class, kModes[random() % 3]};
}

Program MakeProgram(const Shape& shape, std::mt19937& random) {
  Program program;
  std::vector<Op> held;
  if (shape.gate) held.push_back(program.emplace_back(TakeOf(0, shape.plain, random)));
  for (int step = 0; step < shape.steps; ++step) {
    const auto lock_class = static_cast<uint32_t>(random() % kClasses);
    const auto at = std::find_if(held.begin(), held.end(),
                                 [&](const Op& op) { return op.lock_class == lock_class; });
    if (at == held.end()) {
      held.push_back(program.emplace_back(TakeOf(lock_class, shape.plain, random)));
    } else if (at->read == ReadMode::kExclusive && random() % 3 == 0) {
      at->read = ReadMode::kShared;
      program.push_back({Op::Kind::kDowngrade, lock_class, ReadMode::kShared});
    } else if (random() % 2 == 0 || at + 1 == held.end()) {
      program.push_back({Op::Kind::kDrop, lock_class});
      held.erase(at);
    }
  }
  for (; !held.empty(); held.pop_back()) {
    program.push_back({Op::Kind::kDrop, held.back().lock_class});
  }
  return program;
}

// Copies of programs, each with its choice of instances: a bit for each class.
class World {
 public:
  struct Copy {
    const Program* program = nullptr;
    uint32_t instances = 0;
  };
  explicit World(std::vector<Copy> copies) : copies_(std::move(copies)) {}

  // Calls `found` with the classes held by those who wait for each other, for each deadlock.
  void Explore(const std::function<void(const std::set<uint32_t>&)>& found) {
    std::vector<size_t> at(copies_.size(), 0);
    Visit(at, found);
  }

 private:
  void Visit(const std::vector<size_t>& at,
             const std::function<void(const std::set<uint32_t>&)>& found) {
    if (!seen_.insert(at).second) return;
    std::vector<std::set<size_t>> waits_for(at.size());
    for (size_t i = 0; i < at.size(); ++i) {
      if (at[i] == copies_[i].program->size()) continue;
      const Op& op = (*copies_[i].program)[at[i]];
      waits_for[i] = Blockers(at, i);
      if (op.kind == Op::Kind::kTry && !waits_for[i].empty()) {
        waits_for[i].clear();  // gives up, and never goes on
        continue;
      }
      if (!waits_for[i].empty()) continue;
      std::vector<size_t> next = at;
      ++next[i];
      Visit(next, found);
    }
    AddQueuedWriters(at, waits_for);
    ReportStuck(at, waits_for, found);
  }

  // A reader may have come after a writer that waits for others.
  void AddQueuedWriters(const std::vector<size_t>& at,
                        std::vector<std::set<size_t>>& waits_for) const {
    const std::vector<std::set<size_t>> blocked = waits_for;
    const auto next = [&](size_t copy) -> const Op* {
      return at[copy] == copies_[copy].program->size() ? nullptr
                                                       : &(*copies_[copy].program)[at[copy]];
    };
    for (size_t reader = 0; reader < at.size(); ++reader) {
      const Op* op = next(reader);
      if (op == nullptr || op->kind != Op::Kind::kTake || op->read != ReadMode::kShared) continue;
      for (size_t writer = 0; writer < at.size(); ++writer) {
        if (blocked[writer].empty() || next(writer)->read != ReadMode::kExclusive) continue;
        if (LockOf(writer, *next(writer)) == LockOf(reader, *op)) waits_for[reader].insert(writer);
      }
    }
  }

  uint32_t LockOf(size_t copy, const Op& op) const {
    const uint32_t bit = op.lock_class < kUnique ? 0 : copies_[copy].instances >> op.lock_class & 1;
    return 2 * op.lock_class + bit;
  }
  // Null: does not hold it.
  const Op* Hold(const std::vector<size_t>& at, size_t copy, uint32_t lock) const {
    const Op* hold = nullptr;
    for (size_t i = 0; i < at[copy]; ++i) {
      const Op& op = (*copies_[copy].program)[i];
      if (LockOf(copy, op) == lock) hold = op.kind != Op::Kind::kDrop ? &op : nullptr;
    }
    return hold;
  }
  std::set<size_t> Blockers(const std::vector<size_t>& at, size_t copy) const {
    std::set<size_t> blockers;
    const Op& op = (*copies_[copy].program)[at[copy]];
    if (!op.takes()) return blockers;
    for (size_t other = 0; other < at.size(); ++other) {
      if (other == copy) continue;
      const Op* hold = Hold(at, other, LockOf(copy, op));
      if (hold == nullptr) continue;
      if (hold->read == ReadMode::kExclusive || op.read == ReadMode::kExclusive) {
        blockers.insert(other);
      }
    }
    return blockers;
  }

  // Those who wait for somebody who, in some number of steps, waits for them.
  void ReportStuck(const std::vector<size_t>& at, std::vector<std::set<size_t>> reach,
                   const std::function<void(const std::set<uint32_t>&)>& found) const {
    for (size_t round = 0; round < reach.size(); ++round) {
      for (std::set<size_t>& from : reach) {
        for (size_t via : std::set<size_t>(from)) from.insert(reach[via].begin(), reach[via].end());
      }
    }
    for (size_t i = 0; i < at.size(); ++i) {
      if (!reach[i].contains(i)) continue;
      std::set<uint32_t> classes;
      for (size_t j : reach[i]) {
        if (!reach[j].contains(i)) continue;
        for (const Op& op : *copies_[j].program) {
          if (op.takes() && Hold(at, j, LockOf(j, op)) != nullptr) classes.insert(op.lock_class);
        }
      }
      found(classes);
    }
  }

  std::vector<Copy> copies_;
  std::set<std::vector<size_t>> seen_;
};

std::string NameOf(uint32_t lock_class) {
  return std::string(1, static_cast<char>('A' + lock_class));
}

void RunAlone(Validator& validator, const Program& program, bool daemon) {
  HeldLocks held({}, daemon ? "daemon" : "task");
  if (daemon) held.set_unique_task();
  for (const Op& op : program) {
    const LockClassId id = validator.Class(
        NameOf(op.lock_class), {.inner = WaitType::kSleep, .unique = op.lock_class < kUnique});
    const uint64_t instance = op.lock_class + 1;
    switch (op.kind) {
      case Op::Kind::kTake:
      case Op::Kind::kTry:
        validator.Acquire(held, {.lock_class = id,
                                 .read = op.read,
                                 .trylock = op.kind == Op::Kind::kTry,
                                 .instance = instance});
        break;
      case Op::Kind::kDowngrade:
        validator.Downgrade(held, instance);
        break;
      case Op::Kind::kDrop:
        validator.Release(held, id, instance, {});
        break;
    }
  }
}

// Wherever copies of programs can deadlock, a possible cycle lies among the locks that they hold.
class VerdictOracleTest : public testing::Test {
 protected:
  void Rounds(uint32_t count, const Shape& shape) {
    for (uint32_t round = 0; round < count; ++round) {
      SCOPED_TRACE(round);
      std::mt19937 random(round);
      std::vector<Program> programs;
      for (int i = 0; i < shape.programs; ++i) programs.push_back(MakeProgram(shape, random));
      Round(programs, random);
      if (HasFatalFailure()) return;
    }
  }

  int deadlocks_ = 0, excluded_ = 0, all_excluded_ = 0;  // rounds, cycles, rounds

 private:
  using Classes = std::set<uint32_t>;

  void Round(const std::vector<Program>& programs, std::mt19937& random) {
    Validator validator;
    for (const Program& program : programs) {
      RunAlone(validator, program, &program == &programs[0]);
    }
    const auto cycles = validator.Cycles().cycles;
    if (cycles.empty()) return;
    const std::vector<Classes> possible = Possible(cycles);
    excluded_ += static_cast<int>(cycles.size() - possible.size());
    all_excluded_ += possible.empty() ? 1 : 0;
    bool deadlock = false;
    for (int trial = 0; trial < 12; ++trial) {
      World(SomeCopies(programs, random)).Explore([&](const Classes& held) {
        deadlock = true;
        ASSERT_TRUE(std::any_of(possible.begin(), possible.end(), [&](const Classes& cycle) {
          return std::includes(held.begin(), held.end(), cycle.begin(), cycle.end());
        }));
      });
      if (HasFatalFailure()) return;
    }
    deadlocks_ += deadlock ? 1 : 0;
  }

  static std::vector<Classes> Possible(const std::vector<LockReport>& cycles) {
    std::vector<Classes> possible;
    for (const LockReport& report : cycles) {
      if (report.cycle.verdict != CycleVerdict::kPossible) continue;
      Classes& classes = possible.emplace_back();
      for (const LockEdge& edge : report.cycle.edges) {
        classes.insert(static_cast<uint32_t>(edge.held.lock.name[0] - 'A'));
      }
    }
    return possible;
  }

  static std::vector<World::Copy> SomeCopies(const std::vector<Program>& programs,
                                             std::mt19937& random) {
    std::vector<World::Copy> copies;
    bool has_daemon = false;
    for (int i = 0; i < 3; ++i) {
      const size_t first = has_daemon ? 1 : 0;
      const size_t program = first + random() % (programs.size() - first);
      has_daemon = has_daemon || program == 0;
      copies.push_back({&programs[program], static_cast<uint32_t>(random() % 32)});
    }
    return copies;
  }
};

TEST_F(VerdictOracleTest, NoDeadlockOfLongProgramsHidesBehindAVerdict) {
  Rounds(300, {});
  EXPECT_GT(deadlocks_, 100);
  EXPECT_GT(excluded_, 20);
}

// Few locks and a gate: nearly all that is there is excluded, so little hides a wrong exclusion.
TEST_F(VerdictOracleTest, NoDeadlockOfShortProgramsHidesBehindAVerdict) {
  Rounds(1500, {.programs = 3, .steps = 4, .plain = 3, .gate = true});
  EXPECT_GT(deadlocks_, 100);
  EXPECT_GT(excluded_, 200);
  EXPECT_GT(all_excluded_, 40);
}

}  // namespace
}  // namespace sim
