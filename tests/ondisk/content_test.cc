#include "model/ondisk/content.h"

#include <gmock/gmock.h>

#include <array>

#include "sim/engine/random.h"

namespace model {
namespace {

using testing::ElementsAre;

constexpr SectorContent kOld = DataContent(1, 3);
constexpr SectorContent kNew = DataContent(2, 3);

TEST(SectorContentTest, PartsReadBack) {
  EXPECT_EQ(KindOf(kZeroContent), ContentKind::kZero);
  EXPECT_EQ(KindOf(StaleContent(9)), ContentKind::kStale);
  EXPECT_EQ(KindOf(ImageContent(5, 7)), ContentKind::kImage);
  EXPECT_EQ(ImageOf(ImageContent(5, 7)), 5u);
  EXPECT_EQ(ImageSectorOf(ImageContent(5, 7)), 7u);
  EXPECT_EQ(KindOf(DataContent(0xfffffff, 0xffffffff)), ContentKind::kData);
  EXPECT_EQ(WriteOf(DataContent(0xfffffff, 3)), 0xfffffffu);
  EXPECT_EQ(GranuleIndexOf(DataContent(2, 0xffffffff)), 0xffffffffu);
}

TEST(GranuleTableTest, AWholeGranuleIsOneRun) {
  GranuleTable table;
  EXPECT_THAT(table.Runs(kOld), ElementsAre(GranuleRun{512, kOld}));
  EXPECT_EQ(table.Overlay(kOld, 0, 512, kNew), kNew);
}

TEST(GranuleTableTest, APartIsReplacedInTheMiddle) {
  GranuleTable table;
  const SectorContent mixed = table.Overlay(kOld, 100, 200, kNew);
  EXPECT_EQ(KindOf(mixed), ContentKind::kMixed);
  EXPECT_THAT(table.Runs(mixed),
              ElementsAre(GranuleRun{100, kOld}, GranuleRun{200, kNew}, GranuleRun{512, kOld}));
}

TEST(GranuleTableTest, EqualBytesAreTheSameContentHoweverTheyCameThere) {
  GranuleTable table;
  const SectorContent one = table.Overlay(kOld, 100, 200, kNew);
  const SectorContent other = table.Overlay(table.Overlay(kOld, 150, 200, kNew), 100, 160, kNew);
  EXPECT_EQ(one, other);
  EXPECT_EQ(table.Overlay(one, 100, 200, kOld), kOld);
}

TEST(GranuleTableTest, AnEmptyRangeChangesNothing) {
  GranuleTable table;
  EXPECT_EQ(table.Overlay(kOld, 100, 100, kNew), kOld);
}

TEST(GranuleTableTest, ACopyHasTheSameGranulesAndGoesItsOwnWay) {
  GranuleTable table;
  const SectorContent one = table.Overlay(kOld, 100, 200, kNew);
  const SectorContent two = table.Overlay(kOld, 100, 300, kNew);
  GranuleTable copy(table);
  EXPECT_EQ(copy.Runs(one), table.Runs(one));
  EXPECT_EQ(copy.Runs(two), table.Runs(two));
  EXPECT_EQ(copy.Overlay(one, 150, 300, kNew), two);
  const SectorContent three = copy.Overlay(one, 0, 10, kNew);
  EXPECT_EQ(table.Overlay(kOld, 0, 10, kNew), three);  // the next number in both
  EXPECT_NE(table.Runs(three), copy.Runs(three));
}

// Against bytes, one by one.
TEST(GranuleTableTest, RandomOverlaysAgreeWithBytes) {
  sim::RandomStream random(1, "content_test");
  GranuleTable table;
  for (int round = 0; round < 200; ++round) {
    SectorContent granule = kZeroContent;
    std::array<SectorContent, kGranuleBytes> bytes = {};
    for (int i = 0; i < 8; ++i) {
      const auto end = static_cast<uint32_t>(random.UniformIn(0, kGranuleBytes));
      const auto begin = static_cast<uint32_t>(random.UniformIn(0, end));
      const SectorContent with = DataContent(static_cast<WriteId>(random.UniformBelow(3)), 3);
      granule = table.Overlay(granule, begin, end, with);
      std::fill(bytes.begin() + begin, bytes.begin() + end, with);
    }
    uint32_t at = 0;
    for (const GranuleRun& run : table.Runs(granule)) {
      ASSERT_LT(at, run.end_byte);
      for (; at < run.end_byte; ++at) ASSERT_EQ(bytes.at(at), run.content);
    }
    ASSERT_EQ(at, kGranuleBytes);
  }
}

}  // namespace
}  // namespace model
