#include "sim/trace/line_words.h"

#include "absl/strings/escaping.h"

namespace sim {

std::string_view LineWords::Word() {
  const size_t end = std::min(rest_.find(' '), rest_.size());
  const std::string_view word = rest_.substr(0, end);
  rest_.remove_prefix(std::min(end + 1, rest_.size()));
  return word;
}

std::string LineWords::Want(std::string_view what) const {
  constexpr size_t kShown = 40;
  const std::string_view shown = rest_.substr(0, kShown);
  std::string message = "want ";
  message.append(what);
  if (rest_.empty()) return message + ", got the end of the line";
  return message + ", got \"" + absl::CEscape({shown.data(), shown.size()}) + "\"";
}

}  // namespace sim
