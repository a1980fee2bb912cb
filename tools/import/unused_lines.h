// Lines that a reader could not use: counted by kind, with the first of each kind.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tools {

class UnusedLines {
 public:
  struct Kind {
    std::string why;
    uint64_t count = 0;
    std::string first_file;
    uint64_t first_line = 0;
    std::string first_text;  // its beginning
  };

  void Add(std::string_view why, std::string_view file, uint64_t line, std::string_view text);

  uint64_t count() const;
  // In order of first sight.
  const std::vector<Kind>& kinds() const { return kinds_; }

 private:
  std::vector<Kind> kinds_;
};

// " lines not used: N", then two lines for each kind.
std::string RenderText(const UnusedLines& unused);

}  // namespace tools
