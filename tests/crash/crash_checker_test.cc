#include "model/crash/crash_checker.h"

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/crash/tiny_fs.h"

namespace model {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class CrashCheckerTest : public testing::Test {
 protected:
  void Story(std::function<void(TinyFs&)> story) { StoryOn({}, std::move(story)); }
  void StoryOn(sim::DeviceConfig device, std::function<void(TinyFs&)> story) {
    fs_ = std::make_unique<TinyFs>(rules_, options_, /*seed=*/1, contract_, std::move(device));
    fs_->Run([&] { story(*fs_); });
  }
  std::vector<std::string> Found() const { return fs_->Findings(); }
  std::string Detail() const { return fs_->world().findings().at(0).detail; }

  TinyRules rules_;
  CrashOptions options_;
  FileContract contract_;
  std::unique_ptr<TinyFs> fs_;
};

// --- Data ----------------------------------------------------------------------------------------

TEST_F(CrashCheckerTest, OrderedWritesAreClean) {
  contract_.zero_tail_allowed = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Write("a", 0, 1024);
    fs.Commit();
    fs.Write("a", 512, 1024);
    fs.Fsync("a");
    fs.Truncate("a", 700);
    fs.Commit();
    fs.Write("a", 700, 2000);
    fs.Checkpoint();
    fs.Fsync("a");
  });
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(CrashCheckerTest, CommitToAnotherDeviceMayOvertakeDataThatIsNotFlushed) {
  rules_.journal_is_external = true;
  rules_.flushes_data_device = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Write("a", 0, 2048);
    fs.Commit();
  });
  EXPECT_THAT(Found(), Contains("stale_data: a[0,2048) shows the disk's former contents"));
  EXPECT_THAT(Detail(), HasSubstr(", and not flushed since\n"));
  EXPECT_THAT(Detail(),
              testing::ContainsRegex("file data, sectors \\[[0-9]+, [0-9]+\\), by story"));
  EXPECT_THAT(Detail(), HasSubstr(") of the journal's device, by story"));
}

TEST_F(CrashCheckerTest, DataWrittenAfterItsCommitShowsFormerContents) {
  rules_.data_before_commit = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Write("a", 0, 2048);
    fs.Commit();
  });
  EXPECT_THAT(Found(), Contains("stale_data: a[0,2048) shows the disk's former contents"));
  EXPECT_THAT(Detail(), HasSubstr("recovery replays transactions 1 to 1"));
  EXPECT_THAT(Detail(), HasSubstr("holds what was there before mkfs"));
  EXPECT_THAT(Detail(), HasSubstr("there: bio 7, journal commit"));
}

TEST_F(CrashCheckerTest, FormerContentsAreWithinTheContractOfDataWriteback) {
  rules_.data_before_commit = false;
  options_.data_writeback = true;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Write("a", 0, 2048);
    fs.Commit();
  });
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(CrashCheckerTest, FreedBlocksReusedBeforeTheCommitShowTheOtherFile) {
  rules_.reuse_after_commit = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Create("b");
    fs.Write("a", 0, 1024);
    fs.Commit();
    fs.Truncate("a", 0);
    fs.Write("b", 0, 1024);
  });
  EXPECT_THAT(Found(), Contains("stale_data: a[0,1024) shows data of b"));
}

// One has data of b in its first half, the other in its second: no state in both.
TEST_F(CrashCheckerTest, SectorThatMayHoldTwoContentsShowsOneAtATime) {
  options_.crash_at = CrashAt::kEachFlush;
  rules_.reuse_after_commit = false;
  rules_.flush_before_commit = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Create("b");
    fs.Write("a", 0, 512);
    fs.Commit();
    fs.Flush();
    fs.Truncate("a", 0);
    fs.Write("b", 0, 256);
    fs.Settle();
    fs.Truncate("b", 0);
    fs.Write("b", 256, 256);
    fs.Commit();
  });
  EXPECT_THAT(Found(), Contains("stale_data: a[0,256) shows data of b"));
  EXPECT_THAT(Found(), Not(Contains("stale_data: a[0,512) shows data of b")));
}

