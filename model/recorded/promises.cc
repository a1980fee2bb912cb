#include "model/recorded/promises.h"

#include <charconv>
#include <optional>

#include "absl/algorithm/container.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace model {
namespace {

std::string_view PrintableStart(std::string_view bytes) {
  size_t size = 0;
  while (size < bytes.size() && bytes[size] >= ' ' && bytes[size] <= '~') ++size;
  return bytes.substr(0, size);
}

std::string WithoutSlashes(std::string path) {
  while (!path.empty() && path.back() == '/') path.pop_back();
  path.erase(0, path.find_first_not_of('/'));
  return path;
}

bool IsInName(char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-' || c == '.'; }

// Is `path` a word of the text, or the end of a longer path?
bool Names(const std::string& text, const std::string& path) {
  for (size_t at = text.find(path); at != std::string::npos; at = text.find(path, at + 1)) {
    const size_t end = at + path.size();
    if ((at == 0 || !IsInName(text[at - 1])) && (end == text.size() || !IsInName(text[end]))) {
      return true;
    }
  }
  return false;
}

bool TellsOfABeginning(const std::string& text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ');
  return absl::c_any_of(words, [](const auto& word) { return absl::EndsWith(word, "-begin"); });
}

}  // namespace

std::vector<RecordedMark> FindMarks(const Recording& recording, uint64_t end_bytes) {
  std::vector<RecordedMark> marks;
  for (uint32_t i = 0; i < recording.entries.size(); ++i) {
    const RecordedEntry& entry = recording.entries[i];
    if (!entry.mark.empty()) {
      marks.push_back({i, std::string(entry.mark)});
    } else if (entry.offset_bytes >= end_bytes && !entry.discard) {
      const std::string_view text = PrintableStart(entry.data);
      if (!text.empty() && text.front() != ' ') marks.push_back({i, std::string(text)});
    }
  }
  return marks;
}

PromisedFiles::PromisedFiles(const RecordedMark& mark) {
  const std::vector<std::string> words = absl::StrSplit(mark.text, ' ', absl::SkipEmpty());
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string next = i + 1 < words.size() ? words[i + 1] : "";
    if (words[i] == "sync-done") what_ = What::kAll;
    if (words[i] == "fsync-done" && !next.empty()) {
      what_ = What::kFile;
      path_ = WithoutSlashes(next);
    }
    if (words[i] == "dir-fsync-done" && !next.empty()) {
      what_ = What::kNames;
      path_ = WithoutSlashes(next);
    }
    uint64_t size = 0;
    if (words[i] == "size" &&
        std::from_chars(next.data(), next.data() + next.size(), size).ec == std::errc()) {
      size_bytes_ = size;
    }
  }
  if (what_ == What::kAll) path_.clear();
}

bool PromisedFiles::Covers(const std::string& path) const {
  switch (what_) {
    case What::kNothing:
      return false;
    case What::kFile:
      return path == path_;
    case What::kAll:
      return true;
    case What::kNames:
      break;
  }
  const size_t slash = path.rfind('/');
  return path_ == (slash == std::string::npos ? "" : path.substr(0, slash));
}

uint32_t EndOfPromise(const std::vector<RecordedMark>& marks, size_t number,
                      const std::string& path, uint32_t entries) {
  for (size_t i = number + 1; i < marks.size(); ++i) {
    if (!Names(marks[i].text, path)) continue;
    return marks[TellsOfABeginning(marks[i].text) ? i : i - 1].entry + 1;
  }
  return entries;
}

}  // namespace model
