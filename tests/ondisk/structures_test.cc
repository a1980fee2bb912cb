#include "model/ondisk/structures.h"

#include <gtest/gtest.h>

#include "model/ondisk/image_store.h"

namespace model {
namespace {

TEST(BlockContentTest, EachKindOfBlockHasItsName) {
  EXPECT_STREQ(BlockContentName(std::monostate()), "empty block");
  EXPECT_STREQ(BlockContentName(DiskSuperBlock()), "superblock");
  EXPECT_STREQ(BlockContentName(GroupDescriptors()), "group descriptor block");
  EXPECT_STREQ(BlockContentName(Bitmap()), "bitmap block");
  EXPECT_STREQ(BlockContentName(InodeTableBlock()), "inode table block");
  EXPECT_STREQ(BlockContentName(ExtentNode()), "extent node");
  EXPECT_STREQ(BlockContentName(DirectoryBlock()), "directory block");
  EXPECT_STREQ(BlockContentName(JournalSuperblock()), "journal superblock");
  EXPECT_STREQ(BlockContentName(JournalDescriptor()), "journal descriptor block");
  EXPECT_STREQ(BlockContentName(JournalRevoke()), "journal revoke block");
  EXPECT_STREQ(BlockContentName(JournalCommit()), "journal commit block");
}

TEST(BlockContentTest, CapacitiesAreThoseOfTheDiskFormat) {
  EXPECT_EQ(ExtentNodeCapacity(4096), 340u);
  EXPECT_EQ(ExtentNodeCapacity(1024), 84u);
  EXPECT_EQ(JournalTagsPerBlock({}), 253u);
  EXPECT_EQ(JournalRevokesPerBlock({}), 509u);
  EXPECT_EQ(JournalTagsPerBlock({.journal_checksum = JournalChecksum::kNone}), 337u);
  EXPECT_EQ(JournalRevokesPerBlock({.journal_checksum = JournalChecksum::kNone}), 510u);
}

TEST(BitmapTest, BitsAreSetAndClearedOneByOne) {
  Bitmap bitmap(100);
  bitmap.Set(63);
  bitmap.Set(64);
  bitmap.Clear(63);
  EXPECT_FALSE(bitmap.Test(63));
  EXPECT_TRUE(bitmap.Test(64));
}

TEST(ImageStoreTest, ImagesKeepTheirNumbers) {
  ImageStore images;
  const ImageId first = images.Add(DiskSuperBlock{7}, 0);
  const ImageId second = images.Add(JournalCommit{3}, 20);
  EXPECT_NE(first, 0u);
  EXPECT_EQ(images.Get(first), BlockContent(DiskSuperBlock{7}));
  EXPECT_EQ(images.Get(second), BlockContent(JournalCommit{3}));
}

}  // namespace
}  // namespace model
