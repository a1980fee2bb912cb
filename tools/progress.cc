#include "tools/progress.h"

#include "absl/strings/str_format.h"

namespace tools {

void Progress::Show(size_t done, size_t all, int per_mille) {
  const auto elapsed = std::chrono::steady_clock::now() - start_;
  if (!enabled_ || elapsed < std::chrono::seconds(1)) return;
  err_ << absl::StrFormat("\r\x1b[K%3d%%  %d of %d scenarios, %d s", per_mille / 10, done, all,
                          std::chrono::duration_cast<std::chrono::seconds>(elapsed).count())
       << std::flush;
  shown_ = true;
}

void Progress::Hide() {
  if (!shown_) return;
  err_ << "\r\x1b[K" << std::flush;
  shown_ = false;
}

}  // namespace tools
