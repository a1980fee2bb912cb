// Files come and go; orphans are remembered on disk until they are gone.

#include "model/vfs/syscalls.h"
#include "tests/ext4/fixture.h"

namespace model {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class NameiTest : public ::testing::Test {
 protected:
  static Ext4RigOptions Options() {
    Ext4RigOptions options;
    options.files = {{.name = "a"},
                     {.name = "b"},
                     {.name = "c"},
                     {.name = "big", .size_bytes = 9000, .content = InitialContent::kWritten}};
    return options;
  }
  void AddOrphan(const std::string& name) {
    Ext4Inode& inode = rig.Open(name);
    Ext4Handle handle(rig.sbi(), 4);
    EXPECT_EQ(ext4_orphan_add(*handle, inode), Errno::kOk);
  }
  void DelOrphan(const std::string& name) {
    Ext4Inode& inode = rig.Open(name);
    Ext4Handle handle(rig.sbi(), 4);
    EXPECT_EQ(ext4_orphan_del(*handle, inode), Errno::kOk);
  }
  // As recovery would follow it.
  std::vector<Ino> OrphansOnDisk() {
    std::vector<Ino> orphans;
    Ino ino = rig.Block<DiskSuperBlock>(rig.geometry().superblock()).s_last_orphan;
    while (ino != 0 && orphans.size() < 10) {
      orphans.push_back(ino);
      const Pblk block = rig.geometry().inode_table_block(ino);
      ino = rig.Block<InodeTableBlock>(block).inodes[rig.geometry().inode_slot(ino)].next_orphan;
    }
    return orphans;
  }

