#include "model/ondisk/render.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/image/sector_bytes.h"
#include "model/ondisk/jbd2_format.h"
#include "model/ondisk/parse.h"
#include "sim/engine/random.h"

namespace model {
namespace {

class RenderTest : public testing::TestWithParam<uint32_t> {
 protected:
  RenderTest() {
    geometry_.block_bytes = GetParam();
    layout_.geometry = geometry_;
  }
  // What is read from the block that `content` is written as.
  BlockContent ThereAndBack(Pblk pblk, const BlockContent& content) {
    return ParseBlock(geometry_, pblk, RenderBlock(layout_, images_, images_.Add(content, pblk)));
  }
  uint32_t Below(uint32_t n) { return static_cast<uint32_t>(random_.UniformBelow(n)); }
  Bitmap RandomBitmap(uint32_t begin, uint32_t end) {
    Bitmap bitmap(end);
    for (uint32_t bit = 0; bit < end; ++bit) {
      if (bit < begin || random_.OneIn(3)) bitmap.Set(bit);
    }
    return bitmap;
  }
  ExtentNode RandomNode(uint32_t capacity) {
    ExtentNode node{.eh_depth = static_cast<uint16_t>(Below(3))};
    for (uint32_t i = Below(capacity + 1); i > 0; --i) {
      if (node.eh_depth > 0) {
        node.indexes.push_back({Below(UINT32_MAX), Below(UINT32_MAX)});
      } else {
        node.extents.push_back(
            {Below(UINT32_MAX), 1 + Below(32767), Below(UINT32_MAX), random_.OneIn(2)});
      }
    }
    return node;
  }