// --- Names ---------------------------------------------------------------------------------------

TEST_F(CrashCheckerTest, RenameOverAFileWithDataThatIsNotThereLosesIt) {
  Story([](TinyFs& fs) {
    fs.Create("old");
    fs.Create("new");
    fs.Write("new", 0, 1024, /*data=*/false);
    fs.Rename("new", "old");
    fs.Commit();
  });
  EXPECT_THAT(Found(),
              ElementsAre("lost_data: new[0,1024) lacks data that the rename over another file had "
                          "started to write"));
}

TEST_F(CrashCheckerTest, RenameInTwoTransactionsIsFoundInBetween) {
  rules_.renames_at_once = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Create("b");
    fs.Commit();
    fs.Rename("a", "b");
  });
  EXPECT_THAT(Found(),
              ElementsAre("torn_operation: b is another file than its operations leave there"));
}

TEST_F(CrashCheckerTest, SyncPromisesTheName) {
  rules_.fsync_commits = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Commit();
    fs.Rename("a", "b");
    fs.Fsync("b");
  });
  EXPECT_THAT(Found(), Contains("lost_data: a has not the name that fsync had made durable"));
}

// In states without the unlink, whose blocks somebody has taken already.
TEST_F(CrashCheckerTest, UnlinkExplainsNothingBeforeItsTransaction) {
  rules_.reuse_after_commit = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Create("b");
    fs.Write("b", 0, 1024);
    fs.Truncate("b", 512);
    fs.Write("a", 0, 1024);
    fs.Fsync("a");
    fs.Unlink("a");
    fs.Write("b", 1024, 512);
  });
  EXPECT_THAT(Found(), Contains("lost_data: a[512,1024) lost what fsync made durable"));
}

TEST_F(CrashCheckerTest, TruncatedBytesMustNotComeBack) {
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Write("a", 0, 1024);
    fs.Commit();
    fs.Flush();
    // Up again without zeroing the tail first.
    fs.history().Truncated(fs.key("a"), 100, 2);
    fs.Truncate("a", 1024);
    fs.Commit();
  });
  EXPECT_THAT(Found(),
              Contains("stale_data: a[100,1024) shows data that a truncate or a hole had removed"));
}

TEST_F(CrashCheckerTest, RevokeThatIsNotWrittenReplaysOverData) {
  rules_.writes_revokes = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Create("b");
    fs.Write("a", 0, 1024);
    fs.Write("a", 4096, 1024);  // a node of its own
    fs.Commit();
    fs.Truncate("a", 0);
    fs.Commit();
    fs.Write("b", 0, 4096);
    fs.Commit();
  });
  EXPECT_THAT(Found(), Contains(HasSubstr("shows a metadata block")));
}

TEST_F(CrashCheckerTest, AppendedBytesMayBeZeroOnlyByContract) {
  for (const bool zero_tail_allowed : {true, false}) {
    contract_.zero_tail_allowed = zero_tail_allowed;
    Story([](TinyFs& fs) {
      fs.Create("a");
      fs.Write("a", 0, 1024, /*data=*/false);
      fs.Commit();
    });
    if (zero_tail_allowed) {
      EXPECT_THAT(Found(), IsEmpty());
    } else {
      EXPECT_THAT(Found(),
                  Contains("lost_data: a[0,1024) reads as zeros where there was only ever data"));
    }
  }
}

// --- Promises ------------------------------------------------------------------------------------

TEST_F(CrashCheckerTest, FsyncThatDoesNotCommitLosesTheFile) {
  rules_.fsync_commits = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Write("a", 0, 1024);
    fs.Fsync("a");
  });
  EXPECT_THAT(Found(), Contains("lost_data: a is gone although fsync had made it durable"));
}

