#include "tests/differential/image_check.h"

#include <ext2fs/ext2fs.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace differential {
namespace {

using FileMap = std::map<std::string, FileOnDisk>;

std::vector<std::string> OutputOf(const std::string& command) {
  std::string output;
  FILE* const pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return {"cannot be run: " + command};
  std::array<char, 4096> buffer;
  while (const size_t n = fread(buffer.data(), 1, buffer.size(), pipe))
    output.append(buffer.data(), n);
  const int status = pclose(pipe);
  if (!WIFEXITED(status) || WEXITSTATUS(status) >= 8)
    absl::StrAppend(&output, "\nexit status ", status);
  return absl::StrSplit(output, '\n', absl::SkipWhitespace());
}

// Lines of a run that found nothing: which pass it is in, what it sums up, recovery; and that the
// superblock's own counts are old, which the kernel brings up to date at unmount only (those of a
// group have "for group" in their line).
bool IsHarmless(const std::string& line) {
  static constexpr const char* kBeginnings[] = {
      "e2fsck ",
      "Pass ",
      "Clearing orphaned inode ",
      "Truncating orphaned inode ",
      "Free blocks count wrong (",
      "Free inodes count wrong (",
      "Fix? yes",
  };
  static constexpr const char* kParts[] = {": recovering journal",
                                           "***** FILE SYSTEM WAS MODIFIED *****",
                                           " non-contiguous), ", "Setting free "};
  for (const char* beginning : kBeginnings) {
    if (absl::StartsWith(line, beginning)) return true;
  }
  for (const char* part : kParts) {
    if (absl::StrContains(line, part)) return true;
  }
  return false;
}

std::vector<std::string> Complaints(const std::string& options, const std::string& image,
                                    const std::string& journal) {
  std::vector<std::string> complaints;
  for (std::string& line : OutputOf(
           absl::StrCat("PATH=$PATH:/sbin:/usr/sbin e2fsck ", options, " -E no_optimize_extents ",
                        journal.empty() ? "" : absl::StrCat("-j ", journal, " "), image))) {
    if (!IsHarmless(line)) complaints.push_back(std::move(line));
  }
  return complaints;
}

// Where the first difference is.
std::string Compare(const FileMap& found, const std::vector<WantedFile>& wanted) {
  if (found.size() != wanted.size()) {
    std::string names;
    for (const auto& [name, file] : found) absl::StrAppend(&names, " ", name);
    return absl::StrCat("want ", wanted.size(), " files, got", names);
  }
  for (const WantedFile& want : wanted) {
    const auto it = found.find(want.name);
    if (it == found.end()) return absl::StrCat("no file ", want.name);
    const FileOnDisk& file = it->second;
    if (file.size_bytes != want.file.size_bytes) {
      return absl::StrFormat("%s: want size %d, got %d", want.name, want.file.size_bytes,
                             file.size_bytes);
    }
    if (file.bytes != want.file.bytes) {
      const auto at = static_cast<size_t>(
          std::mismatch(file.bytes.begin(), file.bytes.end(), want.file.bytes.begin()).first -
          file.bytes.begin());
      return absl::StrFormat("%s: at byte %d want \"%s\", got \"%s\"", want.name, at,
                             absl::CEscape(want.file.bytes.substr(at, 16)),
                             absl::CEscape(file.bytes.substr(at, 16)));
    }
    if (want.has_extents && file.extents != want.file.extents) {
      return absl::StrFormat("%s: want %d extents, got %d or others", want.name,
                             want.file.extents.size(), file.extents.size());
    }
  }
  return "";
}

// --- libext2fs -----------------------------------------------------------------------------------

struct FsCloser {
  void operator()(struct_ext2_filsys* fs) const { ext2fs_close_free(&fs); }
};
using Fs = std::unique_ptr<struct_ext2_filsys, FsCloser>;

std::vector<model::Extent> ExtentsOf(ext2_filsys fs, ext2_ino_t ino) {
  std::vector<model::Extent> extents;
  ext2_extent_handle_t handle = nullptr;
  if (ext2fs_extent_open(fs, ino, &handle) != 0) return extents;
  ext2fs_extent extent = {};
  errcode_t error = ext2fs_extent_get(handle, EXT2_EXTENT_ROOT, &extent);
  while (error == 0) {
    const bool second_visit = (extent.e_flags & EXT2_EXTENT_FLAGS_SECOND_VISIT) != 0;
    if ((extent.e_flags & EXT2_EXTENT_FLAGS_LEAF) != 0 && !second_visit) {
      extents.push_back({static_cast<model::Lblk>(extent.e_lblk), extent.e_len,
                         static_cast<model::Pblk>(extent.e_pblk),
                         (extent.e_flags & EXT2_EXTENT_FLAGS_UNINIT) != 0});
    }
    error = ext2fs_extent_get(handle, EXT2_EXTENT_NEXT, &extent);
  }
  ext2fs_extent_free(handle);
  return extents;
}

std::string Contents(ext2_filsys fs, ext2_ino_t ino, uint64_t size_bytes) {
  std::string bytes(size_bytes, '?');
  ext2_file_t file = nullptr;
  if (ext2fs_file_open(fs, ino, 0, &file) != 0) return "cannot be opened";
  for (uint64_t done = 0; done < size_bytes;) {
    unsigned got = 0;
    const auto want = static_cast<unsigned>(std::min<uint64_t>(size_bytes - done, 1 << 20));
    if (ext2fs_file_read(file, &bytes[done], want, &got) != 0 || got == 0) break;
    done += got;
  }
  ext2fs_file_close(file);
  return bytes;
}

int AddEntry(ext2_dir_entry* entry, int, int, char*, void* data) {
  const std::string name(entry->name, static_cast<size_t>(ext2fs_dirent_name_len(entry)));
  if (name == "." || name == ".." || name == "lost+found") return 0;
  (*static_cast<std::map<std::string, ext2_ino_t>*>(data))[name] = entry->inode;
  return 0;
}

}  // namespace

