#include "model/scenario/schema.h"
#include "nlohmann/json.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "model/scenario/text.h"

namespace scenario {
namespace {

using Json = nlohmann::ordered_json;

Json IntegerSchema(IntegerRange range) {
  return {{"type", "integer"}, {"minimum", range.min}, {"maximum", range.max}};
}

Json TextSchema(TextRule rule) {
  if (rule == TextRule::kName) return {{"type", "string"}, {"pattern", kNamePattern}};
  return {{"type", "string"}, {"minLength", 1}};
}

Json EnumSchema(Names names) {
  return {{"enum", std::vector<std::string>(names.begin(), names.end())}};
}

class SchemaBuilder final : public FieldVisitor {
 public:
  explicit SchemaBuilder(Json& root) : object_(&root) {}

  bool Boolean(const Key& key, bool& value) override {
    return Put(key, {{"type", "boolean"}}, value);
  }
  bool Integer(const Key& key, IntegerRange range, std::optional<uint64_t>& value) override {
    return Put(key, IntegerSchema(range), value ? Json(*value) : Json());
  }
  bool IntegerOf(const Key& key, absl::Span<const int64_t> allowed, int64_t& value) override {
    return Put(key, {{"enum", std::vector<int64_t>(allowed.begin(), allowed.end())}}, value);
  }
  bool Pair(const Key& key, IntegerRange range, int64_t& lo, int64_t& hi) override {
    return Put(
        key, {{"type", "array"}, {"items", IntegerSchema(range)}, {"minItems", 2}, {"maxItems", 2}},
        Json::array({lo, hi}));
  }
  bool Text(const Key& key, TextRule rule, std::string&) override {
    return Put(key, TextSchema(rule), {});
  }
  bool TextList(const Key& key, TextRule rule, std::vector<std::string>&) override {
    return Put(key, {{"type", "array"}, {"items", TextSchema(rule)}}, Json::array());
  }
  bool Numbers(const Key& key, std::vector<uint64_t>&) override {
    return Put(key, {{"type", "array"}, {"items", IntegerSchema({})}}, Json::array());
  }
  bool Name(const Key& key, Names names, int& index) override {
    return Put(key, EnumSchema(names), names[static_cast<size_t>(index)]);
  }

  // One alternative per kind, with the keys of that kind.
  void Kind(const Key& key, Names names, int& index, absl::FunctionRef<void()> fields) override {
    Json alternatives = Json::array();
    for (size_t i = 0; i < names.size(); ++i) {
      index = static_cast<int>(i);
      alternatives.push_back(Collect([&] {
        Put(key, {{"const", names[i]}}, {});
        fields();
      }));
    }
    *object_ = {{"oneOf", std::move(alternatives)}};
  }

  void Result(const Key& key, std::optional<OpResult>&) override {
    Put(key,
        {{"oneOf", Json::array({IntegerSchema({0, uint64_t{1} << 40}), EnumSchema(ErrnoNames())})}},
        {});
  }

  bool Formula(const Key& key, std::string&) override {
    return Put(key, {{"oneOf", Json::array({{{"type", "integer"}}, TextSchema(TextRule::kText)})}},
               {});
  }

  bool VisitsAll() const override { return true; }
  void ObjectIf(bool, const Key& key, absl::FunctionRef<void()> fields) override {
    Put(key, Collect(fields), {});
  }

  void Flags(const Key& key, absl::Span<const PolicyField> known,
             std::vector<std::pair<std::string, bool>>&) override {
    Json flags = Collect([&] {
      for (const PolicyField& field : known) {
        const std::string about = Cat(field.about, " [", field.source, "]");
        Put({field.name, about}, {{"type", "boolean"}}, false);
      }
    });
    Put(key, std::move(flags), Json::object());
  }

  void Object(const Key& key, absl::FunctionRef<void()> fields) override {
    Put(key, Collect(fields), Json::object());
  }

  bool ListOf(const Key& key, std::string_view short_key, std::optional<size_t>,
              absl::FunctionRef<void(size_t)> element) override {
    Json items = Collect([&] { element(0); });
    if (!short_key.empty()) {
      items = {{"oneOf", Json::array({items["properties"][std::string(short_key)], items})}};
    }
    return Put(key, {{"type", "array"}, {"items", std::move(items)}}, Json::array());
  }

 private:
  // A null `fallback` is no default.
  bool Put(const Key& key, Json schema, Json fallback) {
    schema["description"] = key.about;
    if (key.need == Need::kOptional && !fallback.is_null()) schema["default"] = std::move(fallback);
    (*object_)["properties"][std::string(key.name)] = std::move(schema);
    if (key.need == Need::kRequired) (*object_)["required"].push_back(key.name);
    return true;
  }

  Json Collect(absl::FunctionRef<void()> fields) {
    Json inner = {
        {"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
    Json* outer = std::exchange(object_, &inner);
    fields();
    object_ = outer;
    return inner;
  }

  Json* object_;
};

}  // namespace

Json JsonSchema(std::string_view title, absl::FunctionRef<void(FieldVisitor&)> visit) {
  Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", title},
               {"type", "object"},
               {"additionalProperties", false},
               {"properties", Json::object()}};
  SchemaBuilder builder(root);
  visit(builder);
  return root;
}

Json JsonSchema(absl::Span<const PolicyField> policies) {
  Scenario defaults;
  return JsonSchema("crashdep scenario",
                    [&](FieldVisitor& builder) { VisitScenario(builder, policies, defaults); });
}

}  // namespace scenario
