#include "tools/import/proc_lockdep.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sim/lockdep/proc.h"
#include "tests/lockdep/lock_story.h"
#include "tools/import/lock_importer.h"
#include "tools/import/recording.h"

namespace tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSubsetOf;

constexpr char kClasses[] =
    "all lock classes:\n"
    "0000000079aa08c4 OPS:    2184 FD:    3 BD:    1 +.+.: &type->i_mutex_dir_key#6\n"
    " -> [00000000aa6fea7b] jbd2_handle\n"
    "\n"
    "(____ptrval____) FD:    2 BD:    2 ++++: jbd2_handle\n"
    " -> [0000000005e4f649] &ei->i_data_sem/2\n"
    "\n"
    "0000000005e4f649 OPS:12345678 FD:    1 BD:    3 -.?.: &ei->i_data_sem/2\n"
    "\n";

// "A -> B" for each dependency of the graph.
std::vector<std::string> OrdersIn(const sim::Validator& validator) {
  std::vector<std::string> orders;
  for (const sim::LockGraph::Edge& edge : validator.graph().edges()) {
    orders.push_back(validator.NodeName(edge.from).Text() + " -> " +
                     validator.NodeName(edge.to).Text());
  }
  return orders;
}

class ProcLockdepTest : public ::testing::Test {
 protected:
  // Reads a text into the graph; what is in it then.
  std::vector<std::string> Orders(const std::string& text) {
    (void)import_.AddFile("proc", text);
    return OrdersIn(Validator());
  }
  std::vector<std::string> Unused() const {
    std::vector<std::string> kinds;
    for (const UnusedLines::Kind& kind : import_.unused().kinds()) kinds.push_back(kind.why);
    return kinds;
  }
  std::string Usage(uint32_t node) const {
    return sim::UsageString(Validator().NodeName(sim::LockNodeId{node}).usage);
  }
  const sim::Validator& Validator() const { return import_.validator(); }

  static std::string Chain(const std::vector<std::string>& locks,
                           const std::string& context = "0") {
    std::string text = "irq_context: " + context + "\n";
    for (const std::string& lock : locks) text += "[0000000079aa08c4] " + lock + "\n";
    return text + "\n";
  }

  LockImporter import_;
};

TEST_F(ProcLockdepTest, ClassesUsageAndDependenciesAreTaken) {
  EXPECT_THAT(Orders(kClasses), ElementsAre("&type->i_mutex_dir_key#6 -> jbd2_handle",
                                            "jbd2_handle -> &ei->i_data_sem/2"));
  EXPECT_EQ(Usage(0), "+.+.");
  EXPECT_EQ(Usage(1), "++++");
  EXPECT_EQ(Usage(2), "-.?.");
  EXPECT_THAT(Unused(), IsEmpty());
}

TEST_F(ProcLockdepTest, ClassesOfOneNameAreTold) {
  EXPECT_THAT(Orders(Chain({"key", "key#2"}) + Chain({"key#2", "key#3/1"})),
              ElementsAre("key -> key#2", "key#2 -> key#3/1"));
  EXPECT_THAT(Validator().reports(), IsEmpty());
}

// Chain A, B was never seen to end at B: B was tried.
TEST_F(ProcLockdepTest, ANumberBehindASlashIsASubclass) {
  EXPECT_THAT(Orders("all lock chains:\nirq_context: 0\n[1] dir/12\n[2] dir/0\n\n"),
              ElementsAre("dir/12 -> dir/0"));
  EXPECT_EQ(Validator().NodeName(sim::LockNodeId{0}).subclass, 12u);
  EXPECT_EQ(Validator().NodeName(sim::LockNodeId{1}).subclass, 0u);
}

TEST_F(ProcLockdepTest, AcrossATriedLockTheNextDependsOnBoth) {
  EXPECT_THAT(Orders(Chain({"A"}) + Chain({"A", "B", "C"})), ElementsAre("B -> C", "A -> C"));
}

TEST_F(ProcLockdepTest, AcrossALockWaitedForItDependsOnThatAlone) {
  EXPECT_THAT(Orders(Chain({"A"}) + Chain({"A", "B"}) + Chain({"A", "B", "C"})),
              ElementsAre("A -> B", "B -> C"));
}

TEST_F(ProcLockdepTest, ReadersOfRcuLeadNowhere) {
  EXPECT_THAT(Orders(Chain({"A"}) + Chain({"A", "rcu_read_lock", "B"})), ElementsAre("A -> B"));
}

