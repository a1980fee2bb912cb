#include "tools/import/recording.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <memory>

#include "absl/strings/str_cat.h"

namespace tools {
namespace {

struct FreeArchive {
  void operator()(archive* reader) const { archive_read_free(reader); }
};

absl::Status Damaged(const std::string& path, archive* reader) {
  const char* why = archive_error_string(reader);
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": cannot be unpacked: ", why != nullptr ? why : "unknown error"));
}

// Appends the current member's contents to `text`.
absl::Status ReadMember(const std::string& path, archive* reader, size_t max_bytes, size_t* total,
                        std::string* text) {
  char buffer[1 << 16];
  for (;;) {
    const la_ssize_t got = archive_read_data(reader, buffer, sizeof(buffer));
    if (got == 0) return absl::OkStatus();
    if (got < 0) return Damaged(path, reader);
    *total += static_cast<size_t>(got);
    if (*total > max_bytes) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": more than ", max_bytes, " bytes when unpacked"));
    }
    text->append(buffer, static_cast<size_t>(got));
  }
}

// With the formats that `reader` has been told of.
absl::Status Open(const std::string& path, archive* reader) {
  struct stat status = {};
  if (stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is a directory, want a file"));
  }
  archive_read_support_filter_all(reader);
  archive_read_support_format_raw(reader);  // a text that is no archive
  archive_read_support_format_empty(reader);
  if (archive_read_open_filename(reader, path.c_str(), 1 << 16) != ARCHIVE_OK) {
    return absl::NotFoundError(
        absl::StrCat(path, ": cannot be read: ", archive_error_string(reader)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<RecordedText>> ReadRecording(const std::string& path, size_t max_bytes) {
  const std::unique_ptr<archive, FreeArchive> reader(archive_read_new());
  archive_read_support_format_all(reader.get());
  const absl::Status opened = Open(path, reader.get());
  if (!opened.ok()) return opened;
  std::vector<RecordedText> texts;
  size_t total = 0;
  archive_entry* entry = nullptr;
  for (;;) {
    const int next = archive_read_next_header(reader.get(), &entry);
    if (next == ARCHIVE_EOF) return texts;
    if (next != ARCHIVE_OK && next != ARCHIVE_WARN) return Damaged(path, reader.get());
    const bool is_raw = archive_format(reader.get()) == ARCHIVE_FORMAT_RAW;
    if (!is_raw && archive_entry_filetype(entry) != AE_IFREG) continue;
    RecordedText member;
    const char* name = archive_entry_pathname(entry);
    member.name = is_raw || name == nullptr ? path : absl::StrCat(path, ":", name);
    const absl::Status read = ReadMember(path, reader.get(), max_bytes, &total, &member.text);
    if (!read.ok()) return read;
    texts.push_back(std::move(member));
  }
}

absl::StatusOr<std::string> ReadUnpacked(const std::string& path, size_t max_bytes) {
  const std::unique_ptr<archive, FreeArchive> reader(archive_read_new());
  absl::Status status = Open(path, reader.get());
  if (!status.ok()) return status;
  std::string bytes;
  size_t total = 0;
  archive_entry* entry = nullptr;
  const int next = archive_read_next_header(reader.get(), &entry);
  if (next == ARCHIVE_EOF) return bytes;
  if (next != ARCHIVE_OK && next != ARCHIVE_WARN) return Damaged(path, reader.get());
  status = ReadMember(path, reader.get(), max_bytes, &total, &bytes);
  if (!status.ok()) return status;
  return bytes;
}

}  // namespace tools
