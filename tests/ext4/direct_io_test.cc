// O_DIRECT: what reaches the device and when, what the page cache keeps, which locks are shared,
// what a power cut or a failure half way leaves. Blocks are 1 KiB, the device writes in 20 us or
// more.

#include "model/vfs/syscalls.h"
#include "tests/ext4/fixture.h"

namespace model {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DirectIoTest : public ::testing::TestWithParam<bool> {
 protected:
  static Ext4RigOptions Options() {
    Ext4RigOptions options;
    options.files = {{.name = "a", .size_bytes = 8192, .content = InitialContent::kWritten},
                     {.name = "u", .size_bytes = 8192, .content = InitialContent::kUnwritten},
                     {.name = "h", .size_bytes = 8192}};
    if (GetParam()) options.ext4.iomap_files = {"a", "u", "h"};
    return options;
  }
  void MakeRig(Ext4RigOptions options) { rig.emplace(std::move(options)); }
  UserMemory Memory() {
    return {rig->world(), rig->world().lock_tracker().Class("&mm->mmap_lock"), 1};
  }
  Ext4Inode& File(const std::string& name) { return rig->Open(name); }

  // --- In tasks ---------------------------------------------------------------------------------
  IoResult Direct(const std::string& name, uint64_t pos, uint64_t len,
                  WriteSync sync = WriteSync::kNone, uint64_t readable = UINT64_MAX) {
    UserMemory memory = Memory();
    return ksys_write_direct(File(name), memory, pos, len, sync, readable);
  }
  IoResult Buffered(const std::string& name, uint64_t pos, uint64_t len) {
    UserMemory memory = Memory();
    return ksys_write(File(name), memory, pos, len, WriteSync::kNone);
  }
  std::vector<SectorContent> Read(const std::string& name, uint64_t pos, uint64_t len) {
    UserMemory memory = Memory();
    std::vector<SectorContent> granules;
    EXPECT_EQ(ksys_read_direct(File(name), memory, pos, len, granules).error, Errno::kOk);
    return granules;
  }
  // Returns while a direct write of the file is on the device, some time after its submission.
  void AwaitDirect(const std::string& name) {
    Ext4Inode& inode = File(name);
    for (int i = 0; i < 1000 && inode.i_dio_count.peek() == 0; ++i) rig->world().SleepFor(1000);
    rig->world().SleepFor(5000);
    EXPECT_GT(inode.i_dio_count.peek(), 0);
  }
  // As all its bytes should read: granule after granule.
  std::vector<SectorContent> Reference(const std::string& name, uint32_t first, uint32_t count) {
    std::vector<SectorContent> granules;
    for (uint32_t g = first; g < first + count; ++g) {
      granules.push_back(rig->history().ReferenceContent(File(name).key(), g));
    }
    return granules;
  }

  // --- Anywhere ---------------------------------------------------------------------------------
  std::vector<Extent> Extents(size_t file) { return rig->Metadata().files[file].extents; }
  // Bios of file data that match.
  template <class Matches>
  int Bios(Matches matches) {
    int count = 0;
    for (sim::BioId id{0}; id.value < rig->device().bios(); ++id.value) {
      count += matches(rig->device().bio(id)) ? 1 : 0;
    }
    return count;
  }
  void ExpectSound() {
    EXPECT_THAT(rig->Faults(), IsEmpty());
    EXPECT_THAT(rig->Findings(), IsEmpty());
    EXPECT_THAT(rig->validator().reports(), IsEmpty());
  }

