#include "tools/import/log_writes.h"

#include <sstream>
#include <tuple>

#include "boost/endian/conversion.hpp"
#include "gmock/gmock.h"

namespace tools {
namespace {

// A log, put together by hand.
class LogWritesTest : public testing::Test {
 protected:
  static void Put64(std::string& bytes, size_t at, uint64_t value) {
    boost::endian::store_little_u64(reinterpret_cast<uint8_t*>(bytes.data()) + at, value);
  }

  LogWritesTest() {
    log_.resize(512);
    Put64(log_, 0, 0x6a736677736872);
    Put64(log_, 8, 1);
    Put64(log_, 24, 512);
  }

  void Add(uint64_t sector, uint64_t sectors, uint64_t flags, const std::string& data,
           const std::string& text = "") {
    std::string header(512, '\0');
    Put64(header, 0, sector);
    Put64(header, 8, sectors);
    Put64(header, 16, flags);
    Put64(header, 24, text.size());
    header.replace(32, text.size(), text);
    log_ += header + data;
    Put64(log_, 16, ++entries_);
  }

  std::string Error() const { return std::string(ParseLogWrites(log_).status().message()); }

  std::string log_;
  uint64_t entries_ = 0;
};

TEST_F(LogWritesTest, ReadsWritesFlushesDiscardsAndMarks) {
  const std::string data(1024, 'x');
  Add(8, 2, 0, data);
  Add(0, 0, 1, "");
  Add(4, 1, 1 | 2 | 16, data.substr(512));
  Add(100, 50, 4, "");
  Add(0, 0, 8, "", "fsync-done a");
  const auto recording = ParseLogWrites(log_);
  ASSERT_TRUE(recording.ok()) << recording.status();
  const auto& entries = recording->entries;
  ASSERT_EQ(entries.size(), 5u);
  EXPECT_EQ(entries[0].offset_bytes, 4096u);
  EXPECT_EQ(entries[0].size_bytes, 1024u);
  EXPECT_EQ(entries[0].data, data);
  EXPECT_FALSE(entries[0].flush || entries[0].fua || entries[0].discard);
  EXPECT_TRUE(entries[1].flush);
  EXPECT_EQ(entries[1].size_bytes, 0u);
  EXPECT_TRUE(entries[2].flush && entries[2].fua);
  EXPECT_TRUE(entries[3].discard);
  EXPECT_EQ(entries[3].size_bytes, 25600u);
  EXPECT_EQ(entries[4].mark, "fsync-done a");
}

TEST_F(LogWritesTest, WritesWhatItReads) {
  const std::string data(1024, 'x'), text(500, 't');
  const model::Recording recording = {
      {{.offset_bytes = 4096, .size_bytes = 1024, .data = data},
       {.flush = true},
       {.offset_bytes = 512, .size_bytes = 1024, .flush = true, .fua = true, .data = data},
       {.offset_bytes = 512, .size_bytes = 51200, .discard = true},
       {.mark = text}}};
  std::ostringstream out;
  WriteLogWrites(recording, out);
  const std::string log = out.str();
  const auto read = ParseLogWrites(log);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->entries.size(), recording.entries.size());
  for (size_t i = 0; i < recording.entries.size(); ++i) {
    const model::RecordedEntry &was = recording.entries[i], &is = read->entries[i];
    EXPECT_EQ(
        std::tie(is.offset_bytes, is.size_bytes, is.flush, is.fua, is.discard, is.data),
        std::tie(was.offset_bytes, was.size_bytes, was.flush, was.fua, was.discard, was.data));
    EXPECT_EQ(is.mark, was.mark.substr(0, 480));
  }
}

TEST_F(LogWritesTest, NamesWhereItIsCutShort) {
  Add(8, 1, 0, std::string(512, 'x'));
  Add(8, 2, 0, std::string(600, 'x'));
  EXPECT_EQ(Error(), "entry 1, at byte 1536: the log ends 600 bytes into its 1024 bytes of data");
  log_.resize(1600);
  EXPECT_EQ(Error(), "entry 1, at byte 1536: the log ends within its header");
}

TEST_F(LogWritesTest, NamesContradictions) {
  Add(0, 1, 8, std::string(512, 'x'));
  EXPECT_EQ(Error(), "entry 0, at byte 512: a mark with data");
  Put64(log_, 512 + 16, 32);
  EXPECT_EQ(Error(), "entry 0, at byte 512: unknown flags 0x20");
  Put64(log_, 512 + 16, 0);
  Put64(log_, 512 + 24, 3);
  EXPECT_EQ(Error(), "entry 0, at byte 512: a text, but no mark");
  Put64(log_, 512 + 24, 0);
  Put64(log_, 512 + 8, 0);
  EXPECT_EQ(Error(), "entry 0, at byte 512: a write of nothing");
  Put64(log_, 512 + 8, uint64_t{1} << 60);
  EXPECT_EQ(Error(),
            "entry 0, at byte 512: 1152921504606846976 sectors from 0 on are beyond any device");
  Put64(log_, 512 + 8, 0);
  Put64(log_, 512 + 16, 8);
  Put64(log_, 512 + 24, 481);
  EXPECT_EQ(Error(), "entry 0, at byte 512: a text of 481 bytes, more than fit into its sector");
}

TEST_F(LogWritesTest, RefusesWhatIsNoLog) {
  Put64(log_, 24, 100);
  EXPECT_EQ(Error(), "superblock: sectors of 100 bytes");
  Put64(log_, 8, 2);
  EXPECT_EQ(Error(), "superblock: version 2, want 1");
  log_[0] = 'x';
  EXPECT_EQ(Error(), "no log of dm-log-writes: its magic number is missing");
  log_.clear();
  EXPECT_EQ(Error(), "no log of dm-log-writes: its magic number is missing");
}

TEST_F(LogWritesTest, MoreEntriesSaidThanThereAre) {
  Add(8, 1, 0, std::string(512, 'x'));
  Put64(log_, 16, UINT64_MAX);
  EXPECT_EQ(Error(), "entry 1, at byte 1536: the log ends within its header");
}

}  // namespace
}  // namespace tools
