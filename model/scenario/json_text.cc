#include "model/scenario/json_text.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numeric>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "model/scenario/text.h"

namespace scenario {
namespace {

// Walks the text for nlohmann's lexer and shows how far that has come.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, const char** reached) : at_(at), reached_(reached) {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    *reached_ = ++at_;
    return *this;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }
  bool operator!=(const CountingIterator& other) const { return at_ != other.at_; }

 private:
  const char* at_;
  const char** reached_;
};

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// Turns offsets that only grow into positions.
class PositionTracker {
 public:
  explicit PositionTracker(std::string_view text) : text_(text) {}

  TextPosition At(size_t offset) {
    for (; offset_ < std::min(offset, text_.size()); ++offset_) {
      const unsigned char byte = static_cast<unsigned char>(text_[offset_]);
      if (byte == '\n') {
        ++position_.line;
        position_.column = 1;
      } else if ((byte & 0xC0) != 0x80) {  // not the rest of a UTF-8 character
        ++position_.column;
      }
    }
    return position_;
  }

 private:
  std::string_view text_;
  size_t offset_ = 0;
  TextPosition position_;
};

std::string Located(std::string_view path, TextPosition at, std::string_view what) {
  return Cat(path, ":", at.line, ":", at.column, ": ", what);
}

// nlohmann words its errors as "[json.exception...] parse error at line 1, column 2: syntax error
// while parsing value - unexpected ...; last read: '...'; expected ...". What it last read is where
// we point, and may be no text at all.
std::string PlainReason(std::string_view what) {
  for (std::string_view mark : {" - ", ": ", "] "}) {
    const size_t found = what.find(mark);
    if (found != std::string_view::npos) {
      what.remove_prefix(found + mark.size());
      break;
    }
  }
  const size_t quote = what.find("; last read: '");
  const size_t wanted = what.rfind("'; expected ");
  const bool says_wanted = wanted != std::string_view::npos && wanted > quote;
  return Cat("not valid JSON: ", what.substr(0, quote),
             says_wanted ? what.substr(wanted + 1) : std::string_view());
}

// Receives nlohmann's events and builds the tree. An event comes right after its token was read, so
// the token starts at the first byte after the previous one that is no separator.
class TreeBuilder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  TreeBuilder(std::string_view path, std::string_view text)
      : path_(path), text_(text), tracker_(text), reached_(text.data()) {}

  absl::StatusOr<JsonValue> Build() {
    if (text_.starts_with(kByteOrderMark)) previous_end_ = kByteOrderMark.size();
    const char* end = text_.data() + text_.size();
    const bool parsed = nlohmann::json::sax_parse(CountingIterator(text_.data(), &reached_),
                                                  CountingIterator(end, &reached_), this);
    if (!parsed) return absl::InvalidArgumentError(error_);
    return std::move(root_);
  }

  bool null() override { return Scalar(JsonValue::Kind::kNull, {}); }
  bool boolean(bool value) override {
    JsonValue node;
    node.boolean = value;
    return Scalar(JsonValue::Kind::kBoolean, std::move(node));
  }
  bool number_integer(number_integer_t value) override {
    if (value >= 0) return number_unsigned(static_cast<number_unsigned_t>(value));
    return Scalar(JsonValue::Kind::kNumber, {});
  }
  bool number_unsigned(number_unsigned_t value) override {
    JsonValue node;
    node.integer = value;
    return Scalar(JsonValue::Kind::kInteger, std::move(node));
  }
  bool number_float(number_float_t value, const string_t&) override {
    constexpr double kExactBelow = 9007199254740992.0;  // 2^53
    if (value >= 0 && value < kExactBelow && std::floor(value) == value) {
      return number_unsigned(static_cast<number_unsigned_t>(value));
    }
    return Scalar(JsonValue::Kind::kNumber, {});
  }
  bool string(string_t& value) override {
    JsonValue node;
    node.text = std::move(value);
    return Scalar(JsonValue::Kind::kString, std::move(node));
  }
  bool binary(binary_t&) override { return false; }  // JSON text has none
  bool start_object(std::size_t) override { return Open(JsonValue::Kind::kObject); }
  bool start_array(std::size_t) override { return Open(JsonValue::Kind::kArray); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& key) override {
    const TextPosition at = tracker_.At(TokenStart());
    open_.back()->keys.push_back(std::move(key));
    open_.back()->keys_at.push_back(at);
    EndToken();
    return true;
  }
  bool parse_error(std::size_t, const std::string&,
                   const nlohmann::detail::exception& error) override {
    if (text_.find_first_not_of(" \t\r\n") == std::string_view::npos) {
      return Fail({1, 1}, "the file is empty");
    }
    const size_t read = static_cast<size_t>(reached_ - text_.data());
    const size_t at =
        read < text_.size() && read > 0 ? std::min(TokenStart(), read - 1) : TokenStart();
    std::string reason = PlainReason(error.what());
    if (reason.find("unexpected end of input") != std::string::npos) {
      reason = "not valid JSON: the text ends too early";
    }
    return Fail(tracker_.At(at), reason);
  }

 private:
  size_t TokenStart() const {
    const size_t start = text_.find_first_not_of(" \t\r\n,:", previous_end_);
    return std::min(start, text_.size());
  }
  void EndToken() { previous_end_ = static_cast<size_t>(reached_ - text_.data()); }

  bool Fail(TextPosition at, std::string_view what) {
    error_ = Located(path_, at, what);
    return false;
  }

  JsonValue& Attach(JsonValue node) {
    if (open_.empty()) return root_ = std::move(node);
    return open_.back()->elements.emplace_back(std::move(node));
  }

  bool Scalar(JsonValue::Kind kind, JsonValue node) {
    const size_t start = TokenStart();
    node.kind = kind;
    node.at = tracker_.At(start);
    if (kind != JsonValue::Kind::kString) {
      const size_t end = std::min(text_.find_first_of(" \t\r\n,:]}", start), text_.size());
      node.text = std::string(text_.substr(start, end - start));
    }
    Attach(std::move(node));
    EndToken();
    return true;
  }

  bool Open(JsonValue::Kind kind) {
    const TextPosition at = tracker_.At(TokenStart());
    if (open_.size() == kMaxDepth) {
      return Fail(at, Cat("nested deeper than ", kMaxDepth, " levels"));
    }
    JsonValue node;
    node.kind = kind;
    node.at = at;
    open_.push_back(&Attach(std::move(node)));
    EndToken();
    return true;
  }

  bool Close() {
    const JsonValue& closed = *open_.back();
    open_.pop_back();
    EndToken();
    return KeysDiffer(closed);
  }

  bool KeysDiffer(const JsonValue& object) {
    std::vector<size_t> order(object.keys.size());
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return object.keys[a] < object.keys[b]; });
    const auto twice = std::adjacent_find(order.begin(), order.end(), [&](size_t a, size_t b) {
      return object.keys[a] == object.keys[b];
    });
    if (twice == order.end()) return true;
    const size_t second = *std::next(twice);
    return Fail(object.keys_at[second],
                Cat("the key \"", object.keys[second], "\" is there twice"));
  }

  std::string_view path_;
  std::string_view text_;
  PositionTracker tracker_;
  const char* reached_;
  size_t previous_end_ = 0;
  JsonValue root_;
  std::vector<JsonValue*> open_;  // from the root inwards; only the innermost one grows
  std::string error_;
};

}  // namespace

