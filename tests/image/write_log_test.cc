#include "model/image/write_log.h"

#include "sim/engine/random.h"
#include "tests/block/device_fixture.h"

namespace model {
namespace {

using sim::BioId;
using sim::DeviceConfig;
using testing::ElementsAre;

constexpr uint64_t kSectors = 6;

// A device that is logged. The verbs are for the story.
class Logged {
 public:
  explicit Logged(const DeviceConfig& config) : rig_(config) {
    rig_.device().set_bio_listener(&log_);
  }
  // The log in letters: the contents of a write, F for a flush, + for FUA.
  std::vector<std::string> Tell(absl::AnyInvocable<void(Logged&)> story) {
    rig_.Run([&] { story(*this); });
    std::vector<std::string> told;
    for (const LoggedWrite& write : log_.Finish()) {
      std::string text = write.mark + (write.flush ? "F" : "");
      for (const SectorContent content : write.contents) text += std::to_string(content);
      told.push_back(text + (write.fua ? "+" : ""));
    }
    return told;
  }

  BioId Write(uint64_t content, bool preflush = false, bool fua = false) {
    sim::Bio bio = sim::MakeWrite(content, {content});
    bio.preflush = preflush;
    bio.fua = fua;
    return rig_.Submit(std::move(bio));
  }
  BioId Flush() { return rig_.Submit(sim::MakeFlush()); }
  void Complete(BioId bio) { rig_.Complete(bio); }
  void Mark(const std::string& text) { log_.Mark(text); }

 private:
  sim::DeviceRig rig_;
  WriteLog log_;
};

// The example of the kernel's documentation.
TEST(WriteLogTest, WriteThatAFlushDoesNotCoverComesAfterIt) {
  EXPECT_THAT(Logged({.size_sectors = 8}).Tell([](Logged& device) {
    const BioId one = device.Write(1), two = device.Write(2), three = device.Write(3);
    device.Complete(three);
    device.Complete(two);
    const BioId flush = device.Flush();
    device.Complete(one);
    device.Complete(flush);
  }),
              ElementsAre("3", "2", "F", "1"));
}

TEST(WriteLogTest, CommitBlockIsFuaAfterItsFlush) {
  EXPECT_THAT(Logged({.size_sectors = 8}).Tell([](Logged& device) {
    device.Complete(device.Write(1));
    const BioId commit = device.Write(2, true, true);
    const BioId late = device.Write(3);
    device.Complete(late);
    device.Mark("now");
    device.Complete(commit);
    device.Complete(commit);
  }),
              ElementsAre("1", "now", "F", "3", "2+"));
}

TEST(WriteLogTest, WithoutACacheEveryWriteIsDurable) {
  EXPECT_THAT(Logged({.size_sectors = 8, .volatile_cache = false}).Tell([](Logged& device) {
    device.Complete(device.Write(1));
  }),
              ElementsAre("1+"));
}

TEST(WriteLogTest, FlushesThatAreIgnoredAreNone) {
  EXPECT_THAT(Logged({.size_sectors = 8, .ignore_flush = true}).Tell([](Logged& device) {
    device.Complete(device.Write(1));
    device.Complete(device.Flush());
    device.Complete(device.Write(2, false, true));
  }),
              ElementsAre("1", "2"));
}

TEST(WriteLogTest, FailedWriteIsThereAsFarAsItCame) {
  const DeviceConfig config = {
      .size_sectors = 8,
      .faults = {{.kind = sim::DeviceFault::Kind::kWriteError, .sector = 1},
                 {.kind = sim::DeviceFault::Kind::kShortWrite, .sector = 4}}};
  sim::DeviceRig rig(config);
  WriteLog log;
  rig.device().set_bio_listener(&log);
  rig.Run([&] {
    rig.Complete(rig.Submit(sim::MakeWrite(1, {1})));
    rig.Complete(rig.Submit(sim::MakeWrite(3, {3, 4})));
  });
  const std::vector<LoggedWrite> writes = log.Finish();
  ASSERT_EQ(writes.size(), 1u);
  EXPECT_THAT(writes[0].contents, ElementsAre(3));
}

using SectorSets = std::vector<std::set<SectorContent>>;

// What a reader of the log takes to be possible, after each of its marks: as recordings are read
// (model/recorded/medium.h), anew.
std::vector<SectorSets> Told(const std::vector<LoggedWrite>& log) {
  std::vector<std::vector<SectorContent>> versions(kSectors, {0});
  const auto keep_last = [](std::vector<SectorContent>& v) { v.erase(v.begin(), v.end() - 1); };
  std::vector<SectorSets> told;
  for (const LoggedWrite& write : log) {
    if (write.flush) std::for_each(versions.begin(), versions.end(), keep_last);
    for (size_t i = 0; i < write.contents.size(); ++i) {
      std::vector<SectorContent>& sector = versions[write.sector + i];
      sector.push_back(write.contents[i]);
      if (write.fua) keep_last(sector);
    }
    if (write.mark.empty()) continue;
    SectorSets& sets = told.emplace_back();
    for (const auto& sector : versions) sets.emplace_back(sector.begin(), sector.end());
  }
  return told;
}

// Whatever is in flight with whatever: no state that the log tells is impossible.
TEST(WriteLogTest, TellsNoStateThatThereIsNot) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    sim::RandomStream random(seed, "stories");
    sim::DeviceRig rig({.size_sectors = kSectors});
    WriteLog log;
    rig.device().set_bio_listener(&log);
    std::vector<SectorSets> possible;
    rig.Run([&] {
      std::vector<BioId> in_flight;
      for (SectorContent content = 1; content <= 60; ++content) {
        if (in_flight.empty() || random.OneIn(2)) {
          sim::Bio bio = sim::MakeFlush();
          if (!random.OneIn(4)) {
            // A sector is always written the same way, as those of a file system are.
            const uint64_t sector = random.UniformBelow(kSectors);
            bio = sim::MakeWrite(sector, {content});
            bio.fua = sector < 2;
            bio.preflush = random.OneIn(6);
          }
          in_flight.push_back(rig.Submit(std::move(bio)));
        } else {
          std::swap(in_flight[random.UniformBelow(in_flight.size())], in_flight.back());
          rig.Complete(in_flight.back());
          if (rig.HasEnded(in_flight.back())) in_flight.pop_back();
        }
        log.Mark("now");
        SectorSets& sets = possible.emplace_back();
        for (uint64_t sector = 0; sector < kSectors; ++sector) {
          sets.push_back(rig.MayHold(sector));
        }
      }
    });
    const std::vector<SectorSets> told = Told(log.Finish());
    ASSERT_EQ(told.size(), possible.size());
    for (size_t i = 0; i < told.size(); ++i) {
      for (uint64_t sector = 0; sector < kSectors; ++sector) {
        for (const SectorContent content : told[i][sector]) {
          ASSERT_TRUE(possible[i][sector].contains(content))
              << "seed " << seed << ", step " << i << ", sector " << sector;
        }
      }
    }
  }
}

}  // namespace
}  // namespace model
