#include "sim/engine/fiber.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace sim {
namespace {

using testing::ElementsAre;

class FiberTest : public testing::Test {
 protected:
  // A fiber that logs and switches back to main between its lines.
  struct Talker {
    FiberTest& test;
    std::vector<std::string> lines;
    Fiber fiber;
  };
  // Gives the stack back as well.
  struct Leave {
    StackPool& pool;
    void operator()(Talker* talker) const {
      talker->~Talker();
      pool.Release(reinterpret_cast<std::byte*>(talker));
    }
  };
  using TalkerPtr = std::unique_ptr<Talker, Leave>;

  TalkerPtr NewTalker(std::vector<std::string> lines) {
    std::byte* const owner = pool_.Acquire();
    auto* const talker =
        new (owner) Talker{*this, std::move(lines), Fiber(owner, &FiberTest::Talk)};
    return TalkerPtr(talker, Leave{pool_});
  }

  void SwitchTo(Talker& talker) { main_.SwitchTo(talker.fiber); }

  static void Talk(void* owner) {
    Talker& self = *static_cast<Talker*>(owner);
    EXPECT_EQ(Fiber::RunningOwner(), owner);
    bool unwound = false;
    try {
      for (const std::string& line : self.lines) {
        self.test.log_.push_back(line);
        self.fiber.SwitchTo(self.test.main_);
      }
    } catch (const FiberUnwind&) {
      unwound = true;
    }
    self.test.log_.push_back(unwound ? "unwound" : "end");
    self.fiber.SwitchAwayForever(self.test.main_);
  }

  StackPool pool_;
  Fiber main_;
  std::vector<std::string> log_;
};

TEST_F(FiberTest, FibersGoOnWhereTheyStopped) {
  const auto a = NewTalker({"a1", "a2"});
  const auto b = NewTalker({"b1"});
  SwitchTo(*a);
  SwitchTo(*b);
  SwitchTo(*a);
  SwitchTo(*b);
  SwitchTo(*a);
  EXPECT_THAT(log_, ElementsAre("a1", "b1", "a2", "end", "end"));
}

TEST_F(FiberTest, SuspendedFiberIsUnwoundOnDemand) {
  const auto a = NewTalker({"a1", "a2"});
  SwitchTo(*a);
  a->fiber.UnwindFrom(main_);
  EXPECT_THAT(log_, ElementsAre("a1", "unwound"));
}

TEST_F(FiberTest, FiberThatNeverRanIsDropped) {
  const auto a = NewTalker({"a1"});
  EXPECT_THAT(log_, ElementsAre());
}

TEST_F(FiberTest, StacksAreReused) {
  std::byte* const first = pool_.Acquire();
  pool_.Release(first);
  EXPECT_EQ(pool_.Acquire(), first);
}

TEST_F(FiberTest, StacksAreStaggered) {
  std::set<uintptr_t> offsets;
  for (int i = 0; i < 16; ++i) {
    const auto owner = reinterpret_cast<uintptr_t>(pool_.Acquire());
    EXPECT_EQ(owner % 64, 0u);
    EXPECT_GE(owner % kSlotBytes, kSlotBytes / 2 - kOwnerBytes);
    offsets.insert(owner % kSlotBytes);
  }
  EXPECT_EQ(offsets.size(), 16u);
}

// Frames of the next owner lie where redzones of the last one's were.
TEST_F(FiberTest, ReusedStackIsAllUsable) {
  for (int round = 0; round < 3; ++round) {
    const auto a = NewTalker({"a1", "a2"});
    SwitchTo(*a);
    a->fiber.UnwindFrom(main_);
  }
  std::byte* const owner = pool_.Acquire();
  std::fill(owner - kSlotBytes / 4, owner + kOwnerBytes, std::byte{1});
  pool_.Release(owner);
}

TEST_F(FiberTest, ManyFibersHaveStacksOfTheirOwn) {
  std::vector<TalkerPtr> talkers;
  std::vector<std::string> expected;
  for (int i = 0; i < 100; ++i) {
    expected.push_back(std::to_string(i));
    talkers.push_back(NewTalker({expected.back()}));
  }
  for (const auto& talker : talkers) SwitchTo(*talker);
  EXPECT_EQ(log_, expected);
  for (const auto& talker : talkers) SwitchTo(*talker);
  EXPECT_EQ(log_.size(), 200u);
}

}  // namespace
}  // namespace sim