TEST_F(CrashCheckerTest, FsyncThatDoesNotFlushLosesTheOverwrite) {
  rules_.fsync_commits = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Write("a", 0, 1024);
    fs.Commit();
    fs.Write("a", 0, 512);
    fs.Settle();
    fs.Fsync("a");
  });
  EXPECT_THAT(Found(), Contains("lost_data: a[0,512) lost what fsync made durable"));
}

TEST_F(CrashCheckerTest, FsyncThatDoesNotCommitLosesTheSize) {
  rules_.fsync_commits = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Commit();
    fs.Write("a", 0, 1024);
    fs.Settle();
    fs.Flush();
    fs.Fsync("a");
  });
  EXPECT_THAT(Found(), Contains("lost_data: a is shorter than fsync made durable"));
}

TEST_F(CrashCheckerTest, TruncateAfterTheFsyncExplainsTheLoss) {
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Write("a", 0, 3072);
    fs.Fsync("a");
    fs.Truncate("a", 100);
    fs.Commit();
    fs.Unlink("a");
    fs.Commit();
  });
  EXPECT_THAT(Found(), IsEmpty());
}

// --- Stories -------------------------------------------------------------------------------------

TEST_F(CrashCheckerTest, StoryOfADataWriteOnItsWay) {
  rules_.data_before_commit = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Commit();
    fs.Write("a", 0, 1024);
    fs.Commit();
  });
  EXPECT_THAT(Detail(), HasSubstr("transaction 2 makes block"));
  EXPECT_THAT(Detail(), HasSubstr("there: bio 11, journal commit of transaction 2"));
  EXPECT_THAT(Detail(), HasSubstr("rule:  a transaction that makes a block readable commits only "
                                  "once the block's data is on the device"));
}

// What came too late for a flush, and what no flush was sent after.
TEST_F(CrashCheckerTest, StoryTellsWhyAWriteIsNotDurable) {
  rules_.flush_before_commit = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Commit();
  });
  EXPECT_THAT(Detail(), HasSubstr("lost:  bio 2, journal copy of the"));
  EXPECT_THAT(Detail(), HasSubstr(", and not flushed since\n"));
}

TEST_F(CrashCheckerTest, StoryTellsThatTheDeviceLied) {
  StoryOn({.faults = {{.kind = sim::DeviceFault::Kind::kLostWrite, .nth = 1}}}, [](TinyFs& fs) {
    fs.Create("a");
    fs.Write("a", 0, 1024);
    fs.Commit();
  });
  EXPECT_THAT(Found(), Contains("stale_data: a[0,1024) shows the disk's former contents"));
  EXPECT_THAT(Detail(), HasSubstr("  lost:  nothing that was written\n"));
  EXPECT_THAT(Detail(), HasSubstr("  device lied: bio 0, file data"));
  EXPECT_THAT(Detail(), HasSubstr("it says that this was written, and has lost it\n"));
}

TEST_F(CrashCheckerTest, StoryTellsWhereAMisdirectedWriteWent) {
  const Geometry geometry = TinyFs::kGeometry;
  const uint64_t sector = geometry.first_sector(geometry.journal());
  StoryOn({.faults = {{.kind = sim::DeviceFault::Kind::kMisdirectedWrite,
                       .nth = 1,
                       .lands_at = sector}}},
          [](TinyFs& fs) {
            fs.Create("a");
            fs.Write("a", 0, 1024);
            fs.Commit();
          });
  EXPECT_THAT(Found(), Contains("metadata: the journal superblock is overwritten with something "
                                "else"));
  EXPECT_THAT(Detail(), HasSubstr("recovery fails at block"));
  EXPECT_THAT(Detail(), HasSubstr(absl::StrCat("there: bio 0, file data, sectors [", sector, ",")));
  EXPECT_THAT(Detail(), HasSubstr(absl::StrCat("and has written sectors [", sector, ",")));
}

