#include "model/recorded/content_rules.h"

#include <algorithm>
#include <charconv>

#include "absl/strings/str_format.h"

namespace model {
namespace {

constexpr size_t kTagBytes = 16;
constexpr size_t kTagDigits = 4;
constexpr size_t kShownBytes = 32;

bool IsHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsTagText(std::string_view text) {
  return text.size() >= kTagBytes && text[kTagDigits] == ':' && text[kTagBytes - 1] == '\n' &&
         IsHex(text.substr(0, kTagDigits)) && IsHex(text.substr(5, 10));
}

// The first tag in the text, -1 for none.
int64_t TagIn(std::string_view text) {
  for (size_t at = 0; at + kTagBytes <= text.size(); ++at) {
    if (!IsTagText(text.substr(at))) continue;
    uint32_t tag = 0;
    std::from_chars(text.data() + at, text.data() + at + kTagDigits, tag, 16);
    return tag;
  }
  return -1;
}

std::string Printable(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, kShownBytes)) text += c >= ' ' && c <= '~' ? c : '.';
  return text;
}

// True for each byte that may be there.
std::vector<bool> RightBytes(const std::vector<TaggedWrite>* writes, uint64_t offset,
                             std::string_view bytes) {
  std::vector<bool> right(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i) right[i] = bytes[i] == 0;
  if (writes == nullptr) return right;
  for (const TaggedWrite& write : *writes) {
    const uint64_t begin = std::max(offset, write.offset_bytes);
    const uint64_t end = std::min(offset + bytes.size(), write.offset_bytes + write.size_bytes);
    if (begin >= end) continue;
    const std::string wanted = WrittenIn(write, begin, end);
    for (uint64_t at = begin; at < end; ++at) {
      if (bytes[at - offset] == wanted[at - begin]) right[at - offset] = true;
    }
  }
  return right;
}

}  // namespace

std::string WrittenIn(const TaggedWrite& write, uint64_t begin, uint64_t end) {
  std::string text;
  const uint64_t unit = begin - (begin - write.offset_bytes) % kTagBytes;
  for (uint64_t at = unit; at < end; at += kTagBytes) {
    text += absl::StrFormat("%04x:%010x\n", write.tag, at);
  }
  return text.substr(begin - unit, end - begin);
}

const char* NameOf(WrongBytes::Kind kind) {
  switch (kind) {
    case WrongBytes::Kind::kStalePattern:
      return "the pattern of free blocks";
    case WrongBytes::Kind::kForeignTag:
      return "what was never written to this file";
    case WrongBytes::Kind::kMisplacedTag:
      return "what was written elsewhere in this file";
    case WrongBytes::Kind::kUnknown:
      break;
  }
  return "bytes that nobody wrote";
}

std::optional<WrongBytes> ContentRules::Judge(const std::string& path, uint64_t offset,
                                              std::string_view bytes) const {
  const size_t pattern = stale_pattern.empty() ? std::string_view::npos : bytes.find(stale_pattern);
  size_t begin = bytes.size(), end = 0;
  WrongBytes wrong;
  const std::vector<TaggedWrite>* own = nullptr;
  if (writes) {
    const auto found = writes->find(path);
    if (found != writes->end()) own = &found->second;
    const std::vector<bool> right = RightBytes(own, offset, bytes);
    const auto first = std::find(right.begin(), right.end(), false);
    if (first == right.end()) return std::nullopt;
    begin = static_cast<size_t>(first - right.begin());
    end = bytes.size() -
          static_cast<size_t>(std::find(right.rbegin(), right.rend(), false) - right.rbegin());
  } else {
    if (pattern == std::string_view::npos) return std::nullopt;
    begin = pattern;
    end = bytes.rfind(stale_pattern) + stale_pattern.size();
  }
  if (begin < kTagBytes) begin = 0;
  if (bytes.size() - end < kTagBytes) end = bytes.size();
  const int64_t tag = TagIn(bytes.substr(begin, end - begin));
  if (pattern < end) {
    wrong.kind = WrongBytes::Kind::kStalePattern;
  } else if (tag >= 0) {
    const bool is_own = own != nullptr && std::any_of(own->begin(), own->end(), [&](const auto& w) {
                          return (w.tag & 0xffff) == tag;
                        });
    wrong.kind = is_own ? WrongBytes::Kind::kMisplacedTag : WrongBytes::Kind::kForeignTag;
  }
  wrong.begin = offset + begin;
  wrong.end = offset + end;
  wrong.shown = Printable(bytes.substr(begin, end - begin));
  return wrong;
}

}  // namespace model
