#include "tools/output_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "model/scenario/text.h"

namespace tools {
namespace {

namespace fs = std::filesystem;

absl::Status Refused(const std::string& path, std::string_view why) {
  return absl::InvalidArgumentError(scenario::Cat(path, ": cannot be written: ", why));
}

}  // namespace

absl::StatusOr<OutputFile> OutputFile::Open(std::string path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return Refused(path, "it is a directory");
  const bool renamed = !fs::exists(path, error) || fs::is_regular_file(path, error);
  std::string part = renamed ? path + ".part" : path;
  errno = 0;
  if (!std::ofstream(part, std::ios::binary)) return Refused(path, std::strerror(errno));
  return OutputFile(std::move(path), std::move(part));
}

absl::StatusOr<std::optional<OutputFile>> OutputFile::OpenIfAsked(
    const std::optional<std::string>& path) {
  if (!path) return std::nullopt;
  absl::StatusOr<OutputFile> opened = Open(*path);
  if (!opened.ok()) return opened.status();
  return *std::move(opened);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::exchange(other.path_, {})), part_(std::exchange(other.part_, {})) {}

OutputFile::~OutputFile() {
  std::error_code ignored;  // nothing is left to do about it
  if (part_ != path_) fs::remove(part_, ignored);
}

absl::Status OutputFile::Write(std::string_view content) {
  return WriteWith([&](std::ostream& file) {
    file.write(content.data(), static_cast<std::streamsize>(content.size()));
  });
}

absl::Status OutputFile::WriteWith(absl::FunctionRef<void(std::ostream&)> write) {
  errno = 0;
  std::ofstream file(part_, std::ios::binary);
  write(file);
  file.flush();
  if (!file) return Refused(path_, std::strerror(errno));
  std::error_code error;
  if (part_ != path_) fs::rename(part_, path_, error);
  if (error) return Refused(path_, error.message());
  part_ = path_;
  return absl::OkStatus();
}

absl::Status WriteOutput(const std::string& path, std::string_view content) {
  absl::StatusOr<OutputFile> file = OutputFile::Open(path);
  return file.ok() ? file->Write(content) : file.status();
}

absl::Status CheckIsOurs(const std::string& path, std::string_view mark, int64_t at,
                         std::string_view what) {
  std::error_code error;
  if (!fs::exists(path, error)) return absl::OkStatus();
  std::ifstream file(path, std::ios::binary);
  std::string bytes(mark.size(), '\0');
  file.seekg(at).read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (file && bytes == mark) return absl::OkStatus();
  return absl::InvalidArgumentError(
      scenario::Cat(path, ": is there and is not ", what, " of crashdep; it is left alone"));
}

absl::Status MakeDirectory(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return Refused(path, error.message());
  if (!fs::is_directory(path, error)) return Refused(path, "it is no directory");
  return absl::OkStatus();
}

}  // namespace tools
