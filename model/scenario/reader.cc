#include "model/scenario/reader.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "model/scenario/nearest_name.h"
#include "model/scenario/text.h"

namespace scenario {
namespace {

constexpr size_t kMostProblems = 20;  // of one file: more help nobody

std::string Describe(const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::kString:
      return Quoted(value.text);
    case JsonValue::Kind::kArray:
      return Cat("a list of ", value.elements.size());
    case JsonValue::Kind::kObject:
      return "an object";
    default:
      return value.text.substr(0, 60);
  }
}

std::string OneOf(Names names) {
  if (names.size() == 1) return Quoted(names[0]);
  std::vector<std::string> quoted;
  for (std::string_view name : names) quoted.push_back(Quoted(name));
  return Cat("one of ", Join(quoted, ", "));
}

// kNamePattern.
bool IsName(std::string_view text) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && text.size() <= 64 && alphanumeric(text[0]) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return alphanumeric(c) || c == '.' || c == '-'; });
}

class Reader final : public FieldVisitor {
 public:
  explicit Reader(std::vector<Problem>& problems) : problems_(problems) {}

  void ReadRoot(const JsonValue& root, absl::FunctionRef<void()> fields) { In(root, "", fields); }

  bool Boolean(const Key& key, bool& value) override {
    const JsonValue* json = Member(key);
    if (json == nullptr) return false;
    if (json->kind != JsonValue::Kind::kBoolean) return Want(key, "true or false", *json);
    value = json->boolean;
    return true;
  }

  bool Integer(const Key& key, IntegerRange range, std::optional<uint64_t>& value) override {
    const JsonValue* json = Member(key);
    if (json == nullptr) return false;
    if (!InRange(*json, range, PointerTo(pointer_, key.name))) return false;
    value = json->integer;
    return true;
  }

  bool IntegerOf(const Key& key, absl::Span<const int64_t> allowed, int64_t& value) override {
    const JsonValue* json = Member(key);
    if (json == nullptr) return false;
    const auto found = std::find_if(allowed.begin(), allowed.end(), [&](int64_t candidate) {
      return json->kind == JsonValue::Kind::kInteger &&
             json->integer == static_cast<uint64_t>(candidate);
    });
    if (found == allowed.end()) return Want(key, Join(allowed, " or "), *json);
    value = *found;
    return true;
  }

  bool Pair(const Key& key, IntegerRange range, int64_t& lo, int64_t& hi) override {
    const JsonValue* json = Member(key);
    if (json == nullptr) return false;
    if (json->kind != JsonValue::Kind::kArray || json->elements.size() != 2) {
      return Want(key, "a list of two integers, the lowest and the highest", *json);
    }
    const std::string pointer = PointerTo(pointer_, key.name);
    const bool lo_ok = InRange(json->elements[0], range, PointerTo(pointer, size_t{0}));
    const bool hi_ok = InRange(json->elements[1], range, PointerTo(pointer, size_t{1}));
    if (!lo_ok || !hi_ok) return false;
    lo = static_cast<int64_t>(json->elements[0].integer);
    hi = static_cast<int64_t>(json->elements[1].integer);
    return true;
  }

  bool Text(const Key& key, TextRule rule, std::string& value) override {
    const JsonValue* json = Member(key);
    if (json == nullptr || !FollowsRule(*json, rule, PointerTo(pointer_, key.name))) return false;
    value = json->text;
    return true;
  }

  bool TextList(const Key& key, TextRule rule, std::vector<std::string>& values) override {
    const JsonValue* json = Member(key);
    if (json == nullptr) return false;
    if (json->kind != JsonValue::Kind::kArray) return Want(key, "a list of texts", *json);
    const std::string pointer = PointerTo(pointer_, key.name);
    for (size_t i = 0; i < json->elements.size(); ++i) {
      if (FollowsRule(json->elements[i], rule, PointerTo(pointer, i))) {
        values.push_back(json->elements[i].text);
      }
    }
    return true;
  }

  bool Numbers(const Key& key, std::vector<uint64_t>& values) override {
    const JsonValue* json = Member(key);
    if (json == nullptr) return false;
    if (json->kind != JsonValue::Kind::kArray) return Want(key, "a list of numbers", *json);
    const std::string pointer = PointerTo(pointer_, key.name);
    for (size_t i = 0; i < json->elements.size(); ++i) {
      if (!InRange(json->elements[i], {}, PointerTo(pointer, i))) return false;
      values.push_back(json->elements[i].integer);
    }
    return true;
  }

