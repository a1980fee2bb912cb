// The allocator against a list of what was given out.

#include "sim/engine/random.h"
#include "tests/ext4/fixture.h"

namespace model {
namespace {

using ::testing::IsEmpty;

class MballocTest : public ::testing::Test {
 protected:
  struct Piece {
    Pblk pblk = 0;
    uint32_t len = 0;
  };

  Piece Allocate(Pblk goal, uint32_t len, uint32_t flags = 0) {
    Ext4Handle handle(rig.sbi(), 8);
    const Allocation got = ext4_mb_new_blocks(*handle, rig.Open("a"), goal, len, flags);
    return {got.pblk, got.error == Errno::kOk ? got.len : 0};
  }
  void Free(Piece piece) {
    Ext4Handle handle(rig.sbi(), 8);
    ext4_free_blocks(*handle, rig.Open("a"), piece.pblk, piece.len, false);
  }
  int64_t free() { return ext4_count_free_clusters(rig.sbi()); }

  Ext4Rig rig;
};

TEST_F(MballocTest, BitmapSaysWhatWasGivenOut) {
  rig.Story([&] {
    sim::RandomStream random(1, "operations");
    std::vector<Piece> pieces;
    Bitmap given = rig.Block<Bitmap>(rig.geometry().block_bitmap());
    for (int i = 0; i < 1000; ++i) {
      if (pieces.empty() || random.UniformBelow(5) < 3) {
        const Piece got = Allocate(static_cast<Pblk>(random.UniformBelow(1024)),
                                   static_cast<uint32_t>(1 + random.UniformBelow(20)));
        for (uint32_t n = 0; n < got.len; ++n) {
          ASSERT_FALSE(given.Test(got.pblk + n));
          given.Set(got.pblk + n);
        }
        if (got.len > 0) pieces.push_back(got);
      } else {
        const size_t which = random.UniformBelow(pieces.size());
        Free(pieces[which]);
        for (uint32_t n = 0; n < pieces[which].len; ++n) given.Clear(pieces[which].pblk + n);
        pieces.erase(pieces.begin() + static_cast<ptrdiff_t>(which));
      }
      if (random.OneIn(20)) {
        ASSERT_EQ(rig.Commit(), Errno::kOk);
      }
      ASSERT_EQ(rig.Block<Bitmap>(rig.geometry().block_bitmap()), given);
    }
    ASSERT_EQ(rig.Commit(), Errno::kOk);
    EXPECT_EQ(rig.sbi().buddy, given);
  });
  EXPECT_EQ(rig.sbi().s_dirtyclusters_counter, 0);
  EXPECT_THAT(rig.Findings(), IsEmpty());
}

TEST_F(MballocTest, FreedBlocksWaitForTheCommit) {
  rig.Story([&] {
    const Piece first = Allocate(0, 10);
    Free(first);
    EXPECT_GE(Allocate(first.pblk, 10).pblk, first.pblk + 10);
    ASSERT_EQ(rig.Commit(), Errno::kOk);
    EXPECT_EQ(Allocate(first.pblk, 10).pblk, first.pblk);
  });
}

TEST_F(MballocTest, RetryForcesTheCommitThatFreesBlocks) {
  rig.Story([&] {
    std::vector<Piece> all;
    for (Piece got = Allocate(0, 512); got.len > 0; got = Allocate(0, 512)) all.push_back(got);
    for (const Piece& piece : all) Free(piece);
    EXPECT_EQ(Allocate(0, 100).len, 20u);  // the reserved clusters, 2 % of 1024
    int retries = 0;
    EXPECT_TRUE(ext4_should_retry_alloc(rig.sbi(), &retries));
    EXPECT_EQ(Allocate(0, 100).len, 100u);
  });
}

TEST_F(MballocTest, ReservedClustersAreForWhatMustNotFail) {
  rig.Story([&] {
    const int64_t usable = free() - rig.sbi().s_resv_clusters;
    EXPECT_EQ(rig.sbi().s_resv_clusters, 20);
    EXPECT_EQ(ext4_claim_free_clusters(rig.sbi(), usable, 0), Errno::kOk);
    EXPECT_EQ(ext4_claim_free_clusters(rig.sbi(), 1, 0), Errno::kNoSpc);
    EXPECT_EQ(ext4_claim_free_clusters(rig.sbi(), 20, kGetBlocksMetadataNofail), Errno::kOk);
    EXPECT_EQ(ext4_claim_free_clusters(rig.sbi(), 1, kGetBlocksMetadataNofail), Errno::kNoSpc);
  });
}

}  // namespace
}  // namespace model