// Half a block of the log is enough, and only where recovery comes to it.
TEST_F(CrashCheckerTest, RecoveryFailsWhereItCannotRead) {
  const Geometry geometry = TinyFs::kGeometry;
  const uint64_t second = geometry.first_sector(geometry.journal() + 2) + 1;
  const uint64_t last = geometry.first_sector(geometry.first_data()) - 1;
  const auto story = [](TinyFs& fs) {
    fs.Create("a");
    fs.Commit();
  };
  StoryOn({.faults = {{.kind = sim::DeviceFault::Kind::kFailingSector, .sector = last}}}, story);
  EXPECT_THAT(Found(), IsEmpty());
  StoryOn({.faults = {{.kind = sim::DeviceFault::Kind::kFailingSector, .sector = second}}}, story);
  EXPECT_THAT(Found(), testing::ElementsAre(StartsWith("torn_operation: the log has a commit")));
  StoryOn({.faults = {{.kind = sim::DeviceFault::Kind::kFailingSector, .sector = second - 2}}},
          story);
  EXPECT_THAT(Found(), testing::ElementsAre("unreadable: the log's block 1 cannot be read"));
}

// --- The journal ---------------------------------------------------------------------------------

TEST_F(CrashCheckerTest, CommitWithoutFlushLeavesATornTransaction) {
  rules_.flush_before_commit = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Commit();
  });
  EXPECT_THAT(Found(), Contains(StartsWith("torn_operation: the log has a commit record")));
  EXPECT_THAT(Detail(), HasSubstr("lost:  bio 2, journal copy"));
  EXPECT_THAT(Detail(), HasSubstr("there: bio 6, journal commit"));
}

TEST_F(CrashCheckerTest, TailThatOvertakesTheHomeWritesLosesATransaction) {
  rules_.flush_before_tail = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Commit();
    fs.Checkpoint();
  });
  EXPECT_THAT(Found(), Contains("torn_operation: the inode table block lacks a committed change, "
                                "and the log no longer has it"));
}

TEST_F(CrashCheckerTest, HomeWriteBeforeTheCommitShowsHalfATransaction) {
  rules_.home_after_commit = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Commit();
  });
  EXPECT_THAT(Found(), Contains(HasSubstr("a change of which the transaction is not recovered")));
}

TEST_F(CrashCheckerTest, RecoveryThatDoesNotFlushCannotBeInterrupted) {
  options_.recovery.flush_before_superblock = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Commit();
  });
  EXPECT_THAT(Found(), Contains(StartsWith("torn_operation: recovery that was interrupted")));
}

TEST_F(CrashCheckerTest, LogWrapsAndStaysClean) {
  Story([](TinyFs& fs) {
    fs.Create("a");
    for (int i = 0; i < 40; ++i) {
      fs.Write("a", 1024 * (i % 5) + 100 * i, 600);
      i % 3 == 0 ? fs.Fsync("a") : fs.Commit();
      if (i % 4 == 3) fs.Truncate("a", 100 * i);
    }
  });
  EXPECT_THAT(Found(), IsEmpty());
}

TEST_F(CrashCheckerTest, EachFlushFindsWhatIsWrongAtACommit) {
  options_.crash_at = CrashAt::kEachFlush;
  rules_.data_before_commit = false;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Write("a", 0, 2048);
    fs.Commit();
  });
  EXPECT_THAT(Found(), Contains(StartsWith("stale_data: a[0,2048)")));
}

TEST_F(CrashCheckerTest, NoneConsidersNothing) {
  options_.crash_at = CrashAt::kNone;
  Story([](TinyFs& fs) {
    fs.Create("a");
    fs.Commit();
  });
  EXPECT_EQ(fs_->checker().count().families(), 0u);
  EXPECT_EQ(fs_->checker().count().States(), "0");
}

}  // namespace
}  // namespace model
