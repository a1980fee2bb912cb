// What a shutdown writes, and what is left of the file system.

#include "model/vfs/syscalls.h"
#include "tests/ext4/fixture.h"

namespace model {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::IsEmpty;
using ::testing::Not;

class ShutdownTest : public ::testing::TestWithParam<GoingFlags> {
 protected:
  IoResult Write(const std::string& name, uint64_t pos, uint64_t len) {
    UserMemory memory(rig.world(), rig.world().lock_tracker().Class("&mm->mmap_lock"), 1);
    return ksys_write(rig.Open(name), memory, pos, len, WriteSync::kNone);
  }
  // What each call fails with.
  std::vector<Errno> Calls() {
    Ext4Inode& a = rig.Open("a");
    return {Write("a", 0, 512).error,   ksys_read(a, 0, 512).error, do_fsync(a, false),
            do_sys_truncate(a, 512),    rig.sbi().create("new"),    rig.sbi().unlink("b"),
            rig.sbi().rename("b", "c"), ext4_file_open(a)};
  }
  // The bios submitted from `first` on, that write.
  std::vector<std::string> WritesFrom(uint32_t first) {
    std::vector<std::string> writes;
    for (sim::BioId id{first}; id.value < rig.device().bios(); ++id.value) {
      const sim::Bio& bio = rig.device().bio(id);
      if (bio.op == sim::Bio::Op::kWrite) writes.push_back(bio.what);
    }
    return writes;
  }

  Ext4Rig rig;
};

TEST_P(ShutdownTest, EveryCallFailsFromThenOn) {
  rig.sbi().s_bdi.StartFlusher();
  rig.Story([&] {
    EXPECT_EQ(Write("a", 0, 2048).bytes, 2048u);
    EXPECT_EQ(ext4_force_shutdown(rig.sbi(), GetParam()), Errno::kOk);
    EXPECT_THAT(Calls(), Each(Errno::kIo));
    EXPECT_EQ(ext4_force_shutdown(rig.sbi(), GetParam()), Errno::kOk);
  });
}

// Also not by the flusher, which comes by every five seconds.
TEST_P(ShutdownTest, NothingIsWrittenAfterIt) {
  rig.sbi().s_bdi.StartFlusher();
  rig.Story([&] {
    (void)Write("a", 0, 2048);
    (void)ext4_force_shutdown(rig.sbi(), GetParam());
    rig.world().SleepFor(1'000'000);
    const uint32_t bios = rig.device().bios();
    rig.world().SleepFor(20'000'000'000);
    EXPECT_EQ(rig.device().bios(), bios);
  });
}

INSTANTIATE_TEST_SUITE_P(Flags, ShutdownTest,
                         testing::Values(GoingFlags::kDefault, GoingFlags::kLogflush,
                                         GoingFlags::kNologflush));

using ShutdownWritesTest = ShutdownTest;

TEST_F(ShutdownWritesTest, NologflushWritesNothing) {
  rig.Story([&] {
    (void)rig.sbi().create("new");
    (void)Write("a", 0, 2048);
    const uint32_t bios = rig.device().bios();
    (void)ext4_force_shutdown(rig.sbi(), GoingFlags::kNologflush);
    rig.world().SleepFor(1'000'000);
    EXPECT_THAT(WritesFrom(bios), IsEmpty());
  });
}

// Data that is only delayed stays behind: it belongs to no transaction.
TEST_F(ShutdownWritesTest, LogflushCommitsAndDropsDirtyData) {
  rig.Story([&] {
    (void)rig.sbi().create("new");
    (void)Write("a", 0, 2048);
    const uint32_t bios = rig.device().bios();
    (void)ext4_force_shutdown(rig.sbi(), GoingFlags::kLogflush);
    EXPECT_THAT(WritesFrom(bios), Contains(std::string("journal commit")).Times(1));
    EXPECT_THAT(WritesFrom(bios), Each(Not(std::string("file data"))));
  });
}

TEST_F(ShutdownWritesTest, DefaultWritesEverythingAndEmptiesTheLog) {
  rig.sbi().s_bdi.StartFlusher();
  rig.Story([&] {
    (void)rig.sbi().create("new");
    (void)Write("a", 0, 2048);
    const uint32_t bios = rig.device().bios();
    (void)ext4_force_shutdown(rig.sbi(), GoingFlags::kDefault);
    EXPECT_THAT(WritesFrom(bios), Contains(std::string("file data")));
    EXPECT_EQ(WritesFrom(bios).back(), "journal superblock");
    EXPECT_THAT(rig.device().pending_sectors(), IsEmpty());
  });
}

// sync(2) cannot fail: it does nothing.
TEST_F(ShutdownWritesTest, ASyncThatDoesNothingPromisesNothing) {
  rig.sbi().s_bdi.StartFlusher();
  rig.Story([&] {
    const FileKey a = rig.Open("a").key();
    (void)Write("a", 0, 512);
    (void)do_fsync(rig.Open("a"), false);
    (void)Write("a", 0, 2048);
    (void)ext4_force_shutdown(rig.sbi(), GoingFlags::kNologflush);
    EXPECT_EQ(ksys_sync(rig.sbi()), Errno::kOk);
    EXPECT_EQ(rig.history().Find(a)->promise->size_bytes, 512u);
  });
}

}  // namespace
}  // namespace model