  Geometry geometry_;
  DiskLayout layout_;
  ImageStore images_;
  sim::RandomStream random_{1, "render"};
};

TEST_P(RenderTest, WhatIsWrittenIsReadAgain) {
  for (int i = 0; i < 50; ++i) {
    const DiskSuperBlock super{Below(32), Below(1000), Below(32), random_.OneIn(2)};
    EXPECT_EQ(ThereAndBack(geometry_.superblock(), super), BlockContent(super));
    const GroupDescriptors group{Below(32768), Below(32)};
    EXPECT_EQ(ThereAndBack(geometry_.group_descriptors(), group), BlockContent(group));
    const Bitmap blocks = RandomBitmap(geometry_.superblock(), geometry_.blocks);
    EXPECT_EQ(ThereAndBack(geometry_.block_bitmap(), blocks), BlockContent(blocks));
    const Bitmap inodes = RandomBitmap(0, geometry_.inodes);
    EXPECT_EQ(ThereAndBack(geometry_.inode_bitmap(), inodes), BlockContent(inodes));
    const ExtentNode node = RandomNode(ExtentNodeCapacity(geometry_.block_bytes));
    EXPECT_EQ(ThereAndBack(geometry_.first_data(), node), BlockContent(node));
    const DirectoryBlock directory{{{"a", 12}, {"lost+found", 11}, {std::string(64, 'x'), 13}}};
    EXPECT_EQ(ThereAndBack(geometry_.root_directory(), directory), BlockContent(directory));
  }
}

TEST_P(RenderTest, InodesAreReadAgain) {
  for (int i = 0; i < 50; ++i) {
    InodeTableBlock block;
    for (uint32_t slot = 0; slot < geometry_.inodes_per_block(); ++slot) {
      DiskInode inode{.i_generation = Below(9)};
      if (!random_.OneIn(3)) {
        inode.type = random_.OneIn(4) ? FileType::kDirectory : FileType::kRegular;
        inode.i_links_count = static_cast<uint16_t>(Below(3));
        inode.i_size_bytes = random_.UniformBelow(uint64_t{1} << 40);
        inode.i_blocks = Below(1000);
        inode.next_orphan = Below(32);
        inode.inline_data = random_.OneIn(4);
        if (!inode.inline_data) inode.i_block = RandomNode(ExtentNode::kRootEntries);
      }
      block.inodes.push_back(std::move(inode));
    }
    // The last block: the journal's inode is not in it.
    EXPECT_EQ(ThereAndBack(geometry_.root_directory() - 1, block), BlockContent(block));
  }
}

TEST_P(RenderTest, BytesThatCannotBeMetadataAreNothing) {
  const DiskBytes stale(geometry_.block_bytes, 'S');
  for (Pblk pblk = geometry_.superblock(); pblk <= geometry_.first_data(); ++pblk) {
    if (pblk == geometry_.journal()) pblk = geometry_.first_data();
    if (pblk == geometry_.block_bitmap() || pblk == geometry_.inode_bitmap()) continue;
    EXPECT_EQ(ParseBlock(geometry_, pblk, stale), BlockContent()) << pblk;
  }
}

// No metadata of ours begins so by itself; a bitmap could.
TEST_P(RenderTest, CopyThatBeginsWithTheJournalsMagicNumberIsEscaped) {
  Bitmap bitmap(geometry_.inodes);
  bitmap.words[0] = 0x98393bc0;
  const ImageId copy = images_.Add(bitmap, geometry_.inode_bitmap());
  const DiskBytes home = RenderBlock(layout_, images_, copy);
  const DiskBytes in_log = RenderLogCopy(layout_, images_, copy);
  EXPECT_TRUE(BeginsWithJournalMagic(home));
  EXPECT_EQ(in_log[0] | in_log[1] | in_log[2] | in_log[3], 0);
  EXPECT_TRUE(std::equal(home.begin() + 4, home.end(), in_log.begin() + 4));
  const JournalDescriptor descriptor{1, {{geometry_.inode_bitmap(), copy}}};
  const DiskBytes tags =
      RenderBlock(layout_, images_, images_.Add(descriptor, geometry_.journal() + 1));
  EXPECT_EQ(boost::endian::load_big_u32(&tags[16]), kJbd2FlagEscape | kJbd2FlagLastTag);
}

TEST_P(RenderTest, SectorsWithEqualBytesAreTheSame) {
  InodeTableBlock old_block{std::vector<DiskInode>(geometry_.inodes_per_block())};
  InodeTableBlock new_block = old_block;
  new_block.inodes[2].i_generation = 7;  // in the second sector
  const Pblk pblk = geometry_.root_directory() - 1;
  const ImageId one = images_.Add(old_block, pblk);
  const ImageId other = images_.Add(new_block, pblk);
  const auto same = [&](SectorContent a, SectorContent b) {
    return SameBytes(geometry_, images_, a, b);
  };
  EXPECT_TRUE(same(ImageContent(one, 0), ImageContent(other, 0)));
  EXPECT_FALSE(same(ImageContent(one, 1), ImageContent(other, 1)));
  EXPECT_TRUE(same(ImageContent(one, 1), kZeroContent));
  EXPECT_FALSE(same(ImageContent(one, 1), StaleContent(1)));
  EXPECT_FALSE(same(DataContent(1, 0), ImageContent(one, 1)));
  // Behind its header a commit block is zeros: it is found if its first sector is there.
  const ImageId commit = images_.Add(JournalCommit{1}, geometry_.journal() + 1);
  EXPECT_TRUE(same(ImageContent(commit, 1), kZeroContent));
}

INSTANTIATE_TEST_SUITE_P(BlockSizes, RenderTest, testing::Values(1024, 2048, 4096));

TEST(DiskLayoutTest, ShortLogIsTurnedSoThatItNeedNotWrap) {
  const Geometry geometry{.journal_blocks = 64};
  const auto layout = MakeDiskLayout(geometry, /*s_start=*/60);
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->LogBlockOnDisk(60), 1u);
  EXPECT_EQ(layout->LogBlockOnDisk(63), 4u);
  EXPECT_EQ(layout->LogBlockOnDisk(1), 5u);
  EXPECT_EQ(layout->LogBlockOnDisk(59), 63u);
  EXPECT_EQ(layout->LogBlockOnDisk(0), 0u);
  const Pblk log = geometry.journal();
  EXPECT_EQ(layout->JournalExtents(),
            (std::vector<Extent>{
                {0, 1, log}, {1, 4, log + 60}, {5, 59, log + 1}, {64, 960, geometry.blocks}}));
}

TEST(DiskLayoutTest, LongLogIsAsTheModelHasIt) {
  const Geometry geometry{.blocks = 4096, .journal_blocks = 1024};
  const auto layout = MakeDiskLayout(geometry, /*s_start=*/1000);
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->blocks(), 4096u);
  EXPECT_EQ(layout->LogBlockOnDisk(1000), 1000u);
  EXPECT_EQ(layout->JournalExtents(), (std::vector<Extent>{{0, 1024, geometry.journal()}}));
}

TEST(DiskLayoutTest, LogOnADeviceOfItsOwnIsTurnedAndPaddedThere) {
  const Geometry geometry{.blocks = 32768, .journal_blocks = 64, .external_journal = true};
  const auto layout = MakeDiskLayout(geometry, /*s_start=*/60);
  ASSERT_TRUE(layout.ok());
  EXPECT_EQ(layout->blocks(), 32768u);
  EXPECT_EQ(layout->LogBlockOnDisk(60), 2u);
  EXPECT_EQ(layout->LogBlockOnDisk(59), 64u);
  EXPECT_EQ(layout->LogBlockOnDisk(0), 0u);
  EXPECT_EQ(layout->log_end(), 1025u);
}

TEST(DiskLayoutTest, FullGroupHasNoRoomForPadding) {
  const Geometry geometry{.block_bytes = 1024, .blocks = 8192, .journal_blocks = 64};
  EXPECT_EQ(MakeDiskLayout(geometry, 1).status().message(),
            "an image needs a journal of at least 1024 blocks, and this device has no room for 960 "
            "more: it has 8192 of at most 8193 blocks");
}

TEST(DataTagTest, SaysWhereItBelongs) {
  EXPECT_EQ(DataTag("log", 0x1200, 17), "log:1200#17    \n");
  EXPECT_EQ(DataTag("a_long_name", 0x1200, 17), "a_long_:1200#17\n");
  EXPECT_EQ(StaleTag(0x1f0), "STALE:1f0      \n");
}

}  // namespace
}  // namespace model
