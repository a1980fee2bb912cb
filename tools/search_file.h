// A search that is kept in a file.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/scenario/search_keeper.h"

namespace tools {

// The file is there as a whole, as it was or as it is. It is written every ten seconds, or less
// often where that would take more than a fiftieth of the time.
class SearchFile final : public scenario::SearchKeeper {
 public:
  // `stop` must outlive it; from any thread, true: the search is to end here.
  SearchFile(std::string path, const std::atomic<bool>& stop);

  const std::string& name() const override { return path_; }
  absl::StatusOr<std::optional<std::string>> Load() override;
  bool IsDue() override;
  absl::Status Keep(std::string_view text) override;
  bool Stops() override { return stop_; }

 private:
  using Clock = std::chrono::steady_clock;

  std::string path_;
  const std::atomic<bool>& stop_;
  Clock::time_point due_, begun_;
};

}  // namespace tools