  Ext4Rig rig{Options()};
};

TEST_F(NameiTest, OrphansAreChainedNewestFirst) {
  rig.Story([&] {
    for (const char* name : {"a", "b", "c", "b"}) AddOrphan(name);
    EXPECT_THAT(OrphansOnDisk(), ElementsAre(14, 13, 12));
    DelOrphan("b");
    EXPECT_THAT(OrphansOnDisk(), ElementsAre(14, 12));
    DelOrphan("c");
    DelOrphan("c");
    EXPECT_THAT(OrphansOnDisk(), ElementsAre(12));
    DelOrphan("a");
    EXPECT_THAT(OrphansOnDisk(), IsEmpty());
  });
}

TEST_F(NameiTest, UnlinkFreesEverything) {
  const int64_t free_before = ext4_count_free_clusters(rig.sbi());
  rig.Story([&] { EXPECT_EQ(rig.sbi().unlink("big"), Errno::kOk); });
  EXPECT_FALSE(rig.sbi().dcache.contains("big"));
  EXPECT_EQ(ext4_count_free_clusters(rig.sbi()), free_before + 9);
  EXPECT_THAT(OrphansOnDisk(), IsEmpty());
  EXPECT_THAT(rig.Faults(), IsEmpty());
  EXPECT_THAT(rig.Findings(), IsEmpty());
  EXPECT_THAT(rig.validator().reports(), IsEmpty());
}

TEST_F(NameiTest, UnlinkedOpenFileIsAnOrphanUntilItIsClosed) {
  rig.Story([&] {
    Ext4Inode& big = rig.Open("big");
    ++big.i_count;
    EXPECT_EQ(rig.sbi().unlink("big"), Errno::kOk);
    EXPECT_THAT(OrphansOnDisk(), ElementsAre(big.i_ino));
    EXPECT_THAT(rig.Faults(), IsEmpty());
    iput(big);
    EXPECT_THAT(OrphansOnDisk(), IsEmpty());
    EXPECT_THAT(rig.Faults(), IsEmpty());
  });
}

TEST_F(NameiTest, RenameMovesTheName) {
  rig.Story([&] {
    const FileKey a = rig.Open("a").key();
    EXPECT_EQ(rig.sbi().rename("a", "new"), Errno::kOk);
    EXPECT_EQ(rig.Open("new").key(), a);
    EXPECT_EQ(rig.sbi().lookup("a"), nullptr);
    EXPECT_EQ(rig.sbi().rename("a", "b"), Errno::kNoEnt);
    EXPECT_EQ(rig.sbi().rename("new", "new"), Errno::kOk);
  });
  const RecoveredTree tree = rig.Metadata();
  EXPECT_THAT(tree.names, UnorderedElementsAre(Pair("new", FileKey{12, 1}), Pair("b", _),
                                               Pair("c", _), Pair("big", _)));
  EXPECT_THAT(tree.faults, IsEmpty());
}

TEST_F(NameiTest, RenameOverAFileFreesIt) {
  const int64_t free_before = ext4_count_free_clusters(rig.sbi());
  rig.Story([&] { EXPECT_EQ(rig.sbi().rename("a", "big"), Errno::kOk); });
  EXPECT_EQ(ext4_count_free_clusters(rig.sbi()), free_before + 9);
  EXPECT_THAT(rig.Metadata().names,
              UnorderedElementsAre(Pair("big", FileKey{12, 1}), Pair("b", _), Pair("c", _)));
  EXPECT_THAT(OrphansOnDisk(), IsEmpty());
  EXPECT_THAT(rig.Faults(), IsEmpty());
  EXPECT_THAT(rig.validator().reports(), IsEmpty());
}

TEST_F(NameiTest, FileThatARenameReplacesIsAnOrphanUntilItIsClosed) {
  rig.Story([&] {
    Ext4Inode& big = rig.Open("big");
    ++big.i_count;
    EXPECT_EQ(rig.sbi().rename("a", "big"), Errno::kOk);
    EXPECT_THAT(OrphansOnDisk(), ElementsAre(big.i_ino));
    EXPECT_THAT(rig.Faults(), IsEmpty());
    iput(big);
    EXPECT_THAT(OrphansOnDisk(), IsEmpty());
  });
}

// Delayed allocation, as long as nobody replaces a file with it.
TEST_F(NameiTest, OnlyARenameOverAFileAllocatesWhatIsDelayed) {
  rig.Story([&] {
    UserMemory memory(rig.world(), rig.world().lock_tracker().Class("&mm->mmap_lock"), 0);
    Ext4Inode& a = rig.Open("a");
    EXPECT_EQ(ksys_write(a, memory, 0, 3000, WriteSync::kNone).bytes, 3000u);
    EXPECT_EQ(rig.sbi().rename("a", "new"), Errno::kOk);
    EXPECT_EQ(a.i_reserved_data_blocks, 3u);
    EXPECT_EQ(rig.sbi().rename("new", "b"), Errno::kOk);
    EXPECT_EQ(a.i_reserved_data_blocks, 0u);
  });
}

TEST_F(NameiTest, InodeNumberComesBackWithANewGeneration) {
  rig.Story([&] {
    EXPECT_EQ(rig.sbi().unlink("b"), Errno::kOk);
    EXPECT_EQ(rig.sbi().create("new"), Errno::kOk);
    EXPECT_EQ(rig.Open("new").key(), (FileKey{13, 2}));
    EXPECT_EQ(rig.sbi().create("new"), Errno::kExist);
    EXPECT_EQ(rig.sbi().unlink("b"), Errno::kNoEnt);
  });
  EXPECT_THAT(rig.Faults(), IsEmpty());
}

TEST_F(NameiTest, CreateFailsWhenNoInodeIsFree) {
  rig.Story([&] {
    for (int i = 0; i < 17; ++i) {
      EXPECT_EQ(rig.sbi().create("file" + std::to_string(i)), Errno::kOk);
    }
    EXPECT_EQ(rig.sbi().create("one more"), Errno::kNoSpc);
  });
  EXPECT_THAT(rig.Faults(), IsEmpty());
}

}  // namespace
}  // namespace model
