#include "tools/tag_file.h"

#include "absl/strings/str_cat.h"
#include "tools/import/words.h"

namespace tools {

absl::StatusOr<TaggedWrites> ParseTags(const std::string& name, std::string_view text) {
  TaggedWrites writes;
  for (size_t line = 1; !text.empty(); ++line) {
    std::string_view rest = NextLine(text).text;
    const std::string_view path = Word(rest);
    if (path.empty() || path.front() == '#') continue;
    model::TaggedWrite write;
    if (!Number(Word(rest), write.offset_bytes) || !Number(Word(rest), write.size_bytes) ||
        !Number(Word(rest), write.tag, 16) || !Word(rest).empty() || write.tag > 0xffff) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ":", line, ": want PATH OFFSET LENGTH TAG, the tag of 4 hex digits"));
    }
    if (write.offset_bytes > INT64_MAX || write.size_bytes > INT64_MAX) {
      return absl::InvalidArgumentError(absl::StrCat(name, ":", line, ": larger than any file"));
    }
    writes[std::string(path)].push_back(write);
  }
  return writes;
}

std::string TagText(const TaggedWrites& writes) {
  std::string text;
  for (const auto& [path, of_path] : writes) {
    for (const model::TaggedWrite& write : of_path) {
      absl::StrAppend(&text, path, " ", write.offset_bytes, " ", write.size_bytes, " ",
                      absl::Hex(write.tag, absl::kZeroPad4), "\n");
    }
  }
  return text;
}

}  // namespace tools
