// A file that a command writes: there as a whole, or as it was before.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tools {

class OutputFile {
 public:
  // Proves that `path` can be written and leaves it alone. Failure: "path: why".
  static absl::StatusOr<OutputFile> Open(std::string path);

  // The same, if there is a path.
  static absl::StatusOr<std::optional<OutputFile>> OpenIfAsked(
      const std::optional<std::string>& path);

  OutputFile(OutputFile&& other) noexcept;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  // Puts `content` in place of what was there. Once.
  absl::Status Write(std::string_view content);
  // The same, with a content that `write` puts into the empty file.
  absl::Status WriteWith(absl::FunctionRef<void(std::ostream&)> write);

 private:
  OutputFile(std::string path, std::string part) : path_(std::move(path)), part_(std::move(part)) {}

  std::string path_;
  std::string part_;  // what is written first and then renamed; `path_` itself for a pipe or device
};

// Opens and writes it.
absl::Status WriteOutput(const std::string& path, std::string_view content);

// A slip of the hand must not cost a file of somebody else: fails if `path` is there and does not
// have `mark` at byte `at`, which `what` of ours has.
absl::Status CheckIsOurs(const std::string& path, std::string_view mark, int64_t at,
                         std::string_view what);

// Makes `path` and its parents; it may be there already. Failure: "path: why".
absl::Status MakeDirectory(const std::string& path);

}  // namespace tools
