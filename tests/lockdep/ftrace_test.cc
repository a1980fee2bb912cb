#include "tools/import/lock_importer.h"

#include <algorithm>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSubsetOf;

std::string Load(const std::string& name) {
  std::ifstream file(std::string(LOCKDEP_TEST_DATA) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Every dependency in the text: "A -> B", sorted.
std::vector<std::string> OrdersOf(const std::string& text) {
  LockImporter import;
  (void)import.AddFile("trace", text);
  std::vector<std::string> orders;
  for (const sim::LockGraph::Edge& edge : import.validator().graph().edges()) {
    orders.push_back(import.validator().NodeName(edge.from).Text() + " -> " +
                     import.validator().NodeName(edge.to).Text());
  }
  std::sort(orders.begin(), orders.end());
  return orders;
}

// Writes a trace line by line, as a stock kernel prints it.
class FtraceTest : public ::testing::Test {
 protected:
  void Line(const std::string& thread, const std::string& event, const std::string& flags = "...1.",
            int cpu = 0) {
    trace_ +=
        "   " + thread + "   [00" + std::to_string(cpu) + "] " + flags + "  1.0: " + event + "\n";
  }
  void Acquire(const std::string& thread, const std::string& lock,
               const std::string& flags = "...1.", int cpu = 0) {
    Line(thread, "lock_acquire: " + lock, flags, cpu);
  }
  void Release(const std::string& thread, const std::string& lock,
               const std::string& flags = "...1.", int cpu = 0) {
    Line(thread, "lock_release: " + lock, flags, cpu);
  }

  std::vector<std::string> Found() {
    LockImporter import;
    EXPECT_TRUE(import.AddFile("trace", trace_));
    std::vector<std::string> found;
    for (const sim::LockReport& report : import.validator().reports()) {
      found.push_back(sim::Message(report));
    }
    return found;
  }

  // "A -> B", sorted.
  std::vector<std::string> Orders() { return OrdersOf(trace_); }

  std::string trace_;
};

TEST_F(FtraceTest, FindsAnInversionBetweenThreads) {
  Acquire("wl-1", "10 A");
  Acquire("kworker/u4:0-2", "20 B");
  Acquire("wl-1", "20 B");
  Acquire("kworker/u4:0-2", "10 A");
  Release("kworker/u4:0-2", "10 A");
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("A --> B --> A")));
}

TEST_F(FtraceTest, ExtendedFieldsAndFlagsAreTaken) {
  Acquire("wl-1", "10 try read jbd2_handle sub=0 read=1 nest=0000000000000000");
  Acquire("wl-1", "20 &ei->i_data_sem sub=2 read=0 nest=0000000000000000");
  LockImporter import;
  EXPECT_TRUE(import.AddFile("trace", trace_));
  EXPECT_THAT(RenderText(import, import.validator().Conclude()), HasSubstr("&ei->i_data_sem/2"));
  EXPECT_EQ(import.validator().dependency_count(), 1u);
  EXPECT_THAT(import.unused().kinds(), IsEmpty());
}

// Stock kernels do not print the subclass that tells parent from child.
TEST_F(FtraceTest, NestingWithinANameIsNoRecursion) {
  Acquire("wl-1", "10 &type->i_mutex_dir_key");
  Acquire("wl-1", "20 &type->i_mutex_dir_key");
  Acquire("wl-1", "30 i_data_sem");
  Release("wl-1", "30 i_data_sem");
  Release("wl-1", "20 &type->i_mutex_dir_key");
  Release("wl-1", "10 &type->i_mutex_dir_key");
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(FtraceTest, LockTakenTwiceAndNeverGotIsRecursion) {
  Release("wl-2", "10 A");
  Acquire("wl-1", "10 A");
  Acquire("wl-1", "10 A");
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("recursive locking detected: A")));
}

TEST_F(FtraceTest, LockTakenTwiceWithALostReleaseIsNot) {
  Acquire("wl-1", "10 A");
  Acquire("wl-1", "10 A");
  Release("wl-1", "10 A");
  EXPECT_THAT(Found(), IsEmpty());
}

// The next thread releases the lock of the run queue that the previous one took.
TEST_F(FtraceTest, ReleaseByAnotherThreadEndsTheHold) {
  Acquire("wl-1", "10 &rq->__lock", "d..1.");
  Release("jbd2-2", "10 &rq->__lock", "d..1.");
  Acquire("wl-1", "20 B");
  Release("wl-1", "20 B");
  Acquire("wl-1", "20 B");
  Acquire("wl-1", "10 &rq->__lock", "d..1.");
  EXPECT_THAT(Found(), IsEmpty());
}

// The thread that released it is not in the trace.
TEST_F(FtraceTest, IrqsOffHoldEndsWithItsCpu) {
  Acquire("wl-1", "10 &rq->__lock", "d..1.", 0);
  Acquire("wl-1", "20 B", "...1.", 1);
  Acquire("wl-1", "10 &rq->__lock", "d..1.", 1);
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(FtraceTest, InterruptContextComesFromTheFlags) {
  Acquire("wl-1", "10 A", "d.h1.");
  Release("wl-1", "10 A", "d.h1.");
  Acquire("wl-1", "10 A", "....1");
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("A, {IN-HARDIRQ-W} and {HARDIRQ-ON-W}")));
}

