// crashdep crash on recordings of a real kernel, whole and spoiled.
#include "tools/crash_command.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "nlohmann/json.hpp"
#include "tests/tools/fake_backend.h"
#include "tools/import/recording.h"

namespace tools {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

class CrashCommandTest : public CommandTest {
 protected:
  static std::string Data(const std::string& name) {
    return std::string(SOURCE_ROOT) + "/traces/kernel/ext4-6.1/writes/" + name;
  }
  // Unpacked, with a change.
  std::string Spoil(const std::string& name, size_t at, const std::string& bytes) {
    std::string text = *ReadUnpacked(Data(name), size_t{1} << 30);
    text.replace(at, bytes.size(), bytes);
    return Put("spoiled", text);
  }
  int Crash(const std::string& log, const std::string& base,
            const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments = {"crash", log, "--base", base};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Crashdep(arguments);
  }

  const std::string log_ = Data("1k-rewrite-nodelalloc-writeback.log.zst");
  const std::string ordered_ = Data("1k-rewrite-ordered.log.zst");
  const std::string base_ = Data("base-1k.img.zst");
};

TEST_F(CrashCommandTest, TellsWhatAFileShowsAndWhichWriteItLacks) {
  EXPECT_EQ(Crash(log_, base_, {"--stale-pattern", "STALE!", "--unit", "1024"}), 1);
  EXPECT_THAT(out_, HasSubstr("stale_data, at 18 crash points, 124 to 141: r4[9216,16384) shows "
                              "the pattern of free blocks\n"
                              "After 124 entries, recovery replays transactions 2 to 13\n"
                              "  there: entry 123, the commit\n"
                              "  not yet written: entry 133\n"
                              "  block 15462 shows \"STALE!000015462.STALE!000015462.\"\n"));
  EXPECT_THAT(out_, EndsWith("\n1 findings\n"));
}

TEST_F(CrashCommandTest, CleanRecordingIsAsExpected) {
  EXPECT_EQ(Crash(ordered_, base_,
                  {"--stale-pattern", "STALE!", "--tags", Data("rewrite.tags"), "--unit", "1024"}),
            0);
  EXPECT_THAT(out_, HasSubstr("153 crash points, "));
  EXPECT_THAT(out_, EndsWith("\n0 findings\n"));
}

TEST_F(CrashCommandTest, WritesJson) {
  EXPECT_EQ(Crash(log_, base_,
                  {"--tags", Data("rewrite.tags"), "--unit", "1024", "--json", Path("a.json")}),
            1);
  const auto json = nlohmann::json::parse(Get("a.json"));
  EXPECT_EQ(json["crash_points"], 152);
  ASSERT_EQ(json["findings"].size(), 2u);
  const auto& finding = json["findings"][0];
  EXPECT_EQ(finding["path"], "r4");
  EXPECT_EQ(finding["range_bytes"], nlohmann::json({49152, 64000}));
  EXPECT_EQ(finding["after_entries"], nlohmann::json({121, 122, 123, 124}));
  EXPECT_EQ(finding["there_entries"], nlohmann::json({120}));
}

TEST_F(CrashCommandTest, WritesImagesAndNothingElse) {
  EXPECT_EQ(
      Crash(log_, base_, {"--stale-pattern", "STALE!", "--unit", "1024", "-o", Path("images")}), 1);
  EXPECT_EQ(std::filesystem::file_size(Path("images/finding-1.img")), 16u << 20);
  EXPECT_EQ(
      Crash(log_, base_, {"--stale-pattern", "STALE!", "--unit", "1024", "-o", Path("images")}), 2);
  EXPECT_THAT(err_, HasSubstr("finding-1.img: is there already; it is left alone"));
}

TEST_F(CrashCommandTest, NamesWhatIsWrongWithALog) {
  EXPECT_EQ(Crash(Put("log", "rubbish"), base_), 2);
  EXPECT_EQ(err_, Path("log") + ": no log of dm-log-writes: its magic number is missing\n");
  std::string log = *ReadUnpacked(log_, size_t{1} << 30);
  EXPECT_EQ(Crash(Put("log", log.substr(0, 40000)), base_), 2);
  EXPECT_THAT(err_, StartsWith(Path("log") + ": entry 4, at byte 4608: the log ends "));
  EXPECT_EQ(Crash(Path("none"), base_), 2);
  EXPECT_THAT(err_, StartsWith(Path("none") + ": cannot be read"));
}

TEST_F(CrashCommandTest, NamesWhatIsWrongWithABase) {
  EXPECT_EQ(Crash(log_, Put("base", std::string(100000, 'x'))), 2);
  EXPECT_EQ(err_, Path("base") + ": superblock, at byte 1024: Bad magic number in super-block\n");
  // The first write in it is the superblock, and lies where a device has it.
  EXPECT_EQ(Crash(log_, log_), 2);
  EXPECT_EQ(err_, log_ + ": journal, inode 8: A block group is missing an inode table\n");
  EXPECT_EQ(Crash(log_, Put("base", "")), 2);
  EXPECT_THAT(err_, HasSubstr("superblock, at byte 1024: "));
  std::string base = *ReadUnpacked(base_, size_t{1} << 30);
  EXPECT_EQ(Crash(log_, Put("base", base.substr(0, 1 << 20))), 2);
  EXPECT_THAT(err_, HasSubstr(": superblock: a file system of 16777216 bytes, in an image of "));
}

// The journal is at block 8195.
TEST_F(CrashCommandTest, NamesADamagedJournalSuperblock) {
  EXPECT_EQ(Crash(log_, Spoil("base-1k.img.zst", 8195 * 1024, "rubbish")), 2);
  EXPECT_EQ(err_,
            Path("spoiled") + ": journal superblock: has no magic number (at byte 8391680)\n");
  EXPECT_EQ(Crash(log_, Spoil("base-1k.img.zst", 8195 * 1024 + 43, "\x20")), 2);
  EXPECT_THAT(err_, HasSubstr("journal superblock: has incompatible features 0x20"));
}

TEST_F(CrashCommandTest, NamesABadLineOfTags) {
  EXPECT_EQ(Crash(log_, base_, {"--tags", Put("tags", "# all\nr0 0 100 2000\nr0 0 ten 2000\n")}),
            2);
  EXPECT_EQ(err_, Path("tags") + ":3: want PATH OFFSET LENGTH TAG, the tag of 4 hex digits\n");
}

TEST_F(CrashCommandTest, UnitsThatDoNotFitAreRefused) {
  EXPECT_EQ(Crash(log_, base_, {"--unit", "4096"}), 2);
  EXPECT_EQ(err_, base_ + ": blocks of 1024 bytes are no multiple of 4096\n");
  EXPECT_EQ(Crash(log_, base_, {"--unit", "7"}), 2);
  EXPECT_THAT(err_, HasSubstr("want 512, 1024, 2048 or 4096, got 7"));
}

}  // namespace
}  // namespace tools