  std::optional<Ext4Rig> rig{std::in_place, Options()};
};

TEST_P(DirectIoTest, WriteIsOnTheDeviceWhenItReturnsAndNotInTheCache) {
  rig->Story([&] {
    EXPECT_EQ(Direct("a", 1024, 2048).bytes, 2048u);
    EXPECT_THAT(File("a").i_mapping.folios(), IsEmpty());
    EXPECT_EQ(Read("a", 1024, 2048), Reference("a", 2, 4));
    EXPECT_THAT(Reference("a", 2, 4), Each(testing::Ne(kZeroContent)));
  });
  ExpectSound();
}

TEST_P(DirectIoTest, WhatIsDirtyIsWrittenFirstAndLeavesTheCache) {
  rig->Story([&] {
    EXPECT_EQ(Buffered("a", 0, 3000).bytes, 3000u);
    EXPECT_EQ(Direct("a", 512, 512).bytes, 512u);
    EXPECT_THAT(File("a").i_mapping.folios(), IsEmpty());
    EXPECT_EQ(Read("a", 0, 4096), Reference("a", 0, 8));
  });
  ExpectSound();
}

TEST_P(DirectIoTest, ReadWritesWhatIsDirtyAndShowsHolesAsZeros) {
  rig->Story([&] {
    EXPECT_EQ(Buffered("h", 1024, 512).bytes, 512u);
    EXPECT_EQ(Read("h", 0, 8192), Reference("h", 0, 16));
    EXPECT_THAT(Read("u", 0, 8192), Each(kZeroContent));
    EXPECT_THAT(Read("u", 8192, 512), IsEmpty()) << "nothing behind the end";
  });
  ExpectSound();
}

TEST_P(DirectIoTest, UnwrittenBlocksAreConvertedWhenTheirDataIsThere) {
  rig->Task("writer", [&] { EXPECT_EQ(Direct("u", 1024, 2048).bytes, 2048u); });
  rig->Task("looker", [&] {
    AwaitDirect("u");
    EXPECT_THAT(Extents(1), ElementsAre(IsExtent(0, 8, true)));
  });
  rig->RunToTheEnd();
  EXPECT_THAT(Extents(1),
              ElementsAre(IsExtent(0, 1, true), IsExtent(1, 2, false), IsExtent(3, 5, true)));
  ExpectSound();
}

TEST_P(DirectIoTest, HoleIsFilledAndTheRestOfItsBlocksZeroed) {
  rig->Story([&] {
    EXPECT_EQ(Direct("h", 1536, 1024).bytes, 1024u);
    EXPECT_EQ(Read("h", 1024, 2048), Reference("h", 2, 4));
    EXPECT_EQ(Reference("h", 2, 4)[0], kZeroContent);
    EXPECT_EQ(Reference("h", 2, 4)[3], kZeroContent);
  });
  EXPECT_THAT(Extents(2), ElementsAre(IsExtent(1, 2, false)));
  ExpectSound();
}

// A power cut meanwhile takes away what the size does not cover.
TEST_P(DirectIoTest, FileThatGrowsIsOnTheOrphanListUntilItHasItsSize) {
  rig->Task("writer", [&] { EXPECT_EQ(Direct("a", 8192, 2048).bytes, 2048u); });
  rig->Task("looker", [&] {
    AwaitDirect("a");
    EXPECT_TRUE(File("a").on_orphan_list.peek());
    EXPECT_EQ(File("a").i_size.peek(), 8192u);
  });
  rig->RunToTheEnd();
  EXPECT_EQ(rig->Metadata().files[0].size_bytes, 10240u);
  EXPECT_THAT(Extents(0), ElementsAre(IsExtent(0, 8, false), IsExtent(8, 2, false)));
  ExpectSound();
}

TEST_P(DirectIoTest, AppendThatFailsHalfWayLeavesNothing) {
  const int64_t free_before = ext4_count_free_clusters(rig->sbi());
  rig->Story([&] {
    EXPECT_EQ(Direct("a", 8192, 4096, WriteSync::kNone, 2048).error, Errno::kFault);
    EXPECT_EQ(File("a").i_size.load(), 8192u);
    EXPECT_FALSE(File("a").on_orphan_list.load());
    EXPECT_EQ(rig->Commit(), Errno::kOk);
  });
  EXPECT_THAT(Extents(0), ElementsAre(IsExtent(0, 8, false)));
  EXPECT_EQ(ext4_count_free_clusters(rig->sbi()), free_before);
  ExpectSound();
}

// Delayed blocks before it make i_size large already, and i_disksize not.
TEST_P(DirectIoTest, SizeOnDiskFollowsThoughTheFileIsLargeEnoughInMemory) {
  rig->Story([&] {
    EXPECT_EQ(Buffered("a", 16384, 1024).bytes, 1024u);
    EXPECT_EQ(File("a").i_disksize.load(), 8192u);
    EXPECT_EQ(Direct("a", 10240, 1024).bytes, 1024u);
    EXPECT_GE(File("a").i_disksize.load(), 11264u);
    EXPECT_EQ(rig->Commit(), Errno::kOk);
  });
  ExpectSound();
}

TEST_P(DirectIoTest, PartsOfSectorsAreRefused) {
  rig->Story([&] {
    EXPECT_EQ(Direct("a", 100, 512).error, Errno::kInval);
    EXPECT_EQ(Direct("a", 512, 100).error, Errno::kInval);
    EXPECT_EQ(Direct("a", 8192, 1000).error, Errno::kInval);
    EXPECT_EQ(File("a").i_size.load(), 8192u);
  });
  EXPECT_THAT(Extents(0), ElementsAre(IsExtent(0, 8, false)));
  ExpectSound();
}

// --- Durability ----------------------------------------------------------------------------------

TEST_P(DirectIoTest, DsyncOverwriteIsOneFuaWriteAndNoFlush) {
  const auto flushes = [](const sim::Bio& bio) {
    return bio.op == sim::Bio::Op::kFlush || bio.preflush;
  };
  FileKey key;
  rig->Story([&] {
    EXPECT_EQ(rig->Commit(), Errno::kOk);
    // Its times: fdatasync needs them not.
    EXPECT_EQ(Direct("a", 0, 1024, WriteSync::kDsync).bytes, 1024u);
    key = File("a").key();
  });
  EXPECT_EQ(Bios([](const sim::Bio& bio) { return bio.is_data && bio.fua; }), 1);
  EXPECT_EQ(Bios(flushes), 0);
  const History::File& file = *rig->history().Find(key);
  EXPECT_FALSE(file.promise.has_value());
  ASSERT_EQ(file.range_promises.size(), 1u);
  EXPECT_TRUE(file.range_promises[0].Covers(0));
  EXPECT_FALSE(file.range_promises[0].Covers(1024));
}

TEST_P(DirectIoTest, DsyncWriteThatAllocatesCommits) {
  rig->Story([&] {
    EXPECT_EQ(Direct("h", 0, 1024, WriteSync::kDsync).bytes, 1024u);
    EXPECT_EQ(rig->sbi().s_journal.running_tid(), 0u);
    EXPECT_EQ(rig->history().Find(File("h").key())->range_promises.size(), 1u);
  });
  EXPECT_EQ(Bios([](const sim::Bio& bio) { return bio.is_data && bio.fua; }), 0);
}

TEST_P(DirectIoTest, WriteByItselfPromisesNothing) {
  rig->Story([&] {
    (void)Direct("a", 0, 1024);
    const History::File& file = *rig->history().Find(File("a").key());
    EXPECT_FALSE(file.promise.has_value());
    EXPECT_THAT(file.range_promises, IsEmpty());
  });
}

// --- Locks ---------------------------------------------------------------------------------------

TEST_P(DirectIoTest, OnlyWritesOfBlocksThatAreThereShareTheLock) {
  struct Pair {
    const char* file;
    uint64_t first, second, len;
    int under_way;
  };
  for (const Pair& pair :
       {Pair{"a", 0, 4096, 1024, 2}, Pair{"a", 0, 512, 512, 2}, Pair{"u", 0, 4096, 1024, 2},
        Pair{"u", 0, 512, 512, 1}, Pair{"h", 0, 4096, 1024, 1}, Pair{"a", 8192, 9216, 1024, 1}}) {
    MakeRig(Options());
    for (const uint64_t pos : {pair.first, pair.second}) {
      rig->Task("writer", [this, pair, pos] { (void)Direct(pair.file, pos, pair.len); });
    }
    rig->Task("looker", [&] {
      AwaitDirect(pair.file);
      EXPECT_EQ(File(pair.file).i_dio_count.peek(), pair.under_way) << pair.file << pair.second;
    });
    rig->RunToTheEnd();
    ExpectSound();
  }
}

// --- Asynchronous writes -------------------------------------------------------------------------

class AsyncWriteTest : public DirectIoTest {
 protected:
  // In a task: what the write came to, if it is there yet.
  std::shared_ptr<std::optional<IoResult>> Submit(const std::string& name, uint64_t pos,
                                                  uint64_t len) {
    auto result = std::make_shared<std::optional<IoResult>>();
    const IoResult submitted = io_submit_write(File(name), memory_, pos, len, WriteSync::kNone,
                                               [result](IoResult done) { *result = done; });
    if (submitted.error != Errno::kIocbQueued) *result = submitted;
    return result;
  }

