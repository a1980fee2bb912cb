// One validator over all executions, and several over consecutive parts of them, merged.

#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "sim/lockdep/proc.h"
#include "sim/lockdep/validator.h"

namespace sim {
namespace {

constexpr FrameSite kOuter{"ext4_truncate", {"truncate.cc", 10}};
constexpr FrameSite kInner{"ext4_ext_truncate", {"extents.cc", 20}};

// A random execution, the same for the same number.
void Execute(Validator& validator, uint64_t number) {
  std::mt19937_64 random(number);
  StackTable stacks;
  const StackId outer = stacks.Push(StackTable::kEmpty, &kOuter);
  const StackId inner = stacks.Push(outer, &kInner);
  HeldLocks held(TaskId{static_cast<uint32_t>(number % 3)}, "task", &stacks);
  validator.set_execution(number);
  for (uint64_t step = 0; step < 12; ++step) {
    const uint64_t name = random() % 6;
    const LockClassId id = validator.Class("lock " + std::to_string(name), kSpinLock);
    const Here here{random() % 2 == 0 ? outer : inner, {"story.cc", static_cast<int>(step)}, step};
    switch (random() % 6) {
      case 0:
        validator.Release(held, id, name, here);
        break;
      case 1:
        validator.SetIrqState(
            held, {.in_hardirq = random() % 4 == 0, .hardirqs_on = random() % 2 == 0}, here);
        break;
      default:
        validator.Acquire(held, {.lock_class = id,
                                 .subclass = static_cast<uint32_t>(random() % 2),
                                 .read = static_cast<ReadMode>(random() % 3),
                                 .trylock = random() % 4 == 0,
                                 .instance = name,
                                 .at = here});
    }
  }
  validator.CheckNoneHeld(held, {});
}

std::string Everything(const Validator& validator) {
  std::string text = RenderLockdepStats(validator) + RenderLockdepClasses(validator) +
                     RenderLockdepChains(validator);
  for (const LockReport& report : validator.reports()) {
    text += RenderText(report) + ToJson(report).dump() + "\n";
  }
  for (const LockReport& cycle : validator.Cycles({.length = 4}).cycles) {
    text += ToJson(cycle).dump() + "\n";
  }
  return text;
}

TEST(MergeTest, AnySplitGivesTheSame) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    Validator whole, first, second, third;
    for (uint64_t i = 0; i < 12; ++i) {
      const uint64_t number = seed * 100 + i;
      Execute(whole, number);
      Execute(i < 3 ? first : i < 8 ? second : third, number);
    }
    Validator merged;
    merged.Merge(first);
    merged.Merge(second);
    merged.Merge(third);
    ASSERT_EQ(Everything(merged), Everything(whole)) << "seed " << seed;
    ASSERT_GT(whole.reports().size(), 5u);
  }
}

TEST(MergeTest, MergedValidatorGoesOnAsIfItHadSeenAll) {
  Validator whole, merged;
  {
    Validator part;
    Execute(whole, 1);
    Execute(part, 1);
    merged.Merge(part);
  }
  for (uint64_t number = 2; number < 10; ++number) {
    Execute(whole, number);
    Execute(merged, number);
  }
  EXPECT_EQ(Everything(merged), Everything(whole));
}

// Takes the locks, each inside the one before.
void Nest(Validator& validator, const std::vector<const char*>& names, bool hardirqs_on) {
  HeldLocks held;
  validator.SetIrqState(held, {.hardirqs_on = hardirqs_on}, {});
  for (const char* name : names) {
    const LockClassId id = validator.Class(name, kSpinLock);
    validator.Acquire(held, {.lock_class = id, .instance = id.value + 1u});
  }
}

TEST(MergeTest, ReportAskedForLateIsTheOneOfThen) {
  Validator asked, late;
  for (Validator* validator : {&asked, &late}) {
    Nest(*validator, {"A", "B"}, false);
    Nest(*validator, {"B", "C"}, false);
    Nest(*validator, {"C", "A"}, false);
  }
  ASSERT_EQ(asked.reports().size(), 1u);
  const std::string then = RenderText(asked.reports()[0]);
  for (Validator* validator : {&asked, &late}) {
    Nest(*validator, {"B"}, true);
    Nest(*validator, {"A", "C"}, false);
  }
  ASSERT_EQ(late.reports().size(), 2u);
  EXPECT_EQ(RenderText(late.reports()[0]), then);
  EXPECT_EQ(Everything(late), Everything(asked));
}

}  // namespace
}  // namespace sim
