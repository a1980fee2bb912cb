#include "sim/lockdep/class_names.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "sim/lockdep/graph_diff.h"
#include "sim/lockdep/lock_orders.h"
#include "tests/lockdep/lock_story.h"

namespace sim {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pointee;

// "A -> B" for each dependency.
std::vector<std::string> OrdersIn(const Validator& validator) {
  std::vector<std::string> orders;
  for (const LockGraph::Edge& edge : validator.graph().edges()) {
    orders.push_back(validator.NodeName(edge.from).Text() + " -> " +
                     validator.NodeName(edge.to).Text());
  }
  return orders;
}

TEST(ClassNamesTest, TheMostSpecificEntryDecides) {
  const ClassNames names({{"inode", {"key*"}}, {"directory", {"key#2"}}, {"pipe", {"key#3*"}}});
  EXPECT_THAT(names.Find("inode"), Pointee(std::string("inode")));
  EXPECT_THAT(names.Find("key"), Pointee(std::string("inode")));
  EXPECT_THAT(names.Find("key#2"), Pointee(std::string("directory")));
  EXPECT_THAT(names.Find("key#31"), Pointee(std::string("pipe")));
  EXPECT_EQ(names.Find("ke"), nullptr);
}

class ProjectTest : public ::testing::Test, public LockStory {
 protected:
  std::vector<std::string> Projected(const std::vector<ClassAlias>& aliases) {
    return OrdersIn(*Project(validator, ClassNames(aliases)));
  }
};

TEST_F(ProjectTest, UnnamedLocksInBetweenFallOut) {
  Nest("t", {"A", "x", "B"});
  EXPECT_THAT(Projected({{"A", {}}, {"B", {}}}), ElementsAre("A -> B"));
}

TEST_F(ProjectTest, OrdersOfDifferentTasksDoNotAddUpAcrossAnUnnamedLock) {
  Nest("t", {"A", "x"});
  Nest("u", {"x", "B"});
  EXPECT_THAT(Projected({{"A", {}}, {"B", {}}}), IsEmpty());
}

TEST_F(ProjectTest, SubclassesAndNamesOfOneClassAreOne) {
  Nest("t", {"A/1", "B"});
  Nest("t", {"C", "D"});
  Nest("t", {"C", "B"});
  EXPECT_THAT(Projected({{"a", {"A"}}, {"b", {"B", "C"}}, {"d", {"D"}}}),
              ElementsAre("a -> b", "b -> d"));
}

TEST_F(ProjectTest, AcrossATriedLockTheNextDependsOnBoth) {
  Take("t", "A");
  Try("t", "B");
  Take("t", "C");
  EXPECT_THAT(Projected({{"A", {}}, {"B", {}}, {"C", {}}}), ElementsAre("B -> C", "A -> C"));
}

TEST_F(ProjectTest, TheChainSaysWhereAnOrderIsFrom) {
  Nest("t", {"A", "x", "B"});
  const auto projected = Project(validator, ClassNames({{"A", {}}, {"B", {}}}));
  EXPECT_EQ(FirstSeenText(projected->FirstSeen(projected->graph().edge(0))), "A --> x --> B");
}

class GraphDiffTest : public ::testing::Test {
 protected:
  LockStory a_, b_;
};

TEST_F(GraphDiffTest, AGraphDoesNotDifferFromItself) {
  a_.Nest("t", {"A", "B", "C"});
  EXPECT_TRUE(Diff(a_.validator, a_.validator).empty());
}

TEST_F(GraphDiffTest, SaysWhoHasWhatAlone) {
  a_.Nest("t", {"A", "B"});
  a_.Nest("t", {"B", "C"});
  b_.Nest("u", {"B", "C"});
  b_.Nest("u", {"B", "D"});
  const GraphDiff diff = Diff(a_.validator, b_.validator);
  EXPECT_EQ(RenderText(diff, "old", "new"),
            "1 dependency only in old:\n"
            " A -> B\n"
            "     t/1 at story.cc:2\n"
            "1 dependency only in new:\n"
            " B -> D\n"
            "     u/1 at story.cc:6\n"
            "0 reports that new adds\n");
  EXPECT_EQ(ToJson(diff, "old", "new")["only_b"][0]["acquired"]["lock"], "D");
}

// Half of the inversion is in each.
TEST_F(GraphDiffTest, OrdersOfBothMayMakeACycle) {
  a_.Nest("t", {"A", "B"});
  b_.Nest("u", {"B", "A"});
  const GraphDiff diff = Diff(a_.validator, b_.validator);
  ASSERT_EQ(diff.added.size(), 1u);
  EXPECT_THAT(Message(diff.added[0]), HasSubstr("A --> B --> A"));
}

TEST_F(GraphDiffTest, ACycleThatIsInBothIsNotAdded) {
  for (LockStory* story : {&a_, &b_}) {
    story->Nest("t", {"A", "B"});
    story->Nest("t", {"B", "A"});
  }
  EXPECT_TRUE(Diff(a_.validator, b_.validator).empty());
}

class LockOrdersTest : public ::testing::Test, public LockStory {
 protected:
  LockOrdersTest() {
    orders_.name = "fs";
    orders_.classes = {{"A", {"a"}}, {"B", {"b"}}, {"C", {"c"}}, {"D", {"d"}}};
    orders_.chains = {{"write", "fs.c", {"A", "B"}}, {"read", "fs.h", {"B", "C"}}};
  }
  std::vector<std::string> Contradictions() {
    std::vector<std::string> texts;
    for (const auto& found : FindContradictions(validator, orders_)) {
      texts.push_back(RenderText(found, orders_));
    }
    return texts;
  }
  std::vector<std::string> Unexercised() {
    std::vector<std::string> texts;
    for (const auto& order : FindUnexercised(validator, orders_)) {
      texts.push_back(RenderText(order, orders_));
    }
    return texts;
  }

  LockOrders orders_;
};

TEST_F(LockOrdersTest, WhatFollowsTheDocumentsIsNoContradiction) {
  Nest("t", {"a", "b", "c"});
  EXPECT_THAT(Contradictions(), IsEmpty());
  EXPECT_THAT(Unexercised(), IsEmpty());
}

TEST_F(LockOrdersTest, ContradictionNamesEveryDocumentThatItBreaks) {
  Nest("t", {"c", "a"});
  EXPECT_THAT(Contradictions(), ElementsAre("C -> A\n"
                                            "    observed: c --> a\n"
                                            "    documented: A -> B [write; fs.c]\n"
                                            "    documented: B -> C [read; fs.h]\n"));
  EXPECT_THAT(Unexercised(), ElementsAre("A -> B [write; fs.c]", "B -> C [read; fs.h]"));
}

TEST_F(LockOrdersTest, WhatTheDocumentsSayNothingAboutIsAllowed) {
  Nest("t", {"d", "a"});
  Nest("t", {"b", "d"});
  EXPECT_THAT(Contradictions(), IsEmpty());
}

TEST_F(LockOrdersTest, DocumentsThatSayBothDecideNothing) {
  orders_.chains.push_back({"other", "fs.txt", {"C", "A"}});
  Nest("t", {"c", "a"});
  EXPECT_THAT(Contradictions(), IsEmpty());
}

// B and C need not be neighbours.
TEST_F(LockOrdersTest, AnOrderIsExercisedWithAnotherLockInBetween) {
  orders_.chains = {{"write", "fs.c", {"A", "C"}}};
  Nest("t", {"a", "b", "c"});
  EXPECT_THAT(Unexercised(), IsEmpty());
}

}  // namespace
}  // namespace sim
