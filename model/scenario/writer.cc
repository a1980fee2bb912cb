#include "model/scenario/writer.h"
#include "nlohmann/json.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/scenario/fields.h"

namespace scenario {
namespace {

using Json = nlohmann::ordered_json;

class Writer final : public FieldVisitor {
 public:
  explicit Writer(Json& root) : object_(&root) {}

  bool Boolean(const Key& key, bool& value) override { return Put(key, value); }
  bool Integer(const Key& key, IntegerRange, std::optional<uint64_t>& value) override {
    return value && Put(key, *value);
  }
  bool IntegerOf(const Key& key, absl::Span<const int64_t>, int64_t& value) override {
    return Put(key, value);
  }
  bool Pair(const Key& key, IntegerRange, int64_t& lo, int64_t& hi) override {
    return Put(key, Json::array({lo, hi}));
  }
  bool Text(const Key& key, TextRule, std::string& value) override {
    return !value.empty() && Put(key, value);
  }
  bool TextList(const Key& key, TextRule, std::vector<std::string>& values) override {
    return Put(key, values);
  }
  bool Numbers(const Key& key, std::vector<uint64_t>& values) override { return Put(key, values); }
  bool Name(const Key& key, Names names, int& index) override {
    return Put(key, names[static_cast<size_t>(index)]);
  }
  void Kind(const Key& key, Names names, int& index, absl::FunctionRef<void()> fields) override {
    Name(key, names, index);
    fields();
  }
  void Result(const Key& key, std::optional<OpResult>& value) override {
    if (!value) return;
    Put(key, value->errno_name.empty() ? Json(value->value) : Json(value->errno_name));
  }
  bool Formula(const Key& key, std::string& value) override {
    return !value.empty() && Put(key, value);
  }
  void Flags(const Key& key, absl::Span<const PolicyField>,
             std::vector<std::pair<std::string, bool>>& values) override {
    Json flags = Json::object();
    for (const auto& [name, value] : values) flags[name] = value;
    Put(key, std::move(flags));
  }
  void Object(const Key& key, absl::FunctionRef<void()> fields) override {
    Put(key, Collect(fields));
  }
  bool ListOf(const Key& key, std::string_view short_key, std::optional<size_t> size,
              absl::FunctionRef<void(size_t)> element) override {
    if (!size) return false;
    Json list = Json::array();
    for (size_t i = 0; i < *size; ++i) {
      Json item = Collect([&] { element(i); });
      const bool bare = !short_key.empty() && item.size() == 1;
      list.push_back(bare ? item.front() : std::move(item));
    }
    return Put(key, std::move(list));
  }

 private:
  bool Put(const Key& key, Json value) {
    (*object_)[std::string(key.name)] = std::move(value);
    return true;
  }

  Json Collect(absl::FunctionRef<void()> fields) {
    Json inner = Json::object();
    Json* outer = std::exchange(object_, &inner);
    fields();
    object_ = outer;
    return inner;
  }

  Json* object_;
};

}  // namespace

Json ToJson(absl::FunctionRef<void(FieldVisitor&)> visit) {
  Json root = Json::object();
  Writer writer(root);
  visit(writer);
  return root;
}

Json ToJson(const Scenario& scenario) {
  Scenario copy = scenario;  // a visitor may change what it visits; this one does not
  return ToJson([&](FieldVisitor& writer) { VisitScenario(writer, {}, copy); });
}

}  // namespace scenario
