// File systems as mke2fs makes them, whole and damaged, beside what e2fsck says of them.
#include "model/recorded/file_system.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "tests/differential/image_check.h"

namespace model {
namespace {

namespace fs = std::filesystem;

using testing::HasSubstr;
using testing::IsEmpty;

class FileSystemTest : public testing::Test {
 protected:
  FileSystemTest() : directory_(testing::TempDir() + "crashdep_fs_" + std::to_string(getpid())) {
    fs::create_directories(directory_ + "/files/d/e");
    for (int i = 0; i < 5; ++i) {
      std::ofstream(directory_ + "/files/f" + std::to_string(i)) << Content(i * 40'000);
    }
    std::ofstream(directory_ + "/files/d/small") << "small";
    fs::create_symlink("f1", directory_ + "/files/link");
    fs::create_hard_link(directory_ + "/files/f1", directory_ + "/files/d/e/f1");
    for (int i = 0; i < 100; ++i) {
      std::ofstream(directory_ + "/files/d/e/with_a_longer_name_" + std::to_string(i));
    }
  }
  ~FileSystemTest() override { fs::remove_all(directory_); }

  static std::string Content(size_t size) {
    std::string bytes;
    while (bytes.size() < size) bytes += std::to_string(bytes.size()) + "\n";
    return bytes.substr(0, size);
  }

  std::string image() const { return directory_ + "/image"; }
  void Run(const std::string& command) const {
    ASSERT_EQ(std::system(("PATH=$PATH:/sbin:/usr/sbin; " + command + " >/dev/null 2>&1").c_str()),
              0)
        << command;
  }
  void MakeFileSystem(const std::string& options) {
    fs::remove(image());
    Run("mke2fs -q -F -d " + directory_ + "/files " + options + " " + image() + " 16M");
  }
  void Damage(const std::string& command) const {
    Run("debugfs -w -R '" + command + "' " + image());
  }

  void Read() {
    std::ostringstream text;
    text << std::ifstream(image(), std::ios::binary).rdbuf();
    bytes_ = text.str();
    BytesSource source(bytes_);
    read_ = ReadFileSystem(source, bytes_.size());
  }

  std::string ContentOf(const std::string& path) const {
    for (const RecoveredFileOnDisk& file : read_.files) {
      if (file.path != path) continue;
      std::string content(file.size_bytes, '\0');
      for (const FileExtent& extent : file.extents) {
        const uint64_t end = std::min(extent.file_bytes + extent.size_bytes, file.size_bytes);
        content.replace(extent.file_bytes, end - extent.file_bytes,
                        bytes_.substr(extent.device_bytes, end - extent.file_bytes));
      }
      return content;
    }
    return "no such file";
  }

  std::string directory_;
  std::string bytes_;  // of the image
  RecoveredFileSystem read_;
};

TEST_F(FileSystemTest, EveryKindIsSoundAndReadable) {
  for (const char* options :
       {"-t ext4", "-t ext4 -b 1024", "-t ext3", "-t ext4 -O inline_data",
        "-t ext4 -O ^metadata_csum,^64bit,^flex_bg", "-t ext4 -O meta_bg,^resize_inode",
        "-t ext4 -O quota,project", "-t ext4 -O orphan_file,metadata_csum_seed"}) {
    MakeFileSystem(options);
    Read();
    EXPECT_THAT(read_.faults, IsEmpty()) << options;
    EXPECT_EQ(read_.files.size(), 107u) << options;
    EXPECT_EQ(ContentOf("f4"), Content(160'000)) << options;
    EXPECT_EQ(ContentOf("d/e/f1"), Content(40'000)) << options;
    EXPECT_EQ(ContentOf("f0"), "") << options;
  }
}

// Each is a fault for e2fsck, too.
TEST_F(FileSystemTest, NamesWhatIsDamaged) {
  const std::pair<const char*, const char*> damages[] = {
      {"freeb 1100", "is marked free"},
      {"setb 15000", "block 15000 is marked used and nobody"},
      {"freei /f2", "is in a directory and marked free"},
      {"seti <2000>", "inode 2000 "},
      {"sif /f2 links_count 3", "says that it has 3 links and has 1"},
      {"sif /f2 size 100", "and a size of 100"},
      {"sif /f2 blocks 2", "says that it has 2 sectors"},
      {"unlink /f2", "says that it has 1 links and has 0"},
      {"clri /f2", "links"},
      {"sif /f2 block[4] 5", "is the file system's"},
      {"set_bg 0 free_blocks_count 7", "group 0 says that 7 blocks are free"},
      {"set_super_value last_orphan 99999", "the orphan list leads to inode 99999"},
  };
  MakeFileSystem("-t ext4 -b 1024 -O ^metadata_csum,^extents,^64bit,uninit_bg");
  fs::copy_file(image(), image() + ".whole");
  for (const auto& [command, wanted] : damages) {
    fs::copy_file(image() + ".whole", image(), fs::copy_options::overwrite_existing);
    Damage(command);
    Read();
    ASSERT_FALSE(read_.faults.empty()) << command;
    EXPECT_THAT(read_.faults, testing::Contains(HasSubstr(wanted))) << command;
    EXPECT_FALSE(differential::RunE2fsck(image()).empty()) << command;
  }
}

TEST_F(FileSystemTest, ChecksumsAreLookedAt) {
  MakeFileSystem("-t ext4 -b 1024");
  Read();
  const size_t in_directory = bytes_.find("with_a_longer_name_7");
  ASSERT_NE(in_directory, std::string::npos);
  std::fstream(image(), std::ios::in | std::ios::out | std::ios::binary)
      .seekp(static_cast<std::streamoff>(in_directory))
      .put('W');
  Read();
  EXPECT_THAT(read_.faults, testing::Contains(HasSubstr("Directory block checksum")));
}

TEST_F(FileSystemTest, JournalOnAnotherDeviceIsRefused) {
  MakeFileSystem("-t ext4 -O ^metadata_csum");
  Read();
  constexpr size_t kJournalInum = 1024 + 224;  // s_journal_inum
  ASSERT_EQ(bytes_[kJournalInum], 8);
  bytes_[kJournalInum] = 0;
  BytesSource source(bytes_);
  EXPECT_EQ(
      ProbeFileSystem(source, 512).status().message(),
      "superblock: the journal is on another device, and a recording is of one: want a journal "
      "in the file system");
}

TEST_F(FileSystemTest, UnknownFeaturesAreRefused) {
  for (const char* options : {"-t ext4 -O bigalloc", "-t ext4 -O casefold", "-t ext2",
                              "-t ext4 -O ea_inode", "-t ext4 -O encrypt"}) {
    MakeFileSystem(options);
    Read();
    BytesSource source(bytes_);
    EXPECT_THAT(std::string(ProbeFileSystem(source, 512).status().message()),
                HasSubstr("superblock: "))
        << options;
  }
}

}  // namespace
}  // namespace model
