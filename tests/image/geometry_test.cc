// The model's layout is the one that libext2fs makes of the same parameters.
#include "model/ondisk/geometry.h"

#include <ext2fs/ext2fs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "gtest/gtest.h"
#include "model/ondisk/disk_layout.h"

namespace model {
namespace {

class GeometryTest : public testing::TestWithParam<uint32_t> {
 protected:
  GeometryTest() : path_(testing::TempDir() + "crashdep-geometry-XXXXXX") {
    geometry_.block_bytes = GetParam();
    close(mkstemp(path_.data()));
    std::filesystem::resize_file(path_, uint64_t{geometry_.blocks} * geometry_.block_bytes);
    ext2_super_block param = {};
    param.s_rev_level = EXT2_DYNAMIC_REV;
    param.s_log_block_size = geometry_.block_bytes == 1024 ? 0 : geometry_.block_bytes / 2048;
    param.s_blocks_count = geometry_.blocks;
    param.s_inodes_count = geometry_.inodes;
    param.s_inode_size = kInodeBytes;
    EXPECT_EQ(ext2fs_initialize(path_.c_str(), EXT2_FLAG_64BITS, &param, unix_io_manager, &fs_), 0);
    EXPECT_EQ(ext2fs_allocate_tables(fs_), 0);
  }
  ~GeometryTest() override {
    ext2fs_free(fs_);
    std::filesystem::remove(path_);
  }
  Pblk FirstFreeBlock() {
    blk64_t pblk = 0;
    EXPECT_EQ(ext2fs_new_block2(fs_, 0, nullptr, &pblk), 0);
    return static_cast<Pblk>(pblk);
  }

  Geometry geometry_;
  std::string path_;
  ext2_filsys fs_ = nullptr;
};

TEST_P(GeometryTest, TablesAreWhereLibext2fsPutsThem) {
  EXPECT_EQ(geometry_.inodes, fs_->super->s_inodes_count);
  EXPECT_EQ(geometry_.superblock(), fs_->super->s_first_data_block);
  EXPECT_EQ(geometry_.block_bitmap(), ext2fs_block_bitmap_loc(fs_, 0));
  EXPECT_EQ(geometry_.inode_bitmap(), ext2fs_inode_bitmap_loc(fs_, 0));
  EXPECT_EQ(geometry_.inode_table(), ext2fs_inode_table_loc(fs_, 0));
  EXPECT_EQ(geometry_.inode_table_blocks(), fs_->inode_blocks_per_group);
}

TEST_P(GeometryTest, DirectoriesAndJournalFollowAsTheyAreAllocated) {
  EXPECT_EQ(geometry_.root_directory(), FirstFreeBlock());
  EXPECT_EQ(ext2fs_mkdir(fs_, EXT2_ROOT_INO, EXT2_ROOT_INO, nullptr), 0);
  EXPECT_EQ(geometry_.lost_found(), FirstFreeBlock());
  for (ext2_ino_t ino = 1; ino < kFirstIno; ++ino) {
    if (ino != EXT2_ROOT_INO) ext2fs_inode_alloc_stats2(fs_, ino, +1, 0);
  }
  EXPECT_EQ(ext2fs_mkdir(fs_, EXT2_ROOT_INO, 0, "lost+found"), 0);
  ext2_ino_t lost_found = 0;
  EXPECT_EQ(ext2fs_namei(fs_, EXT2_ROOT_INO, EXT2_ROOT_INO, "lost+found", &lost_found), 0);
  EXPECT_EQ(kLostFoundIno, lost_found);
  EXPECT_EQ(geometry_.journal(), FirstFreeBlock());
}

TEST_P(GeometryTest, JournalOnADeviceOfItsOwnIsWhereLibext2fsPutsIt) {
  geometry_.external_journal = true;
  const DiskLayout layout{.geometry = geometry_};
  EXPECT_EQ(layout.journal_superblock(),
            static_cast<uint32_t>(ext2fs_journal_sb_start(static_cast<int>(GetParam()))));
  EXPECT_EQ(geometry_.first_data(), geometry_.lost_found() + 1);
  EXPECT_EQ(geometry_.journal(), geometry_.blocks);
}

INSTANTIATE_TEST_SUITE_P(BlockSizes, GeometryTest, testing::Values(1024, 2048, 4096));

}  // namespace
}  // namespace model
