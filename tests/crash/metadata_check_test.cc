// Each fault that the metadata oracle knows, planted in a state that is otherwise right.
#include "model/crash/metadata_check.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crash/tiny_fs.h"

namespace model {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

class MetadataCheckTest : public testing::Test {
 protected:
  // Files a, of two blocks, and b, of two extents in a node; then `damage`, and a commit.
  std::vector<std::string> Faults(std::function<void()> damage) {
    fs_.Run([&] {
      fs_.Create("a");
      fs_.Create("b");
      fs_.Write("a", 0, 2048);
      fs_.Write("b", 0, 1024);
      fs_.Write("b", 3072, 1024);
      fs_.Commit();
      damage();
      fs_.Commit();
    });
    return fs_.Findings();
  }
  void ChangeExtents(std::function<void(std::vector<Extent>&)> change) {
    fs_.ChangeInode("a", [&](DiskInode& inode) { change(inode.i_block.extents); });
  }
  const Geometry& geometry() { return fs_.geometry(); }

  TinyFs fs_{{}, {}, /*seed=*/1};
};

TEST_F(MetadataCheckTest, RightStateHasNoFaults) {
  EXPECT_THAT(Faults([] {}), IsEmpty());
}

TEST_F(MetadataCheckTest, WrongBlockCount) {
  EXPECT_THAT(Faults([&] { fs_.ChangeInode("a", [](DiskInode& inode) { inode.i_blocks = 3; }); }),
              ElementsAre("metadata: a: i_blocks is wrong"));
}

TEST_F(MetadataCheckTest, WrittenExtentBeyondSizeNeedsTheOrphanList) {
  EXPECT_THAT(
      Faults([&] { fs_.ChangeInode("a", [](DiskInode& inode) { inode.i_size_bytes = 1000; }); }),
      ElementsAre("metadata: a: written extent beyond i_size, not on the orphan list"));
}

TEST_F(MetadataCheckTest, OrphanMayHaveBlocksBeyondItsSize) {
  EXPECT_THAT(Faults([&] {
                fs_.history().Truncated(fs_.key("a"), 1000, 2);
                fs_.ChangeInode("a", [](DiskInode& inode) { inode.i_size_bytes = 1000; });
                fs_.Change<DiskSuperBlock>(geometry().superblock(), [&](DiskSuperBlock& super) {
                  super.s_last_orphan = fs_.key("a").ino;
                });
              }),
              IsEmpty());
}

TEST_F(MetadataCheckTest, UnwrittenExtentBeyondSizeIsLegal) {
  EXPECT_THAT(Faults([&] {
                fs_.history().Truncated(fs_.key("a"), 0, 2);
                fs_.ChangeInode("a", [](DiskInode& inode) {
                  inode.i_size_bytes = 0;
                  inode.i_block.extents[0].unwritten = true;
                });
              }),
              IsEmpty());
}

TEST_F(MetadataCheckTest, OrphanListMustEnd) {
  EXPECT_THAT(Faults([&] {
                const Ino ino = fs_.key("a").ino;
                fs_.Change<DiskSuperBlock>(geometry().superblock(), [&](DiskSuperBlock& super) {
                  super.s_last_orphan = ino;
                });
                fs_.ChangeInode("a", [&](DiskInode& inode) { inode.next_orphan = ino; });
              }),
              ElementsAre("metadata: orphan list: goes in a circle"));
}

TEST_F(MetadataCheckTest, OrphanMustBeInUse) {
  EXPECT_THAT(Faults([&] {
                fs_.Change<DiskSuperBlock>(geometry().superblock(),
                                           [](DiskSuperBlock& super) { super.s_last_orphan = 3; });
              }),
              ElementsAre("metadata: orphan list: names a free inode"));
}

TEST_F(MetadataCheckTest, BlockOwnedTwice) {
  EXPECT_THAT(
      Faults([&] { ChangeExtents([](std::vector<Extent>& extents) { ++extents[0].ee_start; }); }),
      Contains("metadata: a and b have a block in common"));
}

TEST_F(MetadataCheckTest, ExtentsOverlap) {
  EXPECT_THAT(Faults([&] {
                ChangeExtents([](std::vector<Extent>& extents) {
                  const Pblk start = extents[0].ee_start;
                  extents = {{0, 1, start, false}, {0, 1, start + 1, false}};
                });
              }),
              Contains("metadata: a: extents overlap or are out of order"));
}

TEST_F(MetadataCheckTest, ExtentOffTheDevice) {
  EXPECT_THAT(Faults([&] {
                ChangeExtents([&](std::vector<Extent>& extents) {
                  extents[0].ee_start = geometry().blocks - 1;
                });
              }),
              Contains("metadata: a: extent is not on the device"));
}

TEST_F(MetadataCheckTest, NodeOfWrongDepth) {
  EXPECT_THAT(
      Faults([&] { fs_.ChangeInode("b", [](DiskInode& inode) { inode.i_block.eh_depth = 2; }); }),
      Contains("metadata: b: extent node is malformed"));
}

TEST_F(MetadataCheckTest, BlockInUseMarkedFree) {
  EXPECT_THAT(Faults([&] {
                fs_.Change<Bitmap>(geometry().block_bitmap(),
                                   [&](Bitmap& map) { map.Clear(geometry().first_data()); });
              }),
              ElementsAre("metadata: block bitmap: blocks of a are marked free",
                          "metadata: free blocks: count is wrong"));
}

TEST_F(MetadataCheckTest, LeakedBlock) {
  EXPECT_THAT(Faults([&] {
                fs_.Change<Bitmap>(geometry().block_bitmap(),
                                   [&](Bitmap& map) { map.Set(geometry().blocks - 1); });
              }),
              ElementsAre("metadata: block bitmap: blocks are marked used that nothing owns",
                          "metadata: free blocks: count is wrong"));
}

TEST_F(MetadataCheckTest, InodeInUseMarkedFree) {
  EXPECT_THAT(Faults([&] {
                fs_.Change<Bitmap>(geometry().inode_bitmap(),
                                   [&](Bitmap& map) { map.Clear(kFirstIno - 1); });
              }),
              ElementsAre("metadata: inode bitmap: a is marked free",
                          "metadata: free inodes: count is wrong"));
}

TEST_F(MetadataCheckTest, EntryNamesFreeInode) {
  EXPECT_THAT(Faults([&] {
                fs_.Change<DirectoryBlock>(
                    geometry().root_directory(),
                    [](DirectoryBlock& directory) { directory.entries["c"] = 3; });
              }),
              ElementsAre("metadata: directory entry c names a free inode"));
}

TEST_F(MetadataCheckTest, LinkCount) {
  EXPECT_THAT(
      Faults([&] { fs_.ChangeInode("a", [](DiskInode& inode) { inode.i_links_count = 2; }); }),
      ElementsAre("metadata: a: wrong link count"));
}

TEST_F(MetadataCheckTest, InodeWithoutNameOrOrphanRecord) {
  EXPECT_THAT(Faults([&] {
                fs_.ChangeInode("a", [](DiskInode& inode) { inode.i_links_count = 0; });
                fs_.Change<DirectoryBlock>(
                    geometry().root_directory(),
                    [](DirectoryBlock& directory) { directory.entries.erase("a"); });
              }),
              ElementsAre("metadata: an inode in use has no name and is not on the orphan list",
                          "torn_operation: a is not there, where its operations leave a file"));
}

}  // namespace
}  // namespace model
