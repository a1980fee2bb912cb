// The race checker against a naive one: random programs, of which the order is computed as the
// transitive closure of what the programs themselves say that they did.
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/engine/random.h"
#include "sim/engine/shared.h"
#include "sim/explore/random.h"
#include "sim/locking/bit_lock.h"
#include "sim/locking/mutex.h"
#include "sim/locking/rwsem.h"
#include "sim/locking/spinlock.h"
#include "sim/locking/workqueue.h"
#include "sim/race/race_checker.h"

namespace sim {
namespace {

// What a program did, step by step, and which fields were raced on.
class Oracle {
 public:
  enum class Kind { kRelease, kAcquire, kRead, kWrite };

  // Events are contexts from kFirstEvent on.
  static constexpr int kFirstEvent = 1000;

  void Log(int context, Kind kind, int object, bool exclusive = true) {
    steps_.push_back({context, kind, object, exclusive});
  }

  std::set<int> RacedFields(const std::vector<Sharing>& sharing) const {
    const std::vector<std::vector<bool>> before = Closure();
    std::set<int> raced;
    for (size_t b = 0; b < steps_.size(); ++b) {
      for (size_t a = 0; a < b; ++a) {
        if (!before[b][a] && IsConflict(steps_[a], steps_[b], sharing)) {
          raced.insert(steps_[a].object);
        }
      }
    }
    return raced;
  }

 private:
  struct Step {
    int context;
    Kind kind;
    int object;
    bool exclusive;
  };

  static bool IsAccess(const Step& step) {
    return step.kind == Kind::kRead || step.kind == Kind::kWrite;
  }
  static bool IsConflict(const Step& a, const Step& b, const std::vector<Sharing>& sharing) {
    if (!IsAccess(a) || !IsAccess(b) || a.object != b.object) return false;
    const int writes = (a.kind == Kind::kWrite ? 1 : 0) + (b.kind == Kind::kWrite ? 1 : 0);
    switch (sharing[static_cast<size_t>(a.object)]) {
      case Sharing::kPlain:
        return writes > 0;
      case Sharing::kLocklessReads:
        return writes == 2;
      default:
        return false;
    }
  }
  static bool IsEdge(const Step& a, const Step& b) {
    if (a.context == b.context) return true;
    return a.kind == Kind::kRelease && b.kind == Kind::kAcquire && a.object == b.object &&
           (a.exclusive || b.exclusive);
  }
  // before[b][a]: a comes before b.
  std::vector<std::vector<bool>> Closure() const {
    std::vector<std::vector<bool>> before(steps_.size());
    for (size_t b = 0; b < steps_.size(); ++b) {
      before[b].assign(steps_.size(), false);
      for (size_t a = 0; a < b; ++a) {
        if (!IsEdge(steps_[a], steps_[b])) continue;
        before[b][a] = true;
        for (size_t i = 0; i < a; ++i) before[b][i] = before[b][i] || before[a][i];
      }
    }
    return before;
  }

  std::vector<Step> steps_;
};

// Names of what synchronises, in the oracle's log; fields have their numbers, from 0 on.
enum Object : int { kMutex = 100, kSpin, kRwSem, kBit, kQueue, kWork, kFieldSync, kEvent = 200 };

// One random program, in a world of its own.
class Program {
 public:
  explicit Program(uint64_t seed) : random_(seed, "program"), strategy_(seed) {
    const int fields = 3 + static_cast<int>(random_.UniformBelow(3));
    for (int i = 0; i < fields; ++i) {
      sharing_.push_back(static_cast<Sharing>(random_.OneIn(2) ? 0 : random_.UniformBelow(4)));
      names_.push_back(std::make_unique<std::string>("field" + std::to_string(i)));
      fields_.push_back(std::make_unique<Shared<int>>(
          world_, FieldType{names_.back()->c_str(), sharing_.back(), ""}, InstanceName{}, 0));
    }
    const uint64_t tasks = 2 + random_.UniformBelow(3);
    for (uint64_t i = 0; i < tasks; ++i) {
      const uint64_t steps = 3 + random_.UniformBelow(12);
      world_.Spawn("task" + std::to_string(i), TaskKind::kUser, [this, steps] {
        for (uint64_t step = 0; step < steps; ++step) Section();
      });
    }
  }

  void Run() { (void)world_.Run(); }
  std::set<int> Expected() const { return oracle_.RacedFields(sharing_); }
  std::set<int> Found() const {
    std::set<int> raced;
    for (const Finding& finding : world_.findings()) {
      EXPECT_EQ(finding.kind, "data_race") << finding.message;
      for (size_t i = 0; i < names_.size(); ++i) {
        if (finding.message.starts_with("data race on " + *names_[i] + ":")) {
          raced.insert(static_cast<int>(i));
        }
      }
    }
    return raced;
  }

 private:
  using Kind = Oracle::Kind;

  int Me() const {
    return world_.in_irq() ? event_ : static_cast<int>(world_.current().id().value);
  }
  void Log(Kind kind, int object, bool exclusive = true) {
    oracle_.Log(Me(), kind, object, exclusive);
  }

