// Lines of text, taken apart word by word. Any bytes may come.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace tools {

inline bool StartsWith(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}
inline bool Contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

inline bool IsSpace(char c) { return c == ' ' || c == '\t'; }

inline std::string_view Trim(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

// Cuts the first word off; empty: none is left.
inline std::string_view Word(std::string_view& text) {
  text = Trim(text);
  size_t end = 0;
  while (end < text.size() && !IsSpace(text[end])) ++end;
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end);
  return word;
}

// The whole text as a number; false: it is none.
template <class T>
bool Number(std::string_view text, T& value, int base = 10) {
  const char* end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value, base);
  return !text.empty() && result.ec == std::errc() && result.ptr == end;
}

// A line of a text, and whether the text goes on behind its end; one that does not may have been
// cut within a word.
struct TextLine {
  std::string_view text;  // without "\n" or "\r\n"
  bool is_whole = true;
};

// Cuts the first line off. Requires: !text.empty().
inline TextLine NextLine(std::string_view& text) {
  const size_t end = text.find('\n');
  TextLine line = {text.substr(0, end), end != std::string_view::npos};
  text.remove_prefix(line.is_whole ? end + 1 : text.size());
  if (!line.text.empty() && line.text.back() == '\r') line.text.remove_suffix(1);
  return line;
}

}  // namespace tools
