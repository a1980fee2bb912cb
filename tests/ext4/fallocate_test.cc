// What fallocate does to the blocks and the size of a file, by mode, and what synchronous writes
// wait for. Blocks are 1 KiB; "a" has nine, written.

#include "model/vfs/syscalls.h"
#include "tests/ext4/fixture.h"

namespace model {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FallocateTest : public ::testing::TestWithParam<bool> {
 protected:
  static Ext4RigOptions Options() {
    Ext4RigOptions options;
    options.files = {{.name = "a", .size_bytes = 9000, .content = InitialContent::kWritten}};
    if (GetParam()) options.ext4.iomap_files = {"a"};
    return options;
  }
  // In a task, then committed; the extents, if metadata is sound.
  std::vector<Extent> Fallocate(FallocMode mode, uint64_t offset, uint64_t len) {
    rig.Story([&] {
      EXPECT_EQ(ksys_fallocate(rig.Open("a"), mode, offset, len), Errno::kOk);
      EXPECT_EQ(Commit(), Errno::kOk);
    });
    EXPECT_THAT(rig.Faults(), IsEmpty());
    EXPECT_THAT(rig.Findings(), IsEmpty());
    EXPECT_THAT(rig.validator().reports(), IsEmpty());
    return rig.Metadata().files[0].extents;
  }
  Errno Commit() { return rig.Commit(); }
  uint64_t Size() { return rig.Metadata().files[0].size_bytes; }

  Ext4Rig rig{Options()};
};

TEST_P(FallocateTest, AllocatesUnwrittenBlocksAndGrowsTheFile) {
  EXPECT_THAT(Fallocate(FallocMode::kAllocate, 8000, 5000),
              ElementsAre(IsExtent(0, 9, false), IsExtent(9, 4, true)));
  EXPECT_EQ(Size(), 13000u);
}

TEST_P(FallocateTest, KeepsTheSizeWhenAsked) {
  EXPECT_THAT(Fallocate(FallocMode::kAllocateKeepSize, 20000, 1000),
              ElementsAre(IsExtent(0, 9, false), IsExtent(19, 2, true)));
  EXPECT_EQ(Size(), 9000u);
}

TEST_P(FallocateTest, PunchesWholeBlocks) {
  const int64_t free_before = ext4_count_free_clusters(rig.sbi());
  EXPECT_THAT(Fallocate(FallocMode::kPunchHole, 2000, 3000),
              ElementsAre(IsExtent(0, 2, false), IsExtent(4, 5, false)));
  EXPECT_EQ(ext4_count_free_clusters(rig.sbi()), free_before + 2);
  EXPECT_EQ(Size(), 9000u);
}

TEST_P(FallocateTest, PunchesNothingBeyondTheEnd) {
  EXPECT_THAT(Fallocate(FallocMode::kPunchHole, 9000, 50000), ElementsAre(IsExtent(0, 9, false)));
}

TEST_P(FallocateTest, PunchesTheBlockOfTheEndWithTheRest) {
  EXPECT_THAT(Fallocate(FallocMode::kPunchHole, 7000, 2000), ElementsAre(IsExtent(0, 7, false)));
}

TEST_P(FallocateTest, ZeroesByMakingBlocksUnwritten) {
  EXPECT_THAT(Fallocate(FallocMode::kZeroRange, 2000, 3000),
              ElementsAre(IsExtent(0, 2, false), IsExtent(2, 2, true), IsExtent(4, 5, false)));
  EXPECT_EQ(Size(), 9000u);
}

TEST_P(FallocateTest, ZeroesBeyondTheEndAndGrowsTheFile) {
  EXPECT_THAT(Fallocate(FallocMode::kZeroRange, 8192, 4096),
              ElementsAre(IsExtent(0, 8, false), IsExtent(8, 4, true)));
  EXPECT_EQ(Size(), 12288u);
}

TEST_P(FallocateTest, WhatIsDelayedGivesItsReservationBack) {
  rig.Story([&] {
    UserMemory memory(rig.world(), rig.world().lock_tracker().Class("&mm->mmap_lock"), 0);
    Ext4Inode& a = rig.Open("a");
    EXPECT_EQ(ksys_write(a, memory, 10240, 4096, WriteSync::kNone).bytes, 4096u);
    EXPECT_EQ(a.i_reserved_data_blocks, 4u);
    EXPECT_EQ(ksys_fallocate(a, FallocMode::kAllocate, 10240, 1024), Errno::kOk);
    EXPECT_EQ(a.i_reserved_data_blocks, 3u);
    EXPECT_EQ(ksys_fallocate(a, FallocMode::kPunchHole, 11264, 2048), Errno::kOk);
    EXPECT_EQ(a.i_reserved_data_blocks, 1u);
  });
}

// Its times have changed, and nothing that is needed to read it back.
TEST_P(FallocateTest, OverwriteWithDsyncDoesNotWaitForTheInodesTransaction) {
  rig.Story([&] {
    UserMemory memory(rig.world(), rig.world().lock_tracker().Class("&mm->mmap_lock"), 0);
    Ext4Inode& a = rig.Open("a");
    const auto committed = [&] { return rig.sbi().s_journal.j_commit_sequence.peek(); };
    EXPECT_EQ(ksys_write(a, memory, 10240, 1024, WriteSync::kDsync).bytes, 1024u) << "it grows";
    EXPECT_LE(a.i_sync_tid.peek(), committed());
    EXPECT_EQ(ksys_write(a, memory, 0, 1024, WriteSync::kDsync).bytes, 1024u);
    EXPECT_GT(a.i_sync_tid.peek(), committed());
  });
}

INSTANTIATE_TEST_SUITE_P(Kinds, FallocateTest, ::testing::Bool(),
                         [](const auto& info) { return info.param ? "Iomap" : "BufferHead"; });

}  // namespace
}  // namespace model
