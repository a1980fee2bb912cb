#include "sim/block/block_device.h"

#include "tests/block/device_fixture.h"

namespace sim {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class BlockDeviceTest : public testing::Test {
 protected:
  // The story runs as a task once the device is as configured.
  void Story(absl::AnyInvocable<void()> story) {
    rig_ = std::make_unique<DeviceRig>(config_);
    rig_->Run(std::move(story));
  }

  BioId Write(uint64_t sector, absl::InlinedVector<SectorContent, 8> contents) {
    return rig_->Submit(MakeWrite(sector, std::move(contents)));
  }
  BioId WriteFua(uint64_t sector, absl::InlinedVector<SectorContent, 8> contents) {
    Bio bio = MakeWrite(sector, std::move(contents));
    bio.fua = true;
    return rig_->Submit(std::move(bio));
  }
  BioId WritePreflush(uint64_t sector, absl::InlinedVector<SectorContent, 8> contents) {
    Bio bio = MakeWrite(sector, std::move(contents));
    bio.preflush = true;
    return rig_->Submit(std::move(bio));
  }
  BioId WriteData(uint64_t sector, absl::InlinedVector<SectorContent, 8> contents) {
    Bio bio = MakeWrite(sector, std::move(contents));
    bio.is_data = true;
    return rig_->Submit(std::move(bio));
  }
  BioId Read(uint64_t sector, size_t size) {
    Bio bio;
    bio.op = Bio::Op::kRead;
    bio.sector = sector;
    bio.contents.resize(size);
    return rig_->Submit(std::move(bio));
  }
  BioId Flush() { return rig_->Submit(MakeFlush()); }
  void Complete(BioId bio) { rig_->Complete(bio); }
  void CompleteWrite(uint64_t sector, absl::InlinedVector<SectorContent, 8> contents) {
    Complete(Write(sector, std::move(contents)));
  }

  std::set<SectorContent> MayHold(uint64_t sector) const { return rig_->MayHold(sector); }
  SectorContent Current(uint64_t sector) const { return rig_->device().current(sector); }
  const std::vector<uint64_t>& PendingSectors() const { return rig_->device().pending_sectors(); }

