// The one table of what a scenario file may say: every key with its type, range and meaning.
//
// VisitScenario() walks the table over a Scenario, in the order of the file format. Who visits
// decides what happens: reader.h fills the Scenario from JSON, writer.h writes it out, schema.h
// describes the format (with the defaults of the Scenario that it visits).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "model/scenario/policy_field.h"
#include "model/scenario/scenario.h"

namespace scenario {

enum class Need {
  kRequired,
  kOptional,  // without it the member keeps its initialiser
  kDerived,   // without it the value follows from others, as `about` says
};

struct Key {
  std::string_view name;
  std::string_view about;
  Need need = Need::kOptional;
};

struct IntegerRange {
  uint64_t min = 0;
  uint64_t max = UINT64_MAX;  // both included
};

enum class TextRule {
  kText,  // anything but nothing
  kName,  // goes into file names and reports: see kNamePattern
};
inline constexpr std::string_view kNamePattern = "^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$";

using Names = absl::Span<const std::string_view>;

// The errnos that "returns" may name.
Names ErrnoNames();

// Each call visits the member of the current object that `key` names, and returns whether it has a
// value (a visitor that does not read always says true).
class FieldVisitor {
 public:
  virtual ~FieldVisitor() = default;

  virtual bool Boolean(const Key& key, bool& value) = 0;
  virtual bool Integer(const Key& key, IntegerRange range, std::optional<uint64_t>& value) = 0;
  virtual bool IntegerOf(const Key& key, absl::Span<const int64_t> allowed, int64_t& value) = 0;
  // [lo, hi]
  virtual bool Pair(const Key& key, IntegerRange range, int64_t& lo, int64_t& hi) = 0;
  virtual bool Text(const Key& key, TextRule rule, std::string& value) = 0;
  virtual bool TextList(const Key& key, TextRule rule, std::vector<std::string>& values) = 0;
  virtual bool Numbers(const Key& key, std::vector<uint64_t>& values) = 0;
  // One of `names`; `index` says which.
  virtual bool Name(const Key& key, Names names, int& index) = 0;
  // As Name(); which further keys the object has, `fields` visits according to `index`.
  virtual void Kind(const Key& key, Names names, int& index, absl::FunctionRef<void()> fields) = 0;
  virtual void Result(const Key& key, std::optional<OpResult>& value) = 0;
  // An integer, or a text that will be one.
  virtual bool Formula(const Key& key, std::string& value) = 0;
  virtual void Flags(const Key& key, absl::Span<const PolicyField> known,
                     std::vector<std::pair<std::string, bool>>& values) = 0;
  // Whether keys that exclude each other are to be visited, too.
  virtual bool VisitsAll() const { return false; }
  virtual void Object(const Key& key, absl::FunctionRef<void()> fields) = 0;
  // The same, of one that need not be there; a visitor that reads decides by itself.
  virtual void ObjectIf(bool present, const Key& key, absl::FunctionRef<void()> fields) {
    if (present) Object(key, fields);
  }
  // A list of `size` objects; no size: no list. With a `short_key`, an element may be a bare value
  // that stands for the object with just that key.
  virtual bool ListOf(const Key& key, std::string_view short_key, std::optional<size_t> size,
                      absl::FunctionRef<void(size_t)> element) = 0;

  template <class T>
  bool Integer(const Key& key, IntegerRange range, T& value) {
    std::optional<uint64_t> wide(static_cast<uint64_t>(value));
    const bool given = Integer(key, range, wide);
    value = static_cast<T>(*wide);
    return given;
  }
  bool Integer(const Key& key, IntegerRange range, std::optional<int64_t>& value) {
    std::optional<uint64_t> wide;
    if (value) wide = static_cast<uint64_t>(*value);
    const bool given = Integer(key, range, wide);
    if (wide) value = static_cast<int64_t>(*wide);
    return given;
  }
  template <class E>
  bool Name(const Key& key, Names names, E& value) {
    int index = static_cast<int>(value);
    const bool given = Name(key, names, index);
    value = static_cast<E>(index);
    return given;
  }
  template <class T>
  bool List(const Key& key, std::vector<T>& items, absl::FunctionRef<void(T&)> fields,
            std::string_view short_key = {}) {
    return ListOf(key, short_key, items.size(), [&](size_t index) {
      if (items.size() <= index) items.resize(index + 1);
      fields(items[index]);
    });
  }
};

// `policies` are the keys that "policy" may have.
void VisitScenario(FieldVisitor& visitor, absl::Span<const PolicyField> policies,
                   Scenario& scenario);

}  // namespace scenario
