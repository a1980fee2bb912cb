#include "model/recorded/medium.h"

#include "gmock/gmock.h"

namespace model {
namespace {

using testing::ElementsAre;

// A device of four sectors, each of one letter all through.
class MediumTest : public testing::Test {
 protected:
  static std::string Letters(const std::string& letters) {
    std::string bytes;
    for (const char letter : letters) bytes += std::string(512, letter);
    return bytes;
  }

  void Write(uint64_t sector, const std::string& letters, bool flush = false, bool fua = false) {
    Play({.offset_bytes = sector * 512, .flush = flush, .fua = fua}, Letters(letters));
  }
  void Flush() { Play({.flush = true}, ""); }
  void Discard(uint64_t sector) {
    Play({.offset_bytes = sector * 512, .size_bytes = 512, .discard = true}, "");
  }
  void Play(RecordedEntry entry, const std::string& bytes) {
    entry.data = kept_.emplace_back(bytes);
    if (!entry.discard) entry.size_bytes = bytes.size();
    medium_.Submit(entry, number_++);
    in_flight_ = PossibleAt(entry.offset_bytes / 512);
    medium_.Complete(entry);
  }

  // The letters that the sector may hold, the newest last; "-" is zero.
  std::string PossibleAt(uint64_t sector) const {
    std::string letters;
    for (const ContentId content : medium_.At(sector)) {
      const char letter = contents_.Bytes(content)[0];
      letters += letter == 0 ? '-' : letter;
    }
    return letters;
  }

  std::deque<std::string> kept_;
  ContentTable contents_{512};
  Medium medium_{contents_, kept_.emplace_back(Letters("abcd"))};
  uint32_t number_ = 0;
  std::string in_flight_;
};

TEST_F(MediumTest, WriteMayBeThereUntilAFlushMakesItSo) {
  Write(1, "XY");
  EXPECT_EQ(PossibleAt(0), "a");
  EXPECT_EQ(PossibleAt(1), "bX");
  EXPECT_EQ(PossibleAt(2), "cY");
  Flush();
  EXPECT_EQ(PossibleAt(1), "X");
  EXPECT_TRUE(medium_.varying().empty());
}

TEST_F(MediumTest, EveryVersionSinceTheFlushIsPossible) {
  Write(0, "X");
  Write(0, "Y");
  Write(0, "X");
  EXPECT_EQ(PossibleAt(0), "aYX");
}

TEST_F(MediumTest, EqualBytesAreOneContent) {
  Write(0, "a");
  EXPECT_EQ(PossibleAt(0), "a");
  EXPECT_TRUE(medium_.varying().empty());
}

TEST_F(MediumTest, WriteThatFlushesComesAfterItsFlush) {
  Write(0, "X");
  Write(1, "Y", /*flush=*/true);
  EXPECT_EQ(PossibleAt(0), "X");
  EXPECT_EQ(PossibleAt(1), "bY");
}

TEST_F(MediumTest, FuaWriteIsDurableOnceItHasCompleted) {
  Write(0, "X");
  Write(1, "Y", /*flush=*/false, /*fua=*/true);
  EXPECT_EQ(in_flight_, "bY");
  EXPECT_EQ(PossibleAt(1), "Y");
  EXPECT_EQ(PossibleAt(0), "aX");
}

TEST_F(MediumTest, DiscardedSectorIsAsBeforeOrZeroUntilItIsWritten) {
  Write(0, "X");
  Flush();
  Discard(0);
  Flush();
  EXPECT_EQ(PossibleAt(0), "X-");
  Write(0, "Y");
  EXPECT_EQ(PossibleAt(0), "X-Y");
  Flush();
  EXPECT_EQ(PossibleAt(0), "Y");
}

TEST_F(MediumTest, WritesBehindTheEndAreNotLookedAt) {
  Write(3, "XY");
  Write(9, "Z");
  EXPECT_EQ(PossibleAt(3), "dX");
  EXPECT_EQ(PossibleAt(9), "-");
  EXPECT_THAT(medium_.varying(), ElementsAre(3u));
}

TEST_F(MediumTest, VersionsNameTheirEntries) {
  Write(0, "X");
  Write(1, "Y");
  Write(0, "Z");
  const std::vector<UnitVersion> versions = medium_.VersionsAt(0);
  ASSERT_EQ(versions.size(), 3u);
  EXPECT_EQ(versions[0].entry, UnitVersion::kBase);
  EXPECT_EQ(versions[1].entry, 0u);
  EXPECT_EQ(versions[2].entry, 2u);
}

}  // namespace
}  // namespace model