  UserMemory memory_ = Memory();
};

TEST_P(AsyncWriteTest, GoesOnAfterTheCallAndConvertsItsBlocks) {
  rig->Story([&] {
    const auto result = Submit("u", 0, 2048);
    EXPECT_FALSE(result->has_value());
    EXPECT_FALSE(File("u").i_rwsem.is_locked());
    inode_dio_wait(File("u"));
    rig->world().SleepFor(1000);
    ASSERT_TRUE(result->has_value());
    EXPECT_EQ((*result)->bytes, 2048u);
  });
  EXPECT_THAT(Extents(1), ElementsAre(IsExtent(0, 2, false), IsExtent(2, 6, true)));
  ExpectSound();
}

TEST_P(AsyncWriteTest, ThatMakesTheFileGrowIsOverWhenTheCallReturns) {
  rig->Story([&] {
    const auto result = Submit("a", 8192, 1024);
    ASSERT_TRUE(result->has_value());
    EXPECT_EQ((*result)->bytes, 1024u);
  });
  ExpectSound();
}

TEST_P(AsyncWriteTest, IsWaitedForByWhoeverTakesBlocksAway) {
  for (const auto& take : std::vector<std::function<Errno()>>{
           [&] { return do_sys_truncate(File("u"), 0); },
           [&] { return ksys_fallocate(File("u"), FallocMode::kPunchHole, 0, 8192); }}) {
    MakeRig(Options());
    UserMemory memory = Memory();
    rig->Story([&] {
      bool done = false;
      const IoResult submitted =
          io_submit_write(File("u"), memory, 0, 2048, WriteSync::kNone, [&](IoResult result) {
            EXPECT_EQ(result.bytes, 2048u);
            done = true;
          });
      EXPECT_EQ(submitted.error, Errno::kIocbQueued);
      EXPECT_EQ(take(), Errno::kOk);
      EXPECT_EQ(File("u").i_dio_count.load(), 0);
      rig->world().SleepFor(1000);
      EXPECT_TRUE(done);
      EXPECT_EQ(rig->Commit(), Errno::kOk);
    });
    EXPECT_THAT(Extents(1), IsEmpty());
    ExpectSound();
  }
}

// The one who submitted it is long gone.
TEST_P(AsyncWriteTest, HoldsOffFreezingUntilItIsOver) {
  std::shared_ptr<std::optional<IoResult>> result;
  rig->sbi().s_bdi.StartFlusher();
  rig->Task("writer", [&] { result = Submit("u", 0, 2048); });
  rig->Task("freezer", [&] {
    AwaitDirect("u");
    EXPECT_FALSE(result->has_value());
    EXPECT_FALSE(rig->sbi().s_writers.rwsem().down_write_trylock());
    EXPECT_EQ(freeze_super(rig->sbi()), Errno::kOk);
    EXPECT_TRUE(result->has_value());
    thaw_super(rig->sbi());
  });
  rig->RunToTheEnd();
  ExpectSound();
}

INSTANTIATE_TEST_SUITE_P(Kinds, DirectIoTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Iomap" : "BufferHead"; });
INSTANTIATE_TEST_SUITE_P(Kinds, AsyncWriteTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "Iomap" : "BufferHead"; });

}  // namespace
}  // namespace model