TEST_F(FtraceTest, IdleThreadsOfTwoCpusAreTwo) {
  Acquire("<idle>-0", "10 A", "d..1.", 0);
  Acquire("<idle>-0", "20 B", "d..1.", 1);
  Acquire("<idle>-0", "10 A", "d..1.", 1);
  Acquire("<idle>-0", "20 B", "d..1.", 0);
  EXPECT_THAT(Found(), ElementsAre(HasSubstr("A --> B --> A")));
}

TEST_F(FtraceTest, LostEventsForgetHolds) {
  Acquire("wl-1", "10 A");
  trace_ += "CPU:0 [LOST 17 EVENTS]\n";
  Acquire("wl-1", "20 B");
  Release("wl-1", "20 B");
  Acquire("wl-1", "20 B");
  Acquire("wl-1", "10 A");
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(FtraceTest, TwoThreadsOfOnePidHoldNothingTogether) {
  Acquire("bash-7", "10 A");
  Acquire("cc1-7", "20 B");
  Acquire("bash-7", "30 C");
  Release("cc1-7", "20 B");
  Release("bash-7", "30 C");
  Release("bash-7", "10 A");
  EXPECT_THAT(Orders(), ElementsAre("A -> C"));
}

TEST_F(FtraceTest, ReleaseWithoutAnAcquisitionEndsNobodysHold) {
  Acquire("wl-1", "10 A");
  Release("wl-1", "20 B");
  Acquire("wl-1", "30 C");
  EXPECT_THAT(Orders(), ElementsAre("A -> C"));
}

TEST_F(FtraceTest, ATraceMayBeginInTheMiddleOfACriticalSection) {
  Acquire("wl-1", "20 B");  // under A, taken before the trace began
  Release("wl-1", "10 A");
  Acquire("wl-1", "30 C");
  EXPECT_THAT(Orders(), ElementsAre("B -> C"));
}

TEST_F(FtraceTest, ALastLineCutShortIsNotUsed) {
  Acquire("wl-1", "10 A");
  Acquire("wl-1", "20 &ei->i_data_sem");
  trace_.resize(trace_.size() - 5);
  LockImporter import;
  EXPECT_TRUE(import.AddFile("trace", trace_));
  EXPECT_EQ(import.validator().class_count(), 1u);
  ASSERT_EQ(import.unused().kinds().size(), 1u);
  EXPECT_EQ(import.unused().kinds()[0].why, "last line without an end: it may have been cut");
}

TEST_F(FtraceTest, CountsWhatItCannotUse) {
  Release("wl-1", "10 A");
  trace_ += "hello\n";
  Release("wl-1", "20 B");
  Acquire("wl-1", "xyz A");
  LockImporter import;
  EXPECT_TRUE(import.AddFile("trace", trace_));
  ASSERT_EQ(import.unused().kinds().size(), 3u);
  EXPECT_EQ(import.unused().kinds()[0].why, "release of a lock that was not seen taken");
  EXPECT_EQ(import.unused().kinds()[0].count, 2u);
  EXPECT_EQ(import.unused().kinds()[0].first_line, 1u);
  EXPECT_EQ(import.unused().kinds()[1].first_text, "hello");
  EXPECT_EQ(import.unused().kinds()[2].why, "damaged lock event: all holds forgotten");
}

TEST_F(FtraceTest, RecordedTracesAreClean) {
  for (const char* name : {"ordered-10-extend.txt", "ordered-06-overwrite.tsv"}) {
    LockImporter import;
    EXPECT_TRUE(import.AddFile(name, Load(name)));
    EXPECT_THAT(import.validator().reports(), IsEmpty()) << name;
    EXPECT_GT(import.traces().lock_event_count(), 50u) << name;
    EXPECT_GT(import.validator().dependency_count(), 10u) << name;
    for (const UnusedLines::Kind& unused : import.unused().kinds()) {
      EXPECT_EQ(unused.why, "release of a lock that was not seen taken") << unused.first_text;
    }
  }
}

// Cut anywhere, two threads' lines mixed up, bytes damaged: no crash, and no order invented by
// cutting alone.
TEST_F(FtraceTest, SurvivesDamage) {
  const std::string good = Load("ordered-10-extend.txt");
  const std::vector<std::string> orders = OrdersOf(good);
  std::mt19937 random(1);
  for (int round = 0; round < 60; ++round) {
    const size_t from = random() % good.size();
    const std::string cut = good.substr(from, random() % 20000);
    EXPECT_THAT(OrdersOf(cut), IsSubsetOf(orders)) << "cut at " << from;
    std::string damaged = cut;
    for (int i = 0; i < 50 && !damaged.empty(); ++i) {
      damaged[random() % damaged.size()] = static_cast<char>(random());
    }
    LockImporter damaged_import;
    (void)damaged_import.AddFile("damaged", damaged);
    EXPECT_FALSE(RenderText(damaged_import, damaged_import.validator().Conclude()).empty());
  }
}

}  // namespace
}  // namespace tools