const JsonValue* JsonValue::Find(std::string_view key) const {
  const auto found = std::find(keys.begin(), keys.end(), key);
  return found == keys.end() ? nullptr : &elements[static_cast<size_t>(found - keys.begin())];
}

absl::StatusOr<JsonValue> ParseJsonText(std::string_view path, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError(Cat(path, ": not a text file"));
  }
  return TreeBuilder(path, text).Build();
}

absl::StatusOr<nlohmann::ordered_json> ParseDocument(std::string_view path, std::string_view text) {
  auto document = nlohmann::ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!document.is_discarded()) return document;
  if (absl::Status error = ParseJsonText(path, text).status(); !error.ok()) return error;
  return absl::InvalidArgumentError(Cat(path, ": not valid JSON"));
}

absl::StatusOr<std::string> ReadTextFile(const std::string& path, int64_t max_bytes) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (!std::filesystem::exists(status)) {
    return absl::NotFoundError(Cat(path, ": no such file"));
  }
  if (!std::filesystem::is_regular_file(status)) {
    return absl::InvalidArgumentError(Cat(path, ": not a regular file"));
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::InvalidArgumentError(Cat(path, ": ", std::strerror(errno)));
  std::string text;
  char chunk[1 << 16];
  while (file.read(chunk, sizeof(chunk)) || file.gcount() > 0) {
    text.append(chunk, static_cast<size_t>(file.gcount()));
    if (static_cast<int64_t>(text.size()) > max_bytes) {
      return absl::InvalidArgumentError(Cat(path, ": larger than ", max_bytes, " bytes"));
    }
  }
  if (file.bad()) return absl::InvalidArgumentError(Cat(path, ": cannot be read"));
  return text;
}

TextPosition PositionOf(const JsonValue& root, std::string_view pointer, bool of_key) {
  const JsonValue* value = &root;
  TextPosition at = root.at;
  if (pointer.empty()) return at;
  for (const std::string& step :
       std::vector<std::string>(absl::StrSplit(ToAbsl(pointer.substr(1)), '/'))) {
    const std::string key = absl::StrReplaceAll(step, {{"~1", "/"}, {"~0", "~"}});
    size_t index = 0;
    if (value->kind == JsonValue::Kind::kObject) {
      index = static_cast<size_t>(std::find(value->keys.begin(), value->keys.end(), key) -
                                  value->keys.begin());
    } else if (!absl::SimpleAtoi(key, &index)) {
      return at;
    }
    if (index >= value->elements.size()) return at;
    const JsonValue* parent = value;
    value = &parent->elements[index];
    at = of_key && parent->kind == JsonValue::Kind::kObject ? parent->keys_at[index] : value->at;
  }
  return at;
}

std::string PointerTo(std::string_view pointer, std::string_view key) {
  return Cat(pointer, "/", absl::StrReplaceAll(ToAbsl(key), {{"~", "~0"}, {"/", "~1"}}));
}

std::string PointerTo(std::string_view pointer, size_t index) { return Cat(pointer, "/", index); }

}  // namespace scenario
