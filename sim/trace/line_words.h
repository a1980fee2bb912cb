// Lines of words and numbers, as search trees are written down (sim/explore/systematic.h).
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>

namespace sim {

// What is wrong with some lines of text.
struct BadLine {
  size_t index = 0;     // from 0; one more than there are: something is missing
  std::string message;  // "want a number, got "x""
};

// The words of one line, one after the other.
class LineWords {
 public:
  explicit LineWords(std::string_view line) : rest_(line) {}

  bool AtEnd() const { return rest_.empty(); }
  // All that has not been read.
  std::string_view rest() const { return rest_; }
  // Empty: there is none, or there are two spaces in a row.
  std::string_view Word();

  // False, and nothing is read: the next word is no number that fits.
  template <class T>
  [[nodiscard]] bool Number(T& value) {
    const size_t end = std::min(rest_.find(' '), rest_.size());
    const auto [read, error] = std::from_chars(rest_.data(), rest_.data() + end, value);
    if (error != std::errc() || read != rest_.data() + end || end == 0) return false;
    (void)Word();
    return true;
  }

  // For a message: "want <what>, got <what is there>".
  std::string Want(std::string_view what) const;

 private:
  std::string_view rest_;
};

}  // namespace sim
