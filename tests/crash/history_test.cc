#include "model/crash/history.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/crash/file_rules.h"
#include "model/crash/state_count.h"

namespace model {
namespace {

using testing::ElementsAre;
using testing::Pair;

constexpr FileKey kFile{11, 1};

class HistoryTest : public testing::Test {
 protected:
  HistoryTest() { history_.Created(kFile, "a", {}, 0); }

  WriteId Write(uint64_t pos, uint64_t len) {
    const WriteId write = history_.BeginWrite(kFile, pos, len);
    history_.Copied(write, pos, len);
    return write;
  }
  // What read(2) gives of one byte.
  SectorContent Byte(uint64_t pos) const {
    const auto granule = static_cast<uint32_t>(pos / kGranuleBytes);
    for (const GranuleRun& run : granules_.Runs(history_.ReferenceContent(kFile, granule))) {
      if (pos % kGranuleBytes < run.end_byte) return run.content;
    }
    return kZeroContent;
  }
  const History::File& File() const { return *history_.Find(kFile); }

  GranuleTable granules_;
  History history_{granules_};
};

TEST_F(HistoryTest, ReferenceIsExactToTheByte) {
  const WriteId first = Write(0, 1000);
  const WriteId second = Write(700, 10);
  EXPECT_EQ(history_.ReferenceSize(kFile), 1000u);
  EXPECT_EQ(Byte(699), DataContent(first, 1));
  EXPECT_EQ(Byte(700), DataContent(second, 1));
  EXPECT_EQ(Byte(709), DataContent(second, 1));
  EXPECT_EQ(Byte(710), DataContent(first, 1));
  EXPECT_EQ(Byte(1000), kZeroContent);
}

TEST_F(HistoryTest, ShortCopyCountsOnlyWhatWasCopied) {
  const WriteId write = history_.BeginWrite(kFile, 0, 1024);
  history_.Copied(write, 0, 100);
  EXPECT_EQ(history_.ReferenceSize(kFile), 100u);
  EXPECT_EQ(Byte(100), kZeroContent);
}

TEST_F(HistoryTest, TruncateDownAndUpLeavesZeros) {
  Write(0, 1000);
  history_.Truncated(kFile, 600, 1);
  history_.Truncated(kFile, 900, 2);
  EXPECT_EQ(history_.ReferenceSize(kFile), 900u);
  EXPECT_NE(Byte(599), kZeroContent);
  EXPECT_EQ(Byte(600), kZeroContent);
  EXPECT_THAT(File().once_zero, ElementsAre(Pair(600, 900)));
}

TEST_F(HistoryTest, GapBehindTheOldEndWasOnceZero) {
  Write(0, 100);
  Write(300, 100);
  Write(150, 10);
  EXPECT_FALSE(File().OnceZero(99));
  EXPECT_TRUE(File().OnceZero(150));
  EXPECT_FALSE(File().OnceZero(300));
}

TEST_F(HistoryTest, OnlyTruncatesInThePrefixForbidOldWrites) {
  Write(0, 1000);
  history_.Truncated(kFile, 600, 5);
  const WriteId later = Write(600, 100);
  EXPECT_EQ(File().FirstWriteInPrefix(650, 4), 0u);
  EXPECT_EQ(File().FirstWriteInPrefix(650, 5), later);
  EXPECT_EQ(File().FirstWriteInPrefix(599, 5), 0u);
  EXPECT_TRUE(File().RemovedAfterPrefix(650, 4));
  EXPECT_FALSE(File().RemovedAfterPrefix(650, 5));
}

TEST_F(HistoryTest, HoleForbidsOldWritesInItsBlocksOnlyOnceItIsCommitted) {
  Write(0, 4096);
  history_.BeginZero(kFile, 500, 3000);
  EXPECT_NE(Byte(1500), kZeroContent);
  EXPECT_TRUE(File().OnceZero(1500));
  history_.EndZero(kFile, 1024, 2048, 5);
  EXPECT_EQ(Byte(500), kZeroContent);
  EXPECT_NE(Byte(3000), kZeroContent);
  EXPECT_EQ(File().FirstWriteInPrefix(1500, 4), 0u);
  EXPECT_EQ(File().FirstWriteInPrefix(1500, 5), 2u);
  EXPECT_EQ(File().FirstWriteInPrefix(600, 5), 0u) << "part of a block";
  EXPECT_TRUE(File().RemovedAfterPrefix(600, 4));
  EXPECT_EQ(history_.ReferenceSize(kFile), 4096u);
}

// What the hole has taken from the page cache, the sync did not see, nor the hole in a transaction.
TEST_F(HistoryTest, SyncPromisesNothingOfAHoleThatIsBeingMade) {
  Write(0, 4096);
  history_.BeginZero(kFile, 0, 1024);
  const SyncId sync = history_.BeginSync(SyncKind::kFsync, kFile);
  history_.EndZero(kFile, 0, 1024, 5);
  history_.EndSync(sync, true);
  const DurablePromise& promise = *File().promise;
  EXPECT_TRUE(File().ZeroedMeanwhile(0, promise.began, promise.ended));
  EXPECT_FALSE(File().ZeroedMeanwhile(1024, promise.began, promise.ended));
  const SyncId after = history_.BeginSync(SyncKind::kFsync, kFile);
  history_.EndSync(after, true);
  EXPECT_FALSE(File().ZeroedMeanwhile(0, File().promise->began, File().promise->ended));
}

TEST_F(HistoryTest, SyncPromisesNothingOfACallThatHasNotReturned) {
  const WriteId before = Write(0, 600);
  history_.BeginCall(kFile);
  Write(0, 2000);
  history_.EndSync(history_.BeginSync(SyncKind::kFsync, kFile), true);
  ASSERT_TRUE(File().promise.has_value());
  EXPECT_EQ(File().promise->size_bytes, 600u);
  EXPECT_EQ(File().promise->granules[0], DataContent(before, 0));
  EXPECT_EQ(history_.ReferenceSize(kFile), 2000u);
  history_.EndCall(kFile);
  history_.EndSync(history_.BeginSync(SyncKind::kFsync, kFile), true);
  EXPECT_EQ(File().promise->size_bytes, 2000u);
}

TEST_F(HistoryTest, NorDoesASyncOfARange) {
  Write(0, 600);
  history_.BeginCall(kFile);
  Write(0, 2000);
  history_.EndSync(history_.BeginSyncRange(SyncKind::kFsync, kFile, 0, 2000), true);
  history_.EndCall(kFile);
  ASSERT_EQ(File().range_promises.size(), 1u);
  EXPECT_EQ(File().range_promises[0].end, 600u);
  EXPECT_EQ(File().range_promises[0].size_bytes, 600u);
}

TEST_F(HistoryTest, WhatOthersDoWhileACallIsUnderWayIsPromised) {
  Write(0, 1536);
  history_.BeginCall(kFile);
  Write(0, 2048);
  const WriteId store = history_.BeginWrite(kFile, 512, 1536);
  history_.Stored(store, 512, 1536);
  history_.BeginZero(kFile, 0, 512);
  history_.EndZero(kFile, 0, 0, 1);
  history_.EndSync(history_.BeginSync(SyncKind::kFsync, kFile), true);
  EXPECT_THAT(File().promise->granules,
              ElementsAre(kZeroContent, DataContent(store, 1), DataContent(store, 2)));
  history_.Truncated(kFile, 512, 2);
  history_.EndSync(history_.BeginSync(SyncKind::kFsync, kFile), true);
  EXPECT_EQ(File().promise->size_bytes, 512u);
}

TEST_F(HistoryTest, OfCallsThatOverlapTheLastToReturnCounts) {
  history_.BeginCall(kFile);
  history_.BeginCall(kFile);
  Write(0, 512);
  history_.EndCall(kFile);
  history_.EndSync(history_.BeginSync(SyncKind::kFsync, kFile), true);
  EXPECT_EQ(File().promise->size_bytes, 0u);
}

TEST_F(HistoryTest, PromiseIsWhatTheFileWasWhenTheSyncBegan) {
  Write(0, 100);
  const SyncId sync = history_.BeginSync(SyncKind::kFsync, kFile);
  Write(100, 100);
  EXPECT_FALSE(File().promise.has_value());
  history_.EndSync(sync, true);
  EXPECT_EQ(File().promise->size_bytes, 100u);
}

TEST_F(HistoryTest, FailedSyncPromisesNothing) {
  history_.EndSync(history_.BeginSync(SyncKind::kFsync, kFile), false);
  EXPECT_FALSE(File().promise.has_value());
}

TEST_F(HistoryTest, SyncThatBeganEarlierTakesNothingBack) {
  const SyncId early = history_.BeginSync(SyncKind::kFsync, kFile);
  Write(0, 100);
  history_.EndSync(history_.BeginSyncAll(), true);
  history_.EndSync(early, true);
  EXPECT_EQ(File().promise->size_bytes, 100u);
  EXPECT_EQ(File().promise->kind, SyncKind::kSync);
}

TEST(StateCountTest, AddsProductsOfAnySize) {
  StateCount count;
  EXPECT_EQ(count.States(), "0");
  count.AddFamily({});      // one state
  count.AddFamily({3, 1});  // 2^3 * 3
  count.AddFamily({3, 1});
  EXPECT_EQ(count.States(), "49");
  StateCount other;
  other.AddFamily({100});
  count.Merge(other);
  EXPECT_EQ(count.families(), 4u);
  EXPECT_EQ(count.States(), "1267650600228229401496703205425");
}

// --- Past the page cache -------------------------------------------------------------------------

class DirectHistoryTest : public HistoryTest {
 protected:
  void Range(uint64_t begin, uint64_t end) {
    history_.EndSync(history_.BeginSyncRange(SyncKind::kFsync, kFile, begin, end), true);
  }
  // What is wrong with `content` as the first granule of a recovered file of one KiB.
  std::vector<Damage> Judge(SectorContent content) {
    std::vector<ByteRun> runs;
    JudgeGranule(history_, File(), {.recovered = 9, .size_bytes = 1024, .block_bytes = 1024}, 0,
                 content, runs);
    std::vector<Damage> damage;
    for (const ByteRun& run : runs) damage.push_back(run.damage);
    return damage;
  }
};

TEST_F(DirectHistoryTest, RangeIsDurableAsItIsAndTheRestIsNot) {
  const WriteId old_write = Write(0, 1024);
  const WriteId new_write = Write(0, 1024);
  Range(256, 512);
  EXPECT_THAT(Judge(DataContent(new_write, 0)), ElementsAre());
  EXPECT_THAT(Judge(DataContent(old_write, 0)), ElementsAre(Damage::kLost));
  const auto half = granules_.Overlay(DataContent(new_write, 0), 0, 256, DataContent(old_write, 0));
  EXPECT_THAT(Judge(half), ElementsAre()) << "what was not promised";
  EXPECT_EQ(PromisedSize(File(), 9), 512u);
  EXPECT_TRUE(PromisedToExist(File(), 9));
}

TEST_F(DirectHistoryTest, RangeIsPromisedUpToTheSizeOnly) {
  Write(0, 300);
  Range(0, 4096);
  EXPECT_EQ(PromisedSize(File(), 9), 300u);
  Range(400, 500);
  EXPECT_EQ(File().range_promises.size(), 1u);
}

// Blocks behind it that are zero need not have come into the file on disk.
TEST_F(DirectHistoryTest, RangePromisesASizeForItsDataOnly) {
  Write(0, 600);
  history_.Truncated(kFile, 8192, 1);
  Range(0, 8192);
  EXPECT_EQ(PromisedSize(File(), 9), 600u);
  Range(4096, 8192);
  EXPECT_EQ(PromisedSize(File(), 9), 600u);
}

TEST_F(DirectHistoryTest, RangePromisesTheNameUnlessItIsOfDataAlone) {
  Write(0, 600);
  history_.Renamed(kFile, "b", 5);
  history_.EndSync(history_.BeginSyncRange(SyncKind::kFdatasync, kFile, 0, 600), true);
  EXPECT_FALSE(LacksPromisedName(File(), 4));
  Range(0, 600);
  EXPECT_TRUE(LacksPromisedName(File(), 4));
  EXPECT_FALSE(LacksPromisedName(File(), 5));
}

TEST_F(DirectHistoryTest, RangeIsAsItWasWhenItsSyncBegan) {
  const WriteId old_write = Write(0, 1024);
  const SyncId sync = history_.BeginSyncRange(SyncKind::kFsync, kFile, 0, 1024);
  Write(0, 1024);
  history_.EndSync(sync, true);
  EXPECT_THAT(Judge(DataContent(old_write, 0)), ElementsAre());
  EXPECT_THAT(Judge(kZeroContent), ElementsAre(Damage::kLost));
}

TEST_F(DirectHistoryTest, SyncOfTheWholeTakesThePlaceOfEarlierRanges) {
  Write(0, 1024);
  Range(0, 512);
  const SyncId sync = history_.BeginSync(SyncKind::kFsync, kFile);
  Range(512, 1024);
  history_.EndSync(sync, true);
  ASSERT_EQ(File().range_promises.size(), 1u);
  EXPECT_EQ(File().range_promises[0].begin, 512u);
}

TEST_F(DirectHistoryTest, BytesThatTwoChangeAtATimeAreContested) {
  const DirectId first = history_.BeginDirect(kFile, 0, 1024, 512);
  const DirectId second = history_.BeginDirect(kFile, 512, 2048, 512);
  history_.Dirtied(kFile, 1536, 4096);
  history_.EndDirect(first, true);
  history_.EndDirect(second, true);
  history_.Dirtied(kFile, 0, 4096);
  EXPECT_THAT(File().contested, ElementsAre(Pair(512, 1024), Pair(1536, 2048)));
}

TEST_F(DirectHistoryTest, ZerosAroundADirectWriteContestWhatThePageCacheWritesThere) {
  const DirectId first = history_.BeginDirect(kFile, 512, 1024, 4096);
  const DirectId second = history_.BeginDirect(kFile, 1024, 1536, 4096);
  history_.Dirtied(kFile, 4096, 8192);
  EXPECT_THAT(File().contested, ElementsAre());
  history_.Dirtied(kFile, 0, 16384);
  EXPECT_THAT(File().contested, ElementsAre(Pair(0, 4096), Pair(0, 4096)));
  history_.EndDirect(first, true);
  history_.EndDirect(second, true);
}

TEST_F(DirectHistoryTest, BytesOfADirectWriteThatFailsAreContested) {
  history_.EndDirect(history_.BeginDirect(kFile, 512, 1024, 512), false);
  EXPECT_TRUE(File().Contested(1023, 1024));
  EXPECT_FALSE(File().Contested(0, 512));
}

TEST_F(DirectHistoryTest, OfContestedBytesItIsOnlySaidThatTheyAreNotStale) {
  const WriteId old_write = Write(0, 1024);
  Write(0, 1024);
  history_.EndSync(history_.BeginSync(SyncKind::kFsync, kFile), true);
  EXPECT_THAT(Judge(DataContent(old_write, 0)), ElementsAre(Damage::kLost));
  history_.EndDirect(history_.BeginDirect(kFile, 0, 512, 512), false);
  EXPECT_THAT(Judge(DataContent(old_write, 0)), ElementsAre());
  EXPECT_THAT(Judge(DataContent(old_write, 1)), ElementsAre(Damage::kOtherPlace));
}

TEST_F(DirectHistoryTest, NorThatTheyAreData) {
  history_.Created({12, 1}, "appended", {.zero_tail_allowed = false}, 0);
  const WriteId write = history_.BeginWrite({12, 1}, 0, 512);
  history_.Copied(write, 0, 512);
  const auto judge = [&] {
    std::vector<ByteRun> damage;
    JudgeGranule(history_, *history_.Find({12, 1}), {1, 512, 4096}, 0, kZeroContent, damage);
    return damage;
  };
  EXPECT_THAT(judge(), testing::SizeIs(1));
  history_.EndDirect(history_.BeginDirect({12, 1}, 0, 512, 512), false);
  EXPECT_THAT(judge(), ElementsAre());
}

}  // namespace
}  // namespace model
