#include "model/ext4/mkfs.h"

#include "tests/ext4/fixture.h"

namespace model {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class MkfsTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::vector<SectorContent>> Make(std::vector<MkfsFile> files) {
    return MakeFilesystem(geometry, files, images, granules, history);
  }
  std::string Error(const std::vector<MkfsFile>& files) const {
    ImageStore none;
    GranuleTable table;
    History fresh(table);
    return std::string(MakeFilesystem(geometry, files, none, table, fresh).status().message());
  }

  Geometry geometry{.block_bytes = 1024, .blocks = 256, .inodes = 32, .journal_blocks = 64};
  ImageStore images;
  GranuleTable granules;
  History history{granules};
};

TEST_F(MkfsTest, MetadataIsSound) {
  const auto contents =
      Make({{.name = "hole", .size_bytes = 5000},
            {.name = "written", .size_bytes = 5000, .content = InitialContent::kWritten},
            {.name = "unwritten", .size_bytes = 100, .content = InitialContent::kUnwritten},
            {.name = "inline", .size_bytes = 60, .inline_data = true}});
  ASSERT_TRUE(contents.ok()) << contents.status();
  MetadataImages state;
  for (Pblk pblk = 0; pblk < geometry.blocks; ++pblk) {
    const SectorContent content = (*contents)[geometry.first_sector(pblk)];
    if (KindOf(content) == ContentKind::kImage) state[pblk] = ImageOf(content);
  }
  const RecoveredTree tree = CheckMetadata(geometry, images, state);
  EXPECT_THAT(tree.faults, IsEmpty());
  ASSERT_EQ(tree.files.size(), 4u);
  EXPECT_EQ(tree.files[1].extents, (std::vector<Extent>{{0, 5, geometry.first_data(), false}}));
  EXPECT_EQ(tree.files[2].extents, (std::vector<Extent>{{0, 1, geometry.first_data() + 5, true}}));
}

TEST_F(MkfsTest, WrittenFileHoldsItsWriteAndZerosBeyondItsEnd) {
  const auto contents =
      Make({{.name = "a", .size_bytes = 600, .content = InitialContent::kWritten}});
  ASSERT_TRUE(contents.ok()) << contents.status();
  const uint64_t first = geometry.first_sector(geometry.first_data());
  EXPECT_EQ((*contents)[first], DataContent(1, 0));
  EXPECT_EQ(granules.Runs((*contents)[first + 1]),
            (std::vector<GranuleRun>{{88, DataContent(1, 1)}, {512, kZeroContent}}));
  EXPECT_EQ(history.ReferenceContent({kLostFoundIno + 1, 1}, 1), (*contents)[first + 1]);
}

TEST_F(MkfsTest, WhatNobodyWroteIsStale) {
  const auto contents =
      Make({{.name = "a", .size_bytes = 512, .content = InitialContent::kUnwritten}});
  ASSERT_TRUE(contents.ok()) << contents.status();
  const uint64_t first = geometry.first_sector(geometry.first_data());
  EXPECT_EQ((*contents)[first], StaleContent(first));
  EXPECT_EQ(contents->back(), StaleContent(contents->size() - 1));
}

TEST_F(MkfsTest, SaysWhatDoesNotFit) {
  EXPECT_THAT(Error({{.name = "a", .size_bytes = 1 << 20, .content = InitialContent::kWritten}}),
              HasSubstr("file 'a': 1048576 bytes want 1024 blocks of 1024 bytes"));
  EXPECT_THAT(Error({{.name = "a", .size_bytes = 61, .inline_data = true}}),
              HasSubstr("inline data takes at most 60 bytes, got 61"));
  EXPECT_THAT(Error({{.name = "a"}, {.name = "a"}}), HasSubstr("there are two of it"));
  EXPECT_THAT(Error(std::vector<MkfsFile>(22, {.name = "x"})), HasSubstr("two"));
  geometry.journal_blocks = 250;
  EXPECT_EQ(Error({}), "device: 512 sectors are too few for 250 journal blocks and 32 inodes");
}

}  // namespace
}  // namespace model
