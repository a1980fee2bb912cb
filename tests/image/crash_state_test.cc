#include "model/image/crash_state.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/block/device_fixture.h"

namespace model {
namespace {

// Sector 3 may hold two contents, sectors 5 and 6 three and two.
class CrashStateTest : public testing::Test {
 protected:
  CrashStateTest() {
    rig_.Run([this] {
      Write(3, {31});
      Write(5, {51, 61});
      Write(5, {52});
      oldest_ = OldestState(rig_.device());
      newest_ = NewestState(rig_.device());
      states_ = StatesOf(rig_.device());
      for (int i = 0; i < 12; ++i) {
        const auto state = NumberedState(rig_.device(), std::to_string(i));
        ASSERT_TRUE(state.ok()) << state.status();
        numbered_.push_back(*state);
      }
      for (const char* number : {"12", "99999999999999999999999999", "-1", "", "0x1", "1 "}) {
        errors_.push_back(std::string(NumberedState(rig_.device(), number).status().message()));
      }
      leading_zeros_ = *NumberedState(rig_.device(), "0010");
    });
  }
  void Write(uint64_t sector, std::initializer_list<SectorContent> contents) {
    sim::Bio bio;
    bio.sector = sector;
    bio.contents.assign(contents.begin(), contents.end());
    rig_.Submit(std::move(bio));
  }

  sim::DeviceRig rig_{sim::DeviceConfig{.size_sectors = 8}};
  DiskState oldest_, newest_, leading_zeros_;
  std::string states_;
  std::vector<DiskState> numbered_;
  std::vector<std::string> errors_;
};

TEST_F(CrashStateTest, OldestAndNewestAreTheEnds) {
  EXPECT_THAT(oldest_, testing::Each(0));
  EXPECT_EQ(newest_, (DiskState{0, 0, 0, 31, 0, 52, 61, 0}));
}

TEST_F(CrashStateTest, EveryStateHasANumber) {
  EXPECT_EQ(states_, "12");
  EXPECT_EQ(numbered_.front(), oldest_);
  EXPECT_EQ(numbered_.back(), newest_);
  EXPECT_EQ(std::set<DiskState>(numbered_.begin(), numbered_.end()).size(), 12u);
  EXPECT_EQ(numbered_[1], (DiskState{0, 0, 0, 31, 0, 0, 0, 0}));
  EXPECT_EQ(numbered_[2], (DiskState{0, 0, 0, 0, 0, 51, 0, 0}));
  EXPECT_EQ(leading_zeros_, numbered_[10]);
}

TEST_F(CrashStateTest, OtherNumbersAreErrors) {
  EXPECT_THAT(
      errors_,
      testing::ElementsAre(
          "there is no state 12: the family has 12, counted from 0",
          "there is no state 99999999999999999999999999: the family has 12, "
          "counted from 0",
          "want the number of a state, got \"-1\"", "want the number of a state, got \"\"",
          "want the number of a state, got \"0x1\"", "want the number of a state, got \"1 \""));
}

// Behind its header a commit block is zeros, as a log block is that was never used.
TEST(StateViewTest, CommitBlockIsFoundByItsFirstSectorIfTheOthersAreZeroAnyway) {
  const Geometry geometry;
  ImageStore images;
  const Pblk log = geometry.journal();
  const ImageId super = images.Add(JournalSuperblock{.s_start = 1, .s_sequence = 1}, log);
  const ImageId commit = images.Add(JournalCommit{1}, log + 1);
  DiskState state(geometry.first_sector(geometry.blocks));
  state[geometry.first_sector(log)] = ImageContent(super, 0);
  state[geometry.first_sector(log + 1)] = ImageContent(commit, 0);
  const StateView view(state);
  EXPECT_EQ(ScanJournal(view, geometry, images)[0].recovered, 1u);
  state[geometry.first_sector(log + 1) + 7] = StaleContent(1);
  EXPECT_EQ(ScanJournal(view, geometry, images)[0].recovered, 0u);
}

}  // namespace
}  // namespace model