TEST_F(ProcLockdepTest, LocksNestedInOneClassAreBelieved) {
  EXPECT_THAT(Orders(Chain({"A"}) + Chain({"A", "A"}) + Chain({"A", "A", "B"})),
              ElementsAre("A -> B"));
  EXPECT_THAT(Validator().reports(), IsEmpty());
}

TEST_F(ProcLockdepTest, ChainsKeepTheirInterruptContext) {
  (void)Orders(Chain({"A"}) + Chain({"A"}, "hardirq|softirq") + Chain({"B"}, "softirq"));
  ASSERT_EQ(Validator().chain_count(), 3u);
  EXPECT_EQ(Validator().ChainContext(0), 0);
  EXPECT_EQ(Validator().ChainContext(1), 3);
  EXPECT_EQ(Validator().ChainContext(2), 2);
}

TEST_F(ProcLockdepTest, ACycleIsReportedInTheWordsOfLockdep) {
  (void)Orders(Chain({"A", "B"}) + Chain({"B", "A"}));
  ASSERT_EQ(Validator().reports().size(), 1u);
  const std::string text = sim::RenderText(Validator().reports()[0]);
  EXPECT_THAT(text, HasSubstr("possible circular locking dependency detected"));
  EXPECT_THAT(text, HasSubstr("at: proc:6\n"));
}

TEST_F(ProcLockdepTest, WhatIsCutIsNotUsed) {
  const std::string chains = Chain({"A"}) + Chain({"A", "B"});
  EXPECT_THAT(Orders(chains.substr(0, chains.size() - 1)), IsEmpty());
  EXPECT_THAT(Unused(), ElementsAre("last chain without an end: it may have been cut"));
  EXPECT_THAT(Orders("lock of no chain\n[0000000079aa08c4] A\n" + Chain({"A", "C"})),
              ElementsAre("A -> C"));
}

TEST_F(ProcLockdepTest, CountsWhatItCannotUse) {
  EXPECT_THAT(Orders("all lock classes:\n"
                     " -> [0000000079aa08c4] A\n"
                     "0000000079aa08c4 FD:    x BD:    1 +.+.: B\n"
                     " -> [0000000079aa08c4] C\n"
                     "0000000079aa08c4 FD:    1 BD:    1 +.+.: D\n"
                     " -> 0000000079aa08c4\n"
                     " -> [0000000079aa08c4] E"),
              IsEmpty());
  EXPECT_THAT(Unused(),
              ElementsAre("dependency of an unknown class", "not a line of /proc/lockdep",
                          "not a dependency", "last line without an end: it may have been cut"));
  EXPECT_EQ(import_.unused().kinds()[0].count, 2u);
  EXPECT_EQ(import_.unused().kinds()[0].first_line, 2u);
}

// A kernel after a mixed load on ext4: 549 classes, 1,702 dependencies between neighbours, no
// cycle.
class RealKernelTest : public ProcLockdepTest {
 protected:
  static std::string Text(const std::string& name) {
    const auto texts = ReadRecording(std::string(KERNEL_TRACES) + "/ext4-6.1/" + name, 1 << 24);
    EXPECT_TRUE(texts.ok()) << texts.status();
    return texts.ok() ? texts->front().text : "";
  }
  // The class lines from "FD:" on, sorted.
  static std::vector<std::string> ClassLines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);) {
      const size_t at = line.find("FD:");
      if (at != std::string::npos) lines.push_back(line.substr(at));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
};

TEST_F(RealKernelTest, EveryLineIsUsedAndNothingIsReported) {
  EXPECT_EQ(Orders(Text("lockdep.xz")).size(), 1702u);
  EXPECT_EQ(Validator().class_count(), 549u);
  EXPECT_GT(Orders(Text("lockdep_chains.xz")).size(), 1900u);
  EXPECT_EQ(Validator().class_count(), 549u);
  EXPECT_THAT(Unused(), IsEmpty());
  EXPECT_THAT(Validator().reports(), IsEmpty());
}

// The kernel counted what each class leads to and from over all its dependencies, also those
// across tried locks. In this recording 40 of the counts differ, for two reasons: chains of
// i_rsv_conversion_work are no longer there, since its key was freed and registered again; and
// chains have an order at semaphore->lock that /proc/lockdep has not.
TEST_F(RealKernelTest, AsManyClassesAreReachedAsTheKernelCounted) {
  const std::string text = Text("lockdep.xz");
  (void)Orders(text);
  (void)Orders(Text("lockdep_chains.xz"));
  const std::vector<std::string> ours = ClassLines(sim::RenderLockdepClasses(Validator()));
  const std::vector<std::string> theirs = ClassLines(text);
  ASSERT_EQ(ours.size(), theirs.size());
  std::vector<std::string> same;
  std::set_intersection(ours.begin(), ours.end(), theirs.begin(), theirs.end(),
                        std::back_inserter(same));
  EXPECT_EQ(same.size(), 509u);
}