  void Accesses() {
    for (uint64_t n = random_.UniformBelow(3); n-- > 0;) {
      const auto field = static_cast<size_t>(random_.UniformBelow(fields_.size()));
      const bool ordered = sharing_[field] == Sharing::kOrdered;
      const int sync = kFieldSync + static_cast<int>(field);
      if (random_.OneIn(2)) {
        (void)fields_[field]->load();
        if (ordered) Log(Kind::kAcquire, sync);
        Log(Kind::kRead, static_cast<int>(field));
      } else {
        Log(Kind::kWrite, static_cast<int>(field));
        if (ordered) Log(Kind::kRelease, sync);
        fields_[field]->store(1);
      }
    }
  }

  void Section() {
    switch (random_.UniformBelow(9)) {
      case 0:
        mutex_.mutex_lock();
        Log(Kind::kAcquire, kMutex);
        Accesses();
        Log(Kind::kRelease, kMutex);
        mutex_.mutex_unlock();
        return;
      case 1:
        spin_.spin_lock_irqsave();
        Log(Kind::kAcquire, kSpin);
        Accesses();
        Log(Kind::kRelease, kSpin);
        spin_.spin_unlock_irqrestore();
        return;
      case 2:
        rwsem_.down_read();
        Log(Kind::kAcquire, kRwSem, false);
        Accesses();
        Log(Kind::kRelease, kRwSem, false);
        rwsem_.up_read();
        return;
      case 3:
        rwsem_.down_write();
        Log(Kind::kAcquire, kRwSem);
        Accesses();
        Log(Kind::kRelease, kRwSem);
        if (random_.OneIn(2)) {
          rwsem_.downgrade_write();
          Accesses();
          Log(Kind::kRelease, kRwSem, false);
          rwsem_.up_read();
        } else {
          rwsem_.up_write();
        }
        return;
      case 4:
        LockBitAndLeaveItToAnEvent();
        return;
      case 5:
        ++woken_;
        Log(Kind::kRelease, kQueue);
        queue_.WakeAll();
        return;
      case 6: {
        const int target = woken_ + static_cast<int>(random_.UniformBelow(2));
        queue_.wait_event([&] { return woken_ >= target; });
        Log(Kind::kAcquire, kQueue);
        return;
      }
      case 7:
        Log(Kind::kRelease, kWork);
        workqueue_.queue_work([this] {
          Log(Kind::kAcquire, kWork);
          Accesses();
        });
        return;
      default:
        world_.Step(step_, Access::kWrite);
        Accesses();
    }
  }

  void LockBitAndLeaveItToAnEvent() {
    bit_.lock();
    Log(Kind::kAcquire, kBit);
    Accesses();
    bit_.hand_over();
    Log(Kind::kRelease, kEvent + events_);
    world_.At(
        world_.now() + 1000, step_,
        [](void* self, uint64_t number) {
          static_cast<Program*>(self)->EndBit(static_cast<int>(number));
        },
        this, static_cast<uint64_t>(events_++));
  }
  void EndBit(int number) {
    event_ = Oracle::kFirstEvent + number;
    Log(Kind::kAcquire, kEvent + number);
    Accesses();
    Log(Kind::kRelease, kBit);
    bit_.unlock();
    Accesses();
  }

  RandomStream random_;
  RandomStrategy strategy_;
  StackPool pool_;
  StackTable stacks_;
  Validator validator_;
  World world_{{.max_turns = 10'000}, strategy_, pool_, stacks_};
  LockTracker tracker_{world_, validator_};
  GuardTable guards_;
  RaceChecker races_{world_, guards_};
  Oracle oracle_;
  std::vector<Sharing> sharing_;
  std::vector<std::unique_ptr<std::string>> names_;
  std::vector<std::unique_ptr<Shared<int>>> fields_;
  Mutex mutex_{world_, tracker_.Class("mutex"), {}};
  SpinLock spin_{world_, tracker_.Class("spin", kSpinLock), {}};
  RwSem rwsem_{world_, tracker_.Class("rwsem"), {}};
  BitLock bit_{world_, tracker_.Class("bit"), {}};
  WaitQueue queue_{world_, tracker_.Class("queue"), {}};
  Workqueue workqueue_{world_, "work", tracker_.Class("slot"), 2};
  ObjectId step_ = world_.NewObject();
  int woken_ = 0;
  int events_ = 0;
  int event_ = 0;
};

TEST(RaceDifferentialTest, FindsTheSameRacedFieldsAsTheTransitiveClosure) {
  int raced = 0;
  int clean = 0;
  for (uint64_t seed = 0; seed < 2000; ++seed) {
    Program program(seed);
    program.Run();
    const std::set<int> expected = program.Expected();
    ASSERT_EQ(program.Found(), expected) << "seed " << seed;
    (expected.empty() ? clean : raced) += 1;
  }
  EXPECT_GT(raced, 100);
  EXPECT_GT(clean, 100);
}

}  // namespace
}  // namespace sim