  bool Name(const Key& key, Names names, int& index) override {
    const JsonValue* json = Member(key);
    if (json == nullptr) return false;
    const auto found = std::find(names.begin(), names.end(), json->text);
    if (json->kind != JsonValue::Kind::kString || found == names.end()) {
      return WantName(key, OneOf(names), names, *json);
    }
    index = static_cast<int>(found - names.begin());
    return true;
  }

  void Kind(const Key& key, Names names, int& index, absl::FunctionRef<void()> fields) override {
    if (Name(key, names, index)) return fields();
    keys_known_ = false;  // which they are depends on the kind
  }

  void Result(const Key& key, std::optional<OpResult>& value) override {
    const JsonValue* json = Member(key);
    if (json == nullptr) return;
    constexpr uint64_t kMaxResult = uint64_t{1} << 40;
    if (json->kind == JsonValue::Kind::kInteger && json->integer <= kMaxResult) {
      value = OpResult{.errno_name = "", .value = static_cast<int64_t>(json->integer)};
      return;
    }
    const Names names = ErrnoNames();
    if (json->kind != JsonValue::Kind::kString ||
        std::find(names.begin(), names.end(), json->text) == names.end()) {
      WantName(key, Cat("a number of bytes, 0, or an errno (", Join(names, ", "), ")"), names,
               *json);
      return;
    }
    value = OpResult{.errno_name = json->text, .value = 0};
  }

  bool Formula(const Key& key, std::string& value) override {
    const JsonValue* json = Member(key);
    if (json == nullptr) return false;
    if (json->kind == JsonValue::Kind::kInteger) {
      value = Cat(json->integer);
      return true;
    }
    if (json->kind != JsonValue::Kind::kString || json->text.empty()) {
      return Want(key, "an integer or an expression", *json);
    }
    value = json->text;
    return true;
  }

  void ObjectIf(bool, const Key& key, absl::FunctionRef<void()> fields) override {
    Object(key, fields);
  }

