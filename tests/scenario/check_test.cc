#include "model/scenario/check.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace scenario {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class CheckTest : public testing::Test {
 protected:
  CheckTest() {
    scenario_.files = {{.name = "a"}};
    scenario_.threads = {{.name = "one", .ops = {{.kind = OpKind::kFsync, .file = "a"}}}};
  }

  // "pointer: message" of all there is.
  std::vector<std::string> Complaints() const {
    std::vector<std::string> complaints;
    for (const Problem& problem : CheckScenario(scenario_)) {
      complaints.push_back(problem.pointer + ": " + problem.message);
    }
    return complaints;
  }

  Op& op() { return scenario_.threads[0].ops[0]; }

  Scenario scenario_;
};

TEST_F(CheckTest, TheDefaultsFitTogether) { EXPECT_THAT(Complaints(), IsEmpty()); }

TEST_F(CheckTest, TheDeviceIsAWholeNumberOfBlocks) {
  scenario_.device.size_sectors = 8193;
  EXPECT_THAT(Complaints(), ElementsAre("/device/size_sectors: want a whole number of blocks of "
                                        "4096 bytes, got 4194816 bytes"));
}

TEST_F(CheckTest, TheDeviceHoldsJournalAndFiles) {
  scenario_.fs.journal_blocks = 1000;
  scenario_.files[0].size_bytes = 20 * 4096 + 1;
  scenario_.files[0].content = FileContent::kWritten;
  EXPECT_THAT(Complaints(),
              ElementsAre("/device/size_sectors: want room for 8 blocks of layout, 1000 of journal "
                          "and 21 of files, got 1024 blocks"));
}

TEST_F(CheckTest, AJournalOnADeviceOfItsOwnTakesNoRoomAndHasSectorsBehindTheFileSystems) {
  scenario_.fs.journal_blocks = 1024;
  scenario_.fs.journal_device = JournalDevice::kExternal;
  EXPECT_THAT(Complaints(), IsEmpty());
  const int64_t sectors = 8192 + 1024 * 8;
  scenario_.device.faults = {{.kind = FaultKind::kFailingSector, .sector = sectors - 1}};
  EXPECT_THAT(Complaints(), IsEmpty());
  scenario_.device.faults = {{.kind = FaultKind::kFailingSector, .sector = sectors},
                             {.kind = FaultKind::kMisdirectedWrite, .nth = 1, .lands_at = 8192}};
  EXPECT_THAT(
      Complaints(),
      ElementsAre("/device/faults/0/sector: want a sector of the device, below 16384, got 16384",
                  "/device/faults/1/lands_at: want a sector of the device, below 8192, got 8192"));
}

TEST_F(CheckTest, AWriteIsSynchronousInOneWay) {
  op() = {.kind = OpKind::kWrite, .file = "a", .len_bytes = 1, .sync = true, .dsync = true};
  EXPECT_THAT(Complaints(), ElementsAre("/threads/0/ops/0/dsync: want either sync or dsync"));
}

TEST_F(CheckTest, AHoleNeedsNoRoom) {
  scenario_.files[0].size_bytes = int64_t{1} << 40;
  EXPECT_THAT(Complaints(), IsEmpty());
}

TEST_F(CheckTest, EveryFileHasAnInode) {
  scenario_.fs.inodes = 1;
  scenario_.files.push_back({.name = "b"});
  EXPECT_THAT(Complaints(), ElementsAre("/fs/inodes: want one for each of 2 files, got 1"));
}

TEST_F(CheckTest, NamesAreUnique) {
  scenario_.files.push_back({.name = "a"});
  scenario_.threads.push_back(scenario_.threads[0]);
  EXPECT_THAT(Complaints(), ElementsAre("/files/1/name: the file \"a\" is there twice",
                                        "/threads/1/name: the thread \"one\" is there twice"));
}

TEST_F(CheckTest, ThreadsDoSomething) {
  scenario_.threads[0].ops.clear();
  EXPECT_THAT(Complaints(),
              ElementsAre("/threads/0/ops: want at least one operation, got a list of 0"));
  scenario_.threads.clear();
  EXPECT_THAT(Complaints(), ElementsAre("/threads: want at least one thread, got a list of 0"));
}

TEST_F(CheckTest, LatenciesAndLimitsAreInOrder) {
  scenario_.device.read_latency_ns = {2, 1};
  scenario_.fs.dirty_limit_bytes = 4096;
  EXPECT_THAT(Complaints(),
              ElementsAre("/fs/dirty_background_bytes: want at most dirty_limit_bytes (4096), got "
                          "16777216",
                          "/device/read_latency_ns: want the lowest first, got [2, 1]"));
}

TEST_F(CheckTest, AFaultHasExactlyOnePlace) {
  scenario_.device.faults = {{}, {.nth = 1, .sector = 1}, {.sector = 8192}, {.nth = 1}};
  EXPECT_THAT(
      Complaints(),
      ElementsAre("/device/faults/0: want either nth or sector",
                  "/device/faults/1: want either nth or sector",
                  "/device/faults/2/sector: want a sector of the device, below 8192, got 8192"));
}

TEST_F(CheckTest, AMisdirectedWriteIsOfDataAndLandsSomewhere) {
  const FaultKind misdirected = FaultKind::kMisdirectedWrite;
  scenario_.device.faults = {{.kind = misdirected, .nth = 1},
                             {.kind = misdirected, .sector = 1, .lands_at = 1},
                             {.kind = misdirected, .nth = 1, .lands_at = 8192},
                             {.nth = 1, .lands_at = 1},
                             {.kind = misdirected, .nth = 1, .lands_at = 8191}};
  EXPECT_THAT(
      Complaints(),
      ElementsAre("/device/faults/0: want nth and lands_at: only writes of file data are "
                  "misdirected",
                  "/device/faults/1: want nth and lands_at: only writes of file data are "
                  "misdirected",
                  "/device/faults/2/lands_at: want a sector of the device, below 8192, got 8192",
                  "/device/faults/3/lands_at: want it of a misdirected_write only"));
}

TEST_F(CheckTest, AFailingSectorIsASector) {
  scenario_.device.faults = {{.kind = FaultKind::kFailingSector, .nth = 1},
                             {.kind = FaultKind::kFailingSector, .sector = 8191}};
  EXPECT_THAT(Complaints(), ElementsAre("/device/faults/0: want sector: one that cannot be read"));
}

TEST_F(CheckTest, InlineDataFitsIntoItsInode) {
  scenario_.files[0].inline_data = true;
  scenario_.files[0].size_bytes = 4096;
  EXPECT_THAT(Complaints(),
              ElementsAre("/files/0/inline_data: want fs.inline_data for a file with inline data",
                          "/files/0/size_bytes: want at most 256 bytes of inline data, got 4096"));
}

TEST_F(CheckTest, AFaultOfUserMemoryLiesWithinTheWrite) {
  op() = {.kind = OpKind::kWrite, .file = "a", .len_bytes = 10, .fault_at_bytes = 11};
  EXPECT_THAT(Complaints(),
              ElementsAre("/threads/0/ops/0/fault_at_bytes: want at most len_bytes (10), got 11"));
}

TEST_F(CheckTest, WithoutPolicyNeedsAPolicyToLeaveOut) {
  scenario_.expect.without_policy.emplace();
  scenario_.policy = {{"skip_revoke", false}};
  EXPECT_THAT(
      Complaints(),
      ElementsAre("/expect/without_policy: want a policy that is true, for a run without it"));
}

}  // namespace
}  // namespace scenario
