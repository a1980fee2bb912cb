#include "model/scenario/nearest_name.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "model/scenario/text.h"

namespace scenario {
namespace {

constexpr size_t kLongestName = 64;  // nothing of ours is longer, so a longer one is no misspelling
constexpr size_t kLongestQuote = 60;

// Optimal string alignment, row by row.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before, previous, row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(previous, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replaced, previous[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view NearestName(std::string_view name, absl::Span<const std::string_view> known) {
  std::string_view nearest;
  if (name.size() > kLongestName) return nearest;
  size_t least = kLongestName;
  for (std::string_view candidate : known) {
    const size_t distance = EditDistance(name, candidate);
    const size_t tolerated = std::max<size_t>(1, std::max(name.size(), candidate.size()) / 3);
    if (distance <= tolerated && distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string Suggestion(std::string_view name, absl::Span<const std::string_view> known) {
  const std::string_view nearest = NearestName(name, known);
  return nearest.empty() ? "" : Cat("; did you mean \"", nearest, "\"?");
}

std::string Quoted(std::string_view text) {
  std::string_view shown = text.substr(0, kLongestQuote);
  if (shown.size() < text.size()) {
    while (!shown.empty() && (static_cast<unsigned char>(text[shown.size()]) & 0xC0) == 0x80) {
      shown.remove_suffix(1);  // never half a UTF-8 character
    }
  }
  return Cat("\"", absl::Utf8SafeCEscape(ToAbsl(shown)), shown.size() < text.size() ? "..." : "",
             "\"");
}

}  // namespace scenario
