// Recordings as people send them: a text, a compressed text, or an archive of several.
//
// Whatever libarchive reads: gzip, xz, zstd, bzip2; tar, zip, cpio. A file that is none of these is
// taken as it is.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace tools {

struct RecordedText {
  std::string name;  // the path; for a member of an archive "path:member"
  std::string text;
};

// The texts in the file, in the order of the archive. Fails, naming the path, if it cannot be read,
// is damaged, or holds more than `max_bytes` in all when unpacked.
absl::StatusOr<std::vector<RecordedText>> ReadRecording(const std::string& path, size_t max_bytes);

// The bytes of one file that may be compressed and is no archive. Fails likewise.
absl::StatusOr<std::string> ReadUnpacked(const std::string& path, size_t max_bytes);

}  // namespace tools