TEST_F(RealKernelTest, CutAnywhereItInventsNoOrder) {
  const std::string classes = Text("lockdep.xz");
  const std::string chains = Text("lockdep_chains.xz");
  const std::vector<std::string> all = Orders(classes);
  std::mt19937 random(1);
  for (int round = 0; round < 40; ++round) {
    const auto cut = [&](const std::string& text) {
      return text.substr(random() % text.size(), random() % 30000);
    };
    LockImporter cut_import;
    (void)cut_import.AddFile("cut", "all lock classes:\n" + cut(classes));
    EXPECT_THAT(OrdersIn(cut_import.validator()), IsSubsetOf(all));
    (void)cut_import.AddFile("cut", "all lock chains:\n" + cut(chains));
    EXPECT_THAT(cut_import.validator().reports(), IsEmpty());
  }
}

// What a graph consists of, in any order.
struct Contents {
  explicit Contents(const sim::Validator& validator) {
    const auto name = [&](sim::LockNodeId node) { return validator.NodeName(node).Text(); };
    for (uint32_t i = 0; i < validator.class_count(); ++i) {
      const sim::LockNodeId node{i};
      classes.insert(name(node) + " " + sim::UsageString(validator.NodeName(node).usage));
    }
    const std::vector<std::string> edges = OrdersIn(validator);
    orders.insert(edges.begin(), edges.end());
    for (uint64_t i = 0; i < validator.chain_count(); ++i) {
      std::string chain = std::to_string(validator.ChainContext(i)) + ":";
      for (const auto& link : validator.Chain(i)) chain += " " + name(link.node);
      chains.insert(chain);
    }
  }
  std::set<std::string> classes, orders, chains;
};

class RoundTripTest : public RealKernelTest {
 protected:
  static void ExpectToReadBack(const sim::Validator& validator) {
    LockImporter again;
    EXPECT_TRUE(again.AddFile("lockdep", sim::RenderLockdepClasses(validator)));
    EXPECT_TRUE(again.AddFile("lockdep_chains", sim::RenderLockdepChains(validator)));
    EXPECT_FALSE(again.AddFile("lockdep_stats", sim::RenderLockdepStats(validator)));
    EXPECT_THAT(again.unused().kinds(), IsEmpty());
    const Contents before(validator), after(again.validator());
    EXPECT_EQ(after.classes, before.classes);
    EXPECT_EQ(after.orders, before.orders);
    EXPECT_EQ(after.chains, before.chains);
  }
};

TEST_F(RoundTripTest, WhatIsWrittenReadsBackToTheSameGraph) {
  sim::LockStory story;
  story.Take("t", "A");
  story.Try("t", "B");
  story.Take("t", "C/1");
  story.Nest("u", {"D", "C/1"}, sim::ReadMode::kShared);
  sim::IrqState irq{.in_softirq = true, .softirqs_on = false};
  story.validator.SetIrqState(story.Task("irq"), irq, {});
  story.Take("irq", "E");
  EXPECT_THAT(OrdersIn(story.validator), ElementsAre("B -> C/1", "A -> C/1", "D -> C/1"));
  ExpectToReadBack(story.validator);
}

TEST_F(RoundTripTest, SoDoesTheGraphOfAKernel) {
  (void)Orders(Text("lockdep.xz"));
  (void)Orders(Text("lockdep_chains.xz"));
  ExpectToReadBack(Validator());
}

// The kernel's own figures, as far as they do not count what it had forgotten. (It leaves classes
// that were only ever taken shared out of the uncategorized; that is not in /proc/lockdep.)
TEST_F(RealKernelTest, StatisticsAreTheKernels) {
  (void)Orders(Text("lockdep.xz"));
  const std::string ours = sim::RenderLockdepStats(Validator());
  std::istringstream theirs(Text("lockdep_stats"));
  int rows = 0;
  for (std::string line; std::getline(theirs, line);) {
    if (line.find("safe locks:") == std::string::npos) continue;
    EXPECT_THAT(ours, HasSubstr(line + "\n"));
    ++rows;
  }
  EXPECT_EQ(rows, 12);
}

}  // namespace
}  // namespace tools
