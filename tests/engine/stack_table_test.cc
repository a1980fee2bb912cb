#include "sim/engine/stack_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace sim {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr FrameSite kFsync{"ext4_sync_file", {"fsync.cc", 1}};
constexpr FrameSite kWrite{"ext4_file_write_iter", {"file.cc", 2}};
constexpr FrameSite kStart{"jbd2_journal_start", {"transaction.cc", 3}};
constexpr FrameSite kWait{"wait_transaction_locked", {"transaction.cc", 4}};

class StackTableTest : public ::testing::Test {
 protected:
  std::vector<std::string> Functions(StackId stack) const {
    std::vector<std::string> functions;
    for (const FrameSite* frame : table_.Frames(stack)) functions.push_back(frame->function);
    return functions;
  }

  StackTable table_;
};

TEST_F(StackTableTest, ListsTheInnermostFrameFirst) {
  const StackId stack = table_.Push(table_.Push(StackTable::kEmpty, &kWrite), &kStart);
  EXPECT_THAT(Functions(stack), ElementsAre("jbd2_journal_start", "ext4_file_write_iter"));
}

TEST_F(StackTableTest, TheEmptyStackAndNoStackHaveNoFrames) {
  EXPECT_THAT(Functions(StackTable::kEmpty), IsEmpty());
  EXPECT_THAT(Functions(StackId{}), IsEmpty());
}

TEST_F(StackTableTest, TheSameFramesAreTheSameStack) {
  const StackId write = table_.Push(StackTable::kEmpty, &kWrite);
  const StackId start = table_.Push(write, &kStart);
  const StackId wait = table_.Push(write, &kWait);
  EXPECT_NE(start, wait);
  EXPECT_EQ(table_.Push(write, &kStart), start);
  EXPECT_EQ(table_.Push(write, &kWait), wait);
}

TEST_F(StackTableTest, CallersTellStacksApart) {
  const StackId from_write = table_.Push(table_.Push(StackTable::kEmpty, &kWrite), &kStart);
  const StackId from_fsync = table_.Push(table_.Push(StackTable::kEmpty, &kFsync), &kStart);
  EXPECT_NE(from_write, from_fsync);
  EXPECT_THAT(Functions(from_fsync), ElementsAre("jbd2_journal_start", "ext4_sync_file"));
}

TEST_F(StackTableTest, RecursionGrowsTheStack) {
  StackId stack = StackTable::kEmpty;
  for (int depth = 0; depth < 100; ++depth) stack = table_.Push(stack, &kStart);
  EXPECT_EQ(table_.Frames(stack).size(), 100u);
}

// Frames of functions whose C++ names are known, innermost first.
constexpr FrameSite kMap{"ext4_map_blocks", {"inode.cc", 10, "ext4_map_blocks"}};
constexpr FrameSite kWritepages{"ext4_writepages", {"writepages.cc", 20, "writepages"}};

TEST_F(StackTableTest, APlaceIsShownWithTheFunctionItLiesIn) {
  EXPECT_THAT(StackLines({&kMap, &kWritepages}, {"inode.cc", 15, "ext4_map_blocks"}),
              ElementsAre("ext4_map_blocks+inode.cc:15", "ext4_writepages+writepages.cc:20"));
}

// As when a function is told where it was called from.
TEST_F(StackTableTest, APlaceInAnOuterFunctionIsShownThere) {
  const Site site{"writepages.cc", 25, "writepages"};
  EXPECT_THAT(StackLines({&kMap, &kWritepages}, site),
              ElementsAre("ext4_map_blocks+inode.cc:10", "ext4_writepages+writepages.cc:25"));
  EXPECT_EQ(PlaceText({&kMap, &kWritepages}, site), "ext4_writepages+writepages.cc:25");
}

TEST_F(StackTableTest, APlaceInAFunctionWithoutAFrameIsALineOfItsOwn) {
  EXPECT_THAT(StackLines({&kMap}, {"inode.cc", 99, "Helper"}),
              ElementsAre("Helper+inode.cc:99", "ext4_map_blocks+inode.cc:10"));
  EXPECT_EQ(PlaceText({}, {"inode.cc", 99, "operator()"}), "lambda+inode.cc:99");
}

TEST_F(StackTableTest, APlaceOfNoKnownFunctionIsTheInnermostOnes) {
  EXPECT_THAT(StackLines({&kMap}, {"trace.txt", 7}), ElementsAre("ext4_map_blocks+trace.txt:7"));
  EXPECT_EQ(PlaceText({}, {"trace.txt", 7}), "trace.txt:7");
}

TEST_F(StackTableTest, ThePlaceOfACallKnowsItsFunction) {
  const Site here = Site::Here();
  EXPECT_STREQ(here.function, "TestBody");
}

}  // namespace
}  // namespace sim
