#include "model/recorded/promises.h"

#include "gmock/gmock.h"

namespace model {
namespace {

PromisedFiles Promised(const std::string& text) { return PromisedFiles(RecordedMark{0, text}); }

TEST(PromisesTest, FsyncIsAboutOneFile) {
  const PromisedFiles promised = Promised("KTMARK 3 fsync-done dir/a size 4096");
  EXPECT_TRUE(promised.Covers("dir/a"));
  EXPECT_FALSE(promised.Covers("a"));
  EXPECT_TRUE(promised.with_contents());
  EXPECT_EQ(promised.size_bytes(), 4096u);
}

TEST(PromisesTest, SyncIsAboutAll) {
  EXPECT_TRUE(Promised("sync-done").Covers("dir/a"));
  EXPECT_TRUE(Promised("sync-done").with_contents());
}

TEST(PromisesTest, DirectoryFsyncIsAboutItsNames) {
  EXPECT_TRUE(Promised("dir-fsync-done / 0").Covers("a"));
  EXPECT_FALSE(Promised("dir-fsync-done / 0").Covers("dir/a"));
  EXPECT_TRUE(Promised("dir-fsync-done /dir").Covers("dir/a"));
  EXPECT_FALSE(Promised("dir-fsync-done /dir").with_contents());
}

TEST(PromisesTest, OtherMarksPromiseNothing) {
  EXPECT_FALSE(Promised("written a size 7").any());
  EXPECT_FALSE(Promised("fsync-done").any());
  EXPECT_FALSE(Promised("").any());
}

TEST(PromisesTest, EndsWithTheMarkBeforeTheNextOneOnTheFile) {
  const std::vector<RecordedMark> marks = {
      {4, "fsync-done a"}, {9, "written b"}, {12, "truncated a"}};
  EXPECT_EQ(EndOfPromise(marks, 0, "a", 20), 10u);
  EXPECT_EQ(EndOfPromise(marks, 0, "other", 20), 20u);
}

TEST(PromisesTest, EndsWithTheMarkOfWhatBegins) {
  const std::vector<RecordedMark> marks = {
      {4, "fsync-done a"}, {9, "sync-done all"}, {11, "write-begin ab"}, {12, "write-begin a"}};
  EXPECT_EQ(EndOfPromise(marks, 0, "a", 20), 13u);
  EXPECT_EQ(EndOfPromise(marks, 0, "b", 20), 20u);
}

TEST(PromisesTest, MarksAreEntriesOrWritesBehindTheFileSystem) {
  Recording recording;
  const std::string text = "fsync-done a" + std::string(500, '\0');
  const std::string zeros(512, '\0');
  recording.entries = {{.offset_bytes = 512, .size_bytes = 512, .data = text},
                       {.mark = "sync-done"},
                       {.offset_bytes = 4096, .size_bytes = 512, .data = text},
                       {.offset_bytes = 4096, .size_bytes = 512, .data = zeros}};
  const std::vector<RecordedMark> marks = FindMarks(recording, 4096);
  ASSERT_EQ(marks.size(), 2u);
  EXPECT_EQ(marks[0].entry, 1u);
  EXPECT_EQ(marks[1].entry, 2u);
  EXPECT_EQ(marks[1].text, "fsync-done a");
}

}  // namespace
}  // namespace model