  void Flags(const Key& key, absl::Span<const PolicyField> known,
             std::vector<std::pair<std::string, bool>>& values) override {
    std::vector<std::string_view> names;
    for (const PolicyField& field : known) names.push_back(field.name);
    const JsonValue* json = Member(key);
    if (json == nullptr) return;
    if (json->kind != JsonValue::Kind::kObject) {
      Want(key, "an object", *json);
      return;
    }
    const std::string pointer = PointerTo(pointer_, key.name);
    for (size_t i = 0; i < json->keys.size(); ++i) {
      const std::string& name = json->keys[i];
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        problems_.push_back(
            {PointerTo(pointer, name), Cat("no such policy", Suggestion(name, names)), true});
      } else if (json->elements[i].kind != JsonValue::Kind::kBoolean) {
        Want("true or false", json->elements[i], PointerTo(pointer, name));
      } else {
        values.emplace_back(name, json->elements[i].boolean);
      }
    }
  }

  void Object(const Key& key, absl::FunctionRef<void()> fields) override {
    const JsonValue* json = Member(key);
    if (json != nullptr) In(*json, PointerTo(pointer_, key.name), fields);
  }

  bool ListOf(const Key& key, std::string_view short_key, std::optional<size_t>,
              absl::FunctionRef<void(size_t)> element) override {
    const JsonValue* json = Member(key);
    if (json == nullptr) return false;
    if (json->kind != JsonValue::Kind::kArray) return Want(key, "a list", *json);
    const std::string pointer = PointerTo(pointer_, key.name);
    for (size_t i = 0; i < json->elements.size(); ++i) {
      const auto fields = [&] { element(i); };
      const JsonValue& item = json->elements[i];
      if (short_key.empty() || item.kind != JsonValue::Kind::kString) {
        In(item, PointerTo(pointer, i), fields);
      } else {
        JsonValue full;
        full.kind = JsonValue::Kind::kObject;
        full.at = item.at;
        full.keys = {std::string(short_key)};
        full.keys_at = {item.at};
        full.elements = {item};
        In(full, PointerTo(pointer, i), fields);
      }
    }
    return true;
  }

 private:
  // Visits `fields` with `json` as the object whose members they are.
  void In(const JsonValue& json, std::string pointer, absl::FunctionRef<void()> fields) {
    if (json.kind != JsonValue::Kind::kObject) {
      Want("an object", json, std::move(pointer));
      return;
    }
    const JsonValue* outer = std::exchange(object_, &json);
    std::string outer_pointer = std::exchange(pointer_, std::move(pointer));
    auto outer_visited = std::exchange(visited_, {});
    keys_known_ = true;
    fields();
    if (keys_known_) ReportUnknownKeys();
    keys_known_ = true;
    object_ = outer;
    pointer_ = std::move(outer_pointer);
    visited_ = std::move(outer_visited);
  }

  void ReportUnknownKeys() {
    for (const std::string& key : object_->keys) {
      if (std::find(visited_.begin(), visited_.end(), key) != visited_.end()) continue;
      std::string hint = Suggestion(key, visited_);
      if (hint.empty()) hint = Cat("; known here: ", Join(visited_, ", "));
      problems_.push_back({PointerTo(pointer_, key), Cat("unknown key", hint), true});
    }
  }

  const JsonValue* Member(const Key& key) {
    visited_.push_back(key.name);
    const JsonValue* json = object_->Find(key.name);
    if (json == nullptr && key.need == Need::kRequired) {
      problems_.push_back({pointer_, Cat("\"", key.name, "\" is missing: ", key.about)});
    }
    return json;
  }

  bool Want(std::string_view what, const JsonValue& got, std::string pointer) {
    problems_.push_back({std::move(pointer), Cat("want ", what, ", got ", Describe(got))});
    return false;
  }
  bool Want(const Key& key, std::string_view what, const JsonValue& got) {
    return Want(what, got, PointerTo(pointer_, key.name));
  }
  // With a likely name at hand the whole list helps nobody.
  bool WantName(const Key& key, std::string_view what, Names names, const JsonValue& got) {
    const bool text = got.kind == JsonValue::Kind::kString;
    const std::string hint = text ? Suggestion(got.text, names) : "";
    if (hint.empty()) return Want(key, what, got);
    problems_.push_back(
        {PointerTo(pointer_, key.name), Cat("unknown name ", Quoted(got.text), hint)});
    return false;
  }

  bool InRange(const JsonValue& json, IntegerRange range, const std::string& pointer) {
    if (json.kind == JsonValue::Kind::kInteger && json.integer >= range.min &&
        json.integer <= range.max) {
      return true;
    }
    return Want(Cat("an integer from ", range.min, " to ", range.max), json, pointer);
  }

  bool FollowsRule(const JsonValue& json, TextRule rule, const std::string& pointer) {
    const bool text = json.kind == JsonValue::Kind::kString;
    if (rule == TextRule::kName && !(text && IsName(json.text))) {
      return Want("a name of up to 64 letters, digits, _ . - that starts with no . or -", json,
                  pointer);
    }
    if (!text || json.text.empty()) return Want("a text that is not empty", json, pointer);
    return true;
  }

  std::vector<Problem>& problems_;
  const JsonValue* object_ = nullptr;      // the current object ...
  std::string pointer_;                    // ... where it is ...
  std::vector<std::string_view> visited_;  // ... and the keys it may have, so far
  bool keys_known_ = true;                 // whether `visited_` will be all of them
};

}  // namespace

std::vector<Problem> ReadObject(const JsonValue& root,
                                absl::FunctionRef<void(FieldVisitor&)> visit) {
  std::vector<Problem> problems;
  Reader reader(problems);
  reader.ReadRoot(root, [&] { visit(reader); });
  return problems;
}

absl::Status ProblemStatus(std::string_view path, const JsonValue& root,
                           const std::vector<Problem>& problems) {
  std::vector<std::pair<TextPosition, std::string>> lines;
  for (const Problem& problem : problems) {
    const TextPosition at = PositionOf(root, problem.pointer, problem.of_key);
    lines.emplace_back(at, Cat(path, ":", at.line, ":", at.column, ": ", problem.pointer,
                               problem.pointer.empty() ? "" : ": ", problem.message));
  }
  std::stable_sort(lines.begin(), lines.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  const size_t shown = std::min(lines.size(), kMostProblems);
  std::vector<std::string> texts;
  for (size_t i = 0; i < shown; ++i) texts.push_back(lines[i].second);
  if (shown < lines.size()) {
    texts.push_back(Cat(path, ": and ", lines.size() - shown, " more"));
  }
  return absl::InvalidArgumentError(Join(texts, "\n"));
}

std::vector<Problem> ReadScenario(const JsonValue& root, absl::Span<const PolicyField> policies,
                                  Scenario& scenario) {
  return ReadObject(root, [&](FieldVisitor& reader) { VisitScenario(reader, policies, scenario); });
}

}  // namespace scenario