  DeviceConfig config_{.size_sectors = 64};
  std::unique_ptr<DeviceRig> rig_;
};

TEST_F(BlockDeviceTest, WriteInFlightMayBeThereButIsNotRead) {
  Story([&] {
    Write(3, {7});
    EXPECT_THAT(MayHold(3), ElementsAre(0, 7));
    EXPECT_EQ(Current(3), 0u);
    EXPECT_EQ(rig_->device().in_flight(), 1u);
  });
}

TEST_F(BlockDeviceTest, CompletedWriteIsReadButMayBeLost) {
  Story([&] {
    CompleteWrite(3, {7});
    EXPECT_THAT(MayHold(3), ElementsAre(0, 7));
    EXPECT_EQ(Current(3), 7u);
    EXPECT_EQ(rig_->device().in_flight(), 0u);
  });
}

TEST_F(BlockDeviceTest, OverwrittenVersionMayStillBeWhatIsLeft) {
  Story([&] {
    CompleteWrite(3, {7});
    CompleteWrite(3, {8});
    EXPECT_THAT(MayHold(3), ElementsAre(0, 7, 8));
    EXPECT_EQ(Current(3), 8u);
  });
}

TEST_F(BlockDeviceTest, LastOfTwoOverlappingWritesToCompleteWins) {
  Story([&] {
    const BioId first = Write(3, {7});
    CompleteWrite(3, {8});
    Complete(first);
    EXPECT_EQ(Current(3), 7u);
    Complete(Flush());
    EXPECT_THAT(MayHold(3), ElementsAre(7));
  });
}

TEST_F(BlockDeviceTest, FlushMakesCompletedWritesDurable) {
  Story([&] {
    CompleteWrite(3, {7, 8});
    Complete(Flush());
    EXPECT_THAT(MayHold(3), ElementsAre(7));
    EXPECT_THAT(MayHold(4), ElementsAre(8));
    EXPECT_THAT(PendingSectors(), IsEmpty());
  });
}

TEST_F(BlockDeviceTest, FlushDoesNotCoverWritesInFlight) {
  Story([&] {
    const BioId write = Write(3, {7});
    const BioId flush = Flush();
    Complete(write);
    Complete(flush);
    EXPECT_THAT(MayHold(3), ElementsAre(0, 7));
  });
}

TEST_F(BlockDeviceTest, VersionCompletedDuringTheFlushMayReplaceTheFlushedOne) {
  Story([&] {
    CompleteWrite(3, {7});
    const BioId flush = Flush();
    CompleteWrite(3, {8});
    Complete(flush);
    EXPECT_THAT(MayHold(3), ElementsAre(7, 8));
  });
}

TEST_F(BlockDeviceTest, EarlierFlushThatCompletesLaterTakesNothingBack) {
  Story([&] {
    CompleteWrite(3, {7});
    const BioId early = Flush();
    CompleteWrite(3, {8});
    Complete(Flush());
    Complete(early);
    EXPECT_THAT(MayHold(3), ElementsAre(8));
  });
}

TEST_F(BlockDeviceTest, FuaWriteIsDurableOnCompletionAndAlone) {
  Story([&] {
    CompleteWrite(4, {5});
    const BioId fua = WriteFua(3, {7});
    EXPECT_THAT(MayHold(3), ElementsAre(0, 7));
    Complete(fua);
    EXPECT_THAT(MayHold(3), ElementsAre(7));
    EXPECT_THAT(MayHold(4), ElementsAre(0, 5));
    EXPECT_THAT(PendingSectors(), ElementsAre(4));
  });
}

TEST_F(BlockDeviceTest, FuaWriteReplacesOlderCachedVersions) {
  Story([&] {
    CompleteWrite(3, {6});
    const BioId in_flight = Write(3, {9});
    Complete(WriteFua(3, {7}));
    EXPECT_THAT(MayHold(3), ElementsAre(7, 9));
    Complete(in_flight);
    EXPECT_EQ(Current(3), 9u);
  });
}

TEST_F(BlockDeviceTest, PreflushIsOverBeforeTheWriteBegins) {
  Story([&] {
    CompleteWrite(3, {7});
    const BioId commit = WritePreflush(9, {1});
    EXPECT_THAT(MayHold(9), ElementsAre(0));
    Complete(commit);
    EXPECT_THAT(MayHold(3), ElementsAre(7));
    EXPECT_THAT(MayHold(9), ElementsAre(0, 1));
    EXPECT_FALSE(rig_->HasEnded(commit));
    Complete(commit);
    EXPECT_EQ(rig_->StatusOf(commit), BioStatus::kOk);
  });
}

TEST_F(BlockDeviceTest, WithoutACacheCompletedWritesAreDurable) {
  config_.volatile_cache = false;
  Story([&] {
    const BioId commit = WritePreflush(3, {7});
    EXPECT_THAT(MayHold(3), ElementsAre(0, 7));
    Complete(commit);
    EXPECT_THAT(MayHold(3), ElementsAre(7));
    const BioId flush = Flush();
    Complete(flush);
    EXPECT_EQ(rig_->StatusOf(flush), BioStatus::kOk);
  });
}

TEST_F(BlockDeviceTest, LyingDeviceMakesNothingDurable) {
  config_.ignore_flush = true;
  Story([&] {
    CompleteWrite(3, {7});
    Complete(WriteFua(4, {8}));
    const BioId flush = Flush();
    Complete(flush);
    EXPECT_EQ(rig_->StatusOf(flush), BioStatus::kOk);
    EXPECT_THAT(MayHold(3), ElementsAre(0, 7));
    EXPECT_THAT(MayHold(4), ElementsAre(0, 8));
  });
}

TEST_F(BlockDeviceTest, DeviceThatIgnoresFuaStillFlushes) {
  config_.ignore_fua = true;
  Story([&] {
    Complete(WriteFua(4, {8}));
    EXPECT_THAT(MayHold(4), ElementsAre(0, 8));
    Complete(Flush());
    EXPECT_THAT(MayHold(4), ElementsAre(8));
  });
}

TEST(BioTest, AFlushIsDescribedByWhatItIsFor) {
  Bio flush = MakeFlush();
  EXPECT_EQ(Describe(flush), "flush");
  flush.what = "flush of the first device";
  EXPECT_EQ(Describe(flush), "flush of the first device");
}

TEST_F(BlockDeviceTest, FlushIsOfOneOfTwoDevices) {
  config_.second_device = 10;
  Story([&] {
    const BioId first = Write(3, {7});
    const BioId second = Write(10, {8});
    Complete(first);
    Complete(second);
    const BioId flush = Flush();
    Complete(flush);
    EXPECT_THAT(PendingSectors(), ElementsAre(10));
    EXPECT_EQ(rig_->device().FlushesOf(first).covering, flush);
    EXPECT_FALSE(rig_->device().FlushesOf(second).covering.valid());
    CompleteWrite(3, {9});
    const BioId preflush = WritePreflush(12, {1});
    Complete(preflush);
    EXPECT_THAT(PendingSectors(), ElementsAre(3, 12));
    EXPECT_EQ(rig_->device().FlushesOf(second).covering, preflush);
  });
}

TEST_F(BlockDeviceTest, LostWriteSucceedsAndLeavesTheSectorsAsTheyWere) {
  config_.faults = {{.kind = DeviceFault::Kind::kLostWrite, .sector = 4}};
  Story([&] {
    const BioId write = WriteFua(3, {7, 8});
    EXPECT_THAT(MayHold(3), ElementsAre(0));
    Complete(write);
    EXPECT_EQ(rig_->StatusOf(write), BioStatus::kOk);
    EXPECT_THAT(MayHold(3), ElementsAre(0));
    EXPECT_EQ(Current(4), 0u);
    EXPECT_THAT(PendingSectors(), IsEmpty());
  });
}

TEST_F(BlockDeviceTest, MisdirectedWriteSucceedsAtAnotherPlace) {
  config_.faults = {{.kind = DeviceFault::Kind::kMisdirectedWrite, .sector = 4, .lands_at = 9}};
  Story([&] {
    const BioId write = Write(3, {7, 8});
    EXPECT_THAT(MayHold(10), ElementsAre(0, 8));
    Complete(write);
    EXPECT_EQ(rig_->StatusOf(write), BioStatus::kOk);
    EXPECT_EQ(Current(9), 7u);
    EXPECT_EQ(Current(3), 0u);
    EXPECT_THAT(PendingSectors(), ElementsAre(9, 10));
    Complete(Flush());
    EXPECT_THAT(MayHold(9), ElementsAre(7));
    EXPECT_THAT(MayHold(3), ElementsAre(0));
  });
}

TEST_F(BlockDeviceTest, WhatIsMisdirectedBeyondTheDeviceIsLost) {
  const uint64_t last = config_.size_sectors - 1;
  config_.faults = {{.kind = DeviceFault::Kind::kMisdirectedWrite, .sector = 4, .lands_at = last}};
  Story([&] {
    Complete(WriteFua(3, {7, 8}));
    EXPECT_THAT(MayHold(last), ElementsAre(7));
    EXPECT_THAT(PendingSectors(), IsEmpty());
  });
}

TEST_F(BlockDeviceTest, FailingSectorCannotBeReadWhateverIsWritten) {
  config_.faults = {{.kind = DeviceFault::Kind::kFailingSector, .sector = 4}};
  Story([&] {
    const BioId write = Write(3, {7, 8});
    Complete(write);
    EXPECT_EQ(rig_->StatusOf(write), BioStatus::kOk);
    EXPECT_THAT(MayHold(3), ElementsAre(0, 7));
    EXPECT_THAT(MayHold(4), ElementsAre(kUnreadable));
    const BioId beside = Read(3, 1);
    const BioId across = Read(3, 2);
    Complete(beside);
    Complete(across);
    EXPECT_EQ(rig_->StatusOf(beside), BioStatus::kOk);
    EXPECT_EQ(rig_->StatusOf(across), BioStatus::kIoError);
  });
}

TEST_F(BlockDeviceTest, FailedWriteLeavesTheSectorsAsTheyWere) {
  config_.faults = {{.kind = DeviceFault::Kind::kWriteError, .sector = 4}};
  Story([&] {
    const BioId write = Write(3, {7, 8});
    EXPECT_THAT(MayHold(3), ElementsAre(0, 7));
    Complete(write);
    EXPECT_EQ(rig_->StatusOf(write), BioStatus::kIoError);
    EXPECT_THAT(MayHold(3), ElementsAre(0));
    EXPECT_THAT(PendingSectors(), IsEmpty());
  });
}

TEST_F(BlockDeviceTest, ShortWriteWritesItsFirstHalfAndFails) {
  config_.faults = {{.kind = DeviceFault::Kind::kShortWrite, .sector = 3}};
  Story([&] {
    const BioId write = WriteFua(3, {7, 8, 9});
    Complete(write);
    EXPECT_EQ(rig_->StatusOf(write), BioStatus::kIoError);
    EXPECT_THAT(MayHold(3), ElementsAre(0, 7));
    EXPECT_THAT(MayHold(4), ElementsAre(0));
    EXPECT_EQ(Current(3), 7u);
  });
}

TEST_F(BlockDeviceTest, NthFaultCountsDataWritesOnly) {
  config_.faults = {{.kind = DeviceFault::Kind::kWriteError, .nth = 2}};
  Story([&] {
    const BioId metadata = Write(0, {1});
    const BioId first = WriteData(3, {7});
    const BioId second = WriteData(3, {8});
    for (const BioId bio : {metadata, first, second}) Complete(bio);
    EXPECT_EQ(rig_->StatusOf(metadata), BioStatus::kOk);
    EXPECT_EQ(rig_->StatusOf(first), BioStatus::kOk);
    EXPECT_EQ(rig_->StatusOf(second), BioStatus::kIoError);
  });
}

TEST_F(BlockDeviceTest, ReadReturnsWhatIsCurrentWhenItCompletes) {
  Story([&] {
    const BioId read = Read(3, 2);
    CompleteWrite(3, {7});
    Write(4, {8});
    Complete(read);
    EXPECT_THAT(rig_->device().bio(read).contents, ElementsAre(7, 0));
  });
}

TEST_F(BlockDeviceTest, PendingSectorsAreSortedAndWithoutRepetition) {
  Story([&] {
    CompleteWrite(20, {1, 2});
    CompleteWrite(5, {3});
    CompleteWrite(19, {4, 5, 6, 7});
    EXPECT_THAT(PendingSectors(), ElementsAre(5, 19, 20, 21, 22));
  });
}

TEST_F(BlockDeviceTest, BiosRememberWhoSubmittedThem) {
  Story([&] {
    SIM_FRAME("submit_bh");
    const BioId write = Write(3, {7});
    const Bio& bio = rig_->device().bio(write);
    EXPECT_EQ(bio.id, write);
    EXPECT_EQ(bio.submitter, rig_->world().current().id());
    const auto frames = rig_->world().stack_table().Frames(bio.stack);
    ASSERT_FALSE(frames.empty());
    EXPECT_STREQ(frames[0]->function, "submit_bh");
  });
}

TEST_F(BlockDeviceTest, EndIoMaySubmitFromAnInterrupt) {
  Story([&] {
    Bio bio = MakeWrite(3, {7});
    BioId second;
    bio.end_io = [&](Bio&, BioStatus) {
      second = rig_->device().submit_bio(std::make_unique<Bio>(MakeWrite(4, {8})));
    };
    rig_->device().submit_bio(std::make_unique<Bio>(std::move(bio)));
    while (!second.valid()) rig_->world().SleepFor(1'000);
    EXPECT_FALSE(rig_->device().bio(second).submitter.valid());
  });
}

// Who looks at crash states is told when there are more, and when there are fewer.
class ListenerTest : public BlockDeviceTest, public DeviceListener {
 protected:
  void OnWritePossible(const BlockDevice&, const Bio& bio) override {
    heard_.push_back("write " + std::to_string(bio.sector));
  }
  void OnDurable(const BlockDevice&) override { heard_.push_back("durable"); }

  void ListeningStory(absl::AnyInvocable<void()> story) {
    Story([&] {
      rig_->device().set_listener(this);
      story();
      rig_->device().set_listener(nullptr);
    });
  }

  std::vector<std::string> heard_;
};

TEST_F(ListenerTest, OnlyChangesOfTheStatesAreTold) {
  ListeningStory([&] {
    Complete(Flush());
    CompleteWrite(3, {7});
    Complete(Flush());
    Complete(WriteFua(4, {8}));
  });
  EXPECT_THAT(heard_, ElementsAre("write 3", "durable", "write 4", "durable"));
}

TEST_F(ListenerTest, WriteBehindAPreflushIsPossibleOnlyAfterIt) {
  ListeningStory([&] {
    CompleteWrite(3, {7});
    const BioId commit = WritePreflush(9, {1});
    EXPECT_THAT(heard_, ElementsAre("write 3"));
    Complete(commit);
  });
  EXPECT_THAT(heard_, ElementsAre("write 3", "durable", "write 9"));
}

TEST_F(ListenerTest, FailedWriteTakesItsStatesAway) {
  config_.faults = {{.kind = DeviceFault::Kind::kWriteError, .sector = 3}};
  ListeningStory([&] { CompleteWrite(3, {7}); });
  EXPECT_THAT(heard_, ElementsAre("write 3", "durable"));
}

TEST_F(BlockDeviceTest, LatenciesComeFromTheSeed) {
  const auto end_of = [&](uint64_t seed) {
    DeviceRig rig(config_, seed);
    rig.Run([&] { rig.Submit(MakeWrite(3, {7})); });
    return std::pair(rig.world().now(), rig.world().digest().Value().ToHex());
  };
  EXPECT_EQ(end_of(1), end_of(1));
  EXPECT_NE(end_of(1).first, end_of(2).first);
}

// Beyond the limit of an execution: who goes on trying gets there.
TEST(DeviceFaultTest, FaultsStopBeyondTheLimit) {
  CompletionOrder first, rest;
  StackPool pool;
  StackTable stacks;
  World world({.max_turns = 100, .beyond_limit = &rest}, first, pool, stacks);
  DeviceConfig config{.size_sectors = 8};
  config.faults = {{.kind = DeviceFault::Kind::kWriteError, .sector = 4}};
  BlockDevice device(world, config, std::vector<SectorContent>(config.size_sectors));
  int failures = 0;
  world.Spawn("writer", TaskKind::kUser, [&] {
    for (std::optional<BioStatus> status; status != BioStatus::kOk;) {
      status.reset();
      Bio write = MakeWrite(4, {1});
      write.end_io = [&](Bio&, BioStatus result) { status = result; };
      device.submit_bio(std::make_unique<Bio>(std::move(write)));
      while (!status) world.SleepFor(1'000'000);
      failures += status != BioStatus::kOk ? 1 : 0;
    }
  });
  EXPECT_EQ(world.Run(), ExecutionEnd::kFinished);
  EXPECT_TRUE(world.beyond_limit());
  EXPECT_GT(failures, 10);
}

}  // namespace
}  // namespace sim