std::vector<std::string> RunE2fsck(const std::string& image, const std::string& journal) {
  return Complaints("-fy", image, journal);
}

std::vector<std::string> RunE2fsckAgain(const std::string& image, const std::string& journal) {
  return Complaints("-fn", image, journal);
}

std::string CompareThroughLibext2fs(const std::string& image,
                                    const std::vector<WantedFile>& wanted) {
  ext2_filsys opened = nullptr;
  const errcode_t error =
      ext2fs_open(image.c_str(), EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &opened);
  if (error != 0) return absl::StrCat("libext2fs cannot open it: ", error);
  const Fs fs(opened);
  std::map<std::string, ext2_ino_t> names;
  (void)ext2fs_dir_iterate(fs.get(), EXT2_ROOT_INO, 0, nullptr, AddEntry, &names);
  FileMap found;
  for (const auto& [name, ino] : names) {
    ext2_inode inode = {};
    if (ext2fs_read_inode(fs.get(), ino, &inode) != 0) return name + ": no inode";
    const uint64_t size = EXT2_I_SIZE(&inode);
    const bool has_extents = (inode.i_flags & EXT4_EXTENTS_FL) != 0;
    found[name] = {size, Contents(fs.get(), ino, size),
                   has_extents ? ExtentsOf(fs.get(), ino) : std::vector<model::Extent>()};
  }
  return Compare(found, wanted);
}

// --- The kernel ----------------------------------------------------------------------------------

namespace {

// A loop device over a file.
class LoopDevice {
 public:
  explicit LoopDevice(const std::string& image) {
    const int file = open(image.c_str(), O_RDWR | O_CLOEXEC);
    const int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    // Somebody else may take the one that is free.
    for (int tries = 0; tries < 100 && !attached_; ++tries) {
      const int number = control >= 0 ? ioctl(control, LOOP_CTL_GET_FREE) : -1;
      path_ = absl::StrCat("/dev/loop", number);
      if (loop_ >= 0) close(loop_);
      loop_ = number >= 0 ? open(path_.c_str(), O_RDWR | O_CLOEXEC) : -1;
      attached_ = file >= 0 && loop_ >= 0 && ioctl(loop_, LOOP_SET_FD, file) == 0;
      if (!attached_ && errno != EBUSY) break;
    }
    if (!attached_) error_ = absl::StrCat("no loop device: ", std::strerror(errno));
    if (control >= 0) close(control);
    if (file >= 0) close(file);
  }
  ~LoopDevice() {
    if (attached_) ioctl(loop_, LOOP_CLR_FD, 0);
    if (loop_ >= 0) close(loop_);
  }
  LoopDevice(const LoopDevice&) = delete;
  LoopDevice& operator=(const LoopDevice&) = delete;

  const std::string& path() const { return path_; }
  const std::string& error() const { return error_; }

 private:
  std::string path_;
  std::string error_;
  int loop_ = -1;
  bool attached_ = false;
};

// An image, mounted; nothing of it is left afterwards.
class Mounted {
 public:
  Mounted(const std::string& image, const std::string& journal, const std::string& mount_point)
      : mount_point_(mount_point), device_(image) {
    error_ = device_.error();
    std::string options = "errors=continue";
    if (!journal.empty()) {
      journal_.emplace(journal);
      if (error_.empty()) error_ = journal_->error();
      absl::StrAppend(&options, ",journal_path=", journal_->path());
    }
    if (!error_.empty()) return;
    if (mount(device_.path().c_str(), mount_point.c_str(), "ext4", 0, options.c_str()) != 0) {
      error_ = absl::StrCat("the kernel does not mount it: ", std::strerror(errno));
    }
  }
  ~Mounted() {
    if (error_.empty()) umount2(mount_point_.c_str(), 0);
  }
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;

  const std::string& error() const { return error_; }

 private:
  std::string mount_point_;
  std::string error_;
  LoopDevice device_;
  std::optional<LoopDevice> journal_;
};

}  // namespace

std::optional<std::string> WhyNoKernel(const std::string& image, const std::string& journal,
                                       const std::string& mount_point) {
  const Mounted mounted(image, journal, mount_point);
  if (mounted.error().empty()) return std::nullopt;
  return mounted.error();
}

std::string CompareThroughKernel(const std::string& image, const std::string& journal,
                                 const std::string& mount_point,
                                 const std::vector<WantedFile>& wanted) {
  const Mounted mounted(image, journal, mount_point);
  if (!mounted.error().empty()) return mounted.error();
  FileMap found;
  for (const auto& entry : std::filesystem::directory_iterator(mount_point)) {
    const std::string name = entry.path().filename();
    if (name == "lost+found") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::stringstream bytes;
    if (entry.file_size() > 0) bytes << file.rdbuf();
    found[name] = {entry.file_size(), bytes.str(), {}};
  }
  std::vector<WantedFile> without_extents = wanted;
  for (WantedFile& want : without_extents) want.has_extents = false;
  return Compare(found, without_extents);
}

}  // namespace differential
