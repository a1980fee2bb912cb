#include "tools/search_file.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "model/scenario/json_text.h"
#include "tools/output_file.h"

namespace tools {
namespace {

constexpr std::chrono::seconds kInterval(10);
constexpr int kShareOfTime = 50;
constexpr int64_t kMaxKeptBytes = int64_t{1} << 32;

}  // namespace

SearchFile::SearchFile(std::string path, const std::atomic<bool>& stop)
    : path_(std::move(path)), stop_(stop), due_(Clock::now() + kInterval), begun_(due_) {}

absl::StatusOr<std::optional<std::string>> SearchFile::Load() {
  std::error_code error;
  if (!std::filesystem::exists(path_, error)) return std::nullopt;
  absl::StatusOr<std::string> text = scenario::ReadTextFile(path_, kMaxKeptBytes);
  if (!text.ok()) return text.status();
  return *std::move(text);
}

bool SearchFile::IsDue() {
  begun_ = Clock::now();
  return begun_ >= due_;
}

absl::Status SearchFile::Keep(std::string_view text) {
  const absl::Status written = WriteOutput(path_, text);
  const Clock::time_point now = Clock::now();
  due_ = now + std::max<Clock::duration>(kInterval, kShareOfTime * (now - begun_));
  return written;
}

}  // namespace tools
