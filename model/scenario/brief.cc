#include "model/scenario/brief.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "model/scenario/text.h"
#include "nlohmann/json.hpp"

namespace scenario {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kColumns = 100;

bool Fits(const Json& json, const Json& properties) {
  for (const auto& [key, value] : json.items()) {
    const auto property = properties.find(key);
    if (property == properties.end()) return false;
    if (property->contains("const") && (*property)["const"] != value) return false;
  }
  return true;
}

// Of the alternatives that `schema` has, if any, the one that `json` follows.
const Json& SchemaOf(const Json& json, const Json& schema) {
  if (!schema.contains("oneOf") || !json.is_object()) return schema;
  for (const Json& alternative : schema["oneOf"]) {
    const auto properties = alternative.find("properties");
    if (properties != alternative.end() && Fits(json, *properties)) return alternative;
  }
  return schema;
}

// "key": of a member; nothing of an element.
std::string Label(const Json& json, const std::string& key) {
  return json.is_object() ? Cat(Json(key).dump(), ": ") : "";
}

// `column` is where the text begins, `indent` where its line does.
std::string LaidOutAt(const Json& json, size_t indent, size_t column) {
  const std::string line = OneLine(json);
  if (!json.is_structured() || column + line.size() < kColumns) return line;  // and a comma
  std::vector<std::string> members;
  for (const auto& [key, value] : json.items()) {
    const std::string label = Label(json, key);
    members.push_back(Cat(std::string(indent + 2, ' '), label,
                          LaidOutAt(value, indent + 2, indent + 2 + label.size())));
  }
  return Cat(line.substr(0, 1), "\n", Join(members, ",\n"), "\n", std::string(indent, ' '),
             line.substr(line.size() - 1));
}

}  // namespace

Json WithoutDefaults(const Json& json, const Json& schema) {
  const Json& rules = SchemaOf(json, schema);
  if (json.is_array() && rules.contains("items")) {
    Json list = Json::array();
    for (const Json& element : json) list.push_back(WithoutDefaults(element, rules["items"]));
    return list;
  }
  if (!json.is_object() || !rules.contains("properties")) return json;
  Json object = Json::object();
  for (const auto& [key, value] : json.items()) {
    const Json& property = rules["properties"][key];
    Json brief = WithoutDefaults(value, property);
    if (!property.contains("default") || property["default"] != brief) {
      object[key] = std::move(brief);
    }
  }
  return object;
}

std::string OneLine(const Json& json) {
  if (!json.is_structured()) return json.dump();
  std::vector<std::string> members;
  for (const auto& [key, value] : json.items()) {
    members.push_back(Cat(Label(json, key), OneLine(value)));
  }
  const std::string inside = Join(members, ", ");
  return json.is_object() ? Cat("{", inside, "}") : Cat("[", inside, "]");
}

std::string LaidOut(const Json& json) { return LaidOutAt(json, 0, 0); }

}  // namespace scenario
