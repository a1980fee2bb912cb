// Where a long search is kept while it runs, and found again by a later one.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace scenario {

// But for Stops(), no two threads call at a time. Nothing here changes what a search finds.
class SearchKeeper {
 public:
  virtual ~SearchKeeper() = default;

  // For messages: a path.
  virtual const std::string& name() const = 0;
  // What was kept last; none: nothing yet.
  virtual absl::StatusOr<std::optional<std::string>> Load() = 0;
  // Whether it is worth it to keep the search as it is now.
  virtual bool IsDue() = 0;
  // In the place of what was kept before.
  virtual absl::Status Keep(std::string_view text) = 0;
  // From any thread, before each execution: is the search to be cut off here?
  virtual bool Stops() = 0;
};

}  // namespace scenario
