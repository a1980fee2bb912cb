// JSON text with the place of every value, so that a complaint can point at it.
//
// The grammar is nlohmann::json's; this adds line and column, and refuses what that library lets
// pass silently: duplicate keys and nesting deeper than kMaxDepth. Input may be any bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace scenario {

// Both count from 1. The column counts characters, not bytes.
struct TextPosition {
  int line = 1;
  int column = 1;
  auto operator<=>(const TextPosition&) const = default;
};

struct JsonValue {
  enum class Kind { kNull, kBoolean, kInteger, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  TextPosition at;
  bool boolean = false;
  uint64_t integer = 0;               // kInteger: 0 to 2^64 - 1, also when written as 1e6
  std::string text;                   // kString: the string; other scalars: as in the file
  std::vector<std::string> keys;      // kObject: in file order, no two equal
  std::vector<TextPosition> keys_at;  // kObject
  std::vector<JsonValue> elements;    // kArray; kObject: elements[i] belongs to keys[i]

  // The value of `key`; null when this is no object or has no such key.
  const JsonValue* Find(std::string_view key) const;
};

inline constexpr int kMaxDepth = 32;

// `path` is for messages only. Failure: "path:line:column: what is wrong"; "path: not a text file".
absl::StatusOr<JsonValue> ParseJsonText(std::string_view path, std::string_view text);

// The same text as a plain document, of any size and depth.
absl::StatusOr<nlohmann::ordered_json> ParseDocument(std::string_view path, std::string_view text);

// The whole of a regular file of at most `max_bytes`. Failure: "path: why".
absl::StatusOr<std::string> ReadTextFile(const std::string& path, int64_t max_bytes);

// The place of the value (with `of_key`: of its key) at a JSON pointer, or of the nearest of its
// parents that is there.
TextPosition PositionOf(const JsonValue& root, std::string_view pointer, bool of_key);

// One step further down: `pointer` plus `key`, escaped as RFC 6901 wants.
std::string PointerTo(std::string_view pointer, std::string_view key);
std::string PointerTo(std::string_view pointer, size_t index);

}  // namespace scenario
