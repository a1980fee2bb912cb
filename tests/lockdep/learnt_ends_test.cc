// Who ends a wait, learnt: what all who were seen to bring an event about had waited for before.

#include <algorithm>
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
using ::testing::IsEmpty;

class EndStory : public LockStory {
 public:
  void End(const std::string& task, const std::string& event,
           const std::vector<std::string>& waits) {
    std::vector<Acquisition> before;
    for (const std::string& wait : waits) before.push_back(Lock(wait));
    validator.LearnEnd(Task(task), Lock(event), before);
  }
  void WaitUnder(const std::string& lock, const std::string& event) {
    Take("waiter", lock);
    validator.Sync(Task("waiter"), Lock(event));
    Drop("waiter", lock);
  }
  // "A --> event --> A" for each cycle.
  std::vector<std::string> Concluded() const {
    std::vector<std::string> cycles;
    for (const LockReport& report : validator.Conclude().found) {
      cycles.push_back(Message(report).substr((Headline(report) + ": ").size()));
    }
    return cycles;
  }
};
class LearntEndsTest : public ::testing::Test, protected EndStory {};

TEST_F(LearntEndsTest, WaitersWaitForWhatEveryEndCameAfter) {
  End("one", "event", {"A", "B"});
  End("two", "event", {"C", "A"});
  for (const char* lock : {"A", "B", "C"}) WaitUnder(lock, "event");
  EXPECT_THAT(Concluded(), ElementsAre("A --> event --> A"));
  EXPECT_THAT(validator.reports(), IsEmpty());
}

TEST_F(LearntEndsTest, OneEndWithoutTakesItAway) {
  WaitUnder("A", "event");
  End("one", "event", {"A"});
  EXPECT_THAT(Concluded(), ElementsAre("A --> event --> A"));
  End("I/O", "event", {});
  EXPECT_THAT(Concluded(), IsEmpty());
}

// As two that hand a token to each other do.
TEST_F(LearntEndsTest, WhoWaitedForTheEventBeforeItBroughtItAboutClosesNoCycle) {
  End("one", "event", {"event"});
  End("two", "event", {"event"});
  validator.Sync(Task("waiter"), Lock("event"));
  EXPECT_THAT(Concluded(), IsEmpty());
}

TEST_F(LearntEndsTest, InstancesShareWhatAllOfThemHaveInCommon) {
  End("one", "event:1", {"A", "B"});
  End("two", "event:2", {"B"});
  WaitUnder("A", "event:2");
  WaitUnder("B", "event:2");
  EXPECT_THAT(Concluded(), ElementsAre("B --> event --> B"));
}

TEST_F(LearntEndsTest, TheReportSaysThatItWasLearnt) {
  WaitUnder("A", "event");
  End("worker", "event", {"A"});
  const auto conclusions = validator.Conclude();
  ASSERT_EQ(conclusions.found.size(), 1u);
  const std::vector<LockEdge>& edges = conclusions.found[0].cycle.edges;
  EXPECT_EQ(std::count_if(edges.begin(), edges.end(),
                          [](const LockEdge& edge) {
                            return edge.learnt && edge.held.lock.name == "event" &&
                                   edge.actor.name == "worker";
                          }),
            1);
  EXPECT_THAT(RenderText(conclusions.found[0]),
              ::testing::HasSubstr("by worker/2, before it brought about (event)"));
}

// Random ends, seen by one validator and by several that are merged, against their intersection.
TEST_F(LearntEndsTest, AnySplitLearnsTheIntersection) {
  std::mt19937 random(1);
  const std::vector<std::string> names = {"A", "B", "C", "D"};
  size_t learnt = 0;
  for (int round = 0; round < 200; ++round) {
    std::set<std::string> common(names.begin(), names.end());
    EndStory whole, merged;
    for (int part = 0; part < 3; ++part) {
      EndStory seen;
      for (uint32_t ends = random() % 3 + (part == 0 ? 1 : 0); ends > 0; --ends) {
        std::vector<std::string> waits;
        for (const std::string& name : names) {
          if (random() % 4 != 0) waits.push_back(name);
        }
        whole.End("task", "event", waits);
        seen.End("task", "event", waits);
        std::erase_if(common, [&](const std::string& name) {
          return std::find(waits.begin(), waits.end(), name) == waits.end();
        });
      }
      merged.validator.Merge(seen.validator);
    }
    for (EndStory* story : {&whole, &merged}) {
      for (const std::string& name : names) story->WaitUnder(name, "event");
      std::set<std::string> got;
      for (const std::string& cycle : story->Concluded()) got.insert(cycle.substr(0, 1));
      ASSERT_EQ(got, common) << "round " << round;
    }
    learnt += common.size();
  }
  EXPECT_GT(learnt, 100u);
}

}  // namespace
}  // namespace sim
