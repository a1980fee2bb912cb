#include "tools/log_command.h"

#include "gmock/gmock.h"
#include "tests/tools/fake_backend.h"
#include "tools/import/log_writes.h"
#include "tools/tag_file.h"

namespace tools {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

class LogCommandTest : public CommandTest {
 protected:
  std::string trace_ = Put("t.json", R"({"kind": "stale_data"})");
  std::string log_ = Path("a.log");
};

TEST_F(LogCommandTest, WritesLogDeviceAndTags) {
  EXPECT_EQ(Crashdep({"log", trace_, "-o", log_}), 0);
  EXPECT_EQ(out_, "scenario  s\nentries   3, 2 of them marks\n\nwritten: " + log_ + ", " + log_ +
                      ".img and " + log_ + ".tags\n\njudge it: crashdep crash " + log_ +
                      " --base " + log_ + ".img --tags " + log_ + ".tags --stale-pattern STALE:\n");
  const std::string bytes = Get("a.log");
  const auto recording = ParseLogWrites(bytes);
  ASSERT_TRUE(recording.ok()) << recording.status();
  ASSERT_EQ(recording->entries.size(), 3u);
  EXPECT_EQ(recording->entries[0].mark, "crashdep log of s");
  EXPECT_EQ(recording->entries[1].data, std::string(512, 'a'));
  EXPECT_EQ(recording->entries[2].mark, "fsync-done a");
  EXPECT_THAT(Get("a.log.img"), EndsWith("crashdep"));
  const auto tags = ParseTags("tags", Get("a.log.tags"));
  ASSERT_TRUE(tags.ok()) << tags.status();
  ASSERT_EQ(tags->at("a").size(), 1u);
  EXPECT_EQ(tags->at("a")[0].offset_bytes, 16u);
  EXPECT_EQ(tags->at("a")[0].size_bytes, 512u);
  EXPECT_EQ(tags->at("a")[0].tag, 0x2au);
}

TEST_F(LogCommandTest, SaysThatTheJournalIsTooShort) {
  EXPECT_EQ(Crashdep({"log", Put("short.json", R"({"kind": "deadlock"})"), "-o", log_}), 0);
  EXPECT_THAT(out_, HasSubstr("The journal of 64 blocks is too short for e2fsck and Linux"));
}

TEST_F(LogCommandTest, ReplacesItsOwnFilesAndNothingElse) {
  EXPECT_EQ(Crashdep({"log", trace_, "-o", log_}), 0);
  EXPECT_EQ(Crashdep({"log", trace_, "-o", log_}), 0);
  for (const std::string suffix : {".tags", ".img", ""}) {
    Put("a.log" + suffix, "mine");
    EXPECT_EQ(Crashdep({"log", trace_, "-o", log_}), 2);
    EXPECT_THAT(err_, HasSubstr("a.log" + suffix + ": is there and is not "));
    EXPECT_EQ(Get("a.log" + suffix), "mine");
  }
}

TEST_F(LogCommandTest, NamesABadTrace) {
  EXPECT_EQ(Crashdep({"log", Put("bad.json", "{}"), "-o", log_}), 2);
  EXPECT_EQ(err_, Path("bad.json") + ": /kind: is missing\n");
  EXPECT_FALSE(std::filesystem::exists(log_));
}

}  // namespace
}  // namespace tools
