#include "tools/suppressions.h"

#include <algorithm>

#include "model/scenario/json_text.h"
#include "model/scenario/reader.h"
#include "model/scenario/scenario.h"
#include "model/scenario/schema.h"
#include "model/scenario/text.h"
#include "nlohmann/json.hpp"

namespace tools {

using scenario::Cat;
using scenario::FieldVisitor;
using scenario::Need;
using scenario::TextRule;

void Suppressions::Visit(FieldVisitor& visitor) {
  constexpr int64_t kVersions[] = {1};
  int64_t version = 1;
  visitor.IntegerOf({"schema", "Version of the format.", Need::kRequired}, kVersions, version);
  visitor.List<Entry>(
      {"suppressions", "What is known.", Need::kRequired}, entries_, [&](Entry& entry) {
        size_t kind = 0;
        visitor.Name({"kind", "Kind of finding.", Need::kRequired}, scenario::kFindingKinds, kind);
        entry.kind = std::string(scenario::kFindingKinds[kind]);
        visitor.Text({"message", "Text that occurs in its message.", Need::kRequired},
                     TextRule::kText, entry.message);
        visitor.Text({"reason", "Why it needs no action.", Need::kRequired}, TextRule::kText,
                     entry.reason);
      });
}

absl::StatusOr<Suppressions> Suppressions::Parse(std::string_view path, std::string_view text) {
  const absl::StatusOr<scenario::JsonValue> root = scenario::ParseJsonText(path, text);
  if (!root.ok()) return root.status();
  Suppressions suppressions;
  const std::vector<scenario::Problem> problems =
      scenario::ReadObject(*root, [&](FieldVisitor& visitor) { suppressions.Visit(visitor); });
  if (!problems.empty()) return scenario::ProblemStatus(path, *root, problems);
  return suppressions;
}

nlohmann::ordered_json Suppressions::Schema() {
  Suppressions suppressions;
  return scenario::JsonSchema("crashdep suppressions",
                              [&](FieldVisitor& visitor) { suppressions.Visit(visitor); });
}

absl::StatusOr<Suppressions> Suppressions::Load(const std::string& path) {
  constexpr int64_t kMaxFileBytes = 1 << 20;
  const absl::StatusOr<std::string> text = scenario::ReadTextFile(path, kMaxFileBytes);
  if (!text.ok()) return text.status();
  return Parse(path, *text);
}

bool Suppressions::Covers(std::string_view kind, std::string_view message) {
  const auto entry = std::find_if(entries_.begin(), entries_.end(), [&](const Entry& candidate) {
    return candidate.kind == kind && message.find(candidate.message) != std::string_view::npos;
  });
  if (entry == entries_.end()) return false;
  ++entry->count;
  return true;
}

std::string Suppressions::Text() const {
  std::string text;
  for (const Entry& entry : entries_) {
    text += Cat(entry.count == 0 ? "not needed" : Cat("suppressed ", entry.count, " x"), ": ",
                entry.kind, ": ", entry.message, " [", entry.reason, "]\n");
  }
  return text;
}

nlohmann::ordered_json Suppressions::ToJson() const {
  auto json = nlohmann::ordered_json::array();
  for (const Entry& entry : entries_) {
    json.push_back({{"kind", entry.kind},
                    {"message", entry.message},
                    {"reason", entry.reason},
                    {"count", entry.count}});
  }
  return json;
}

ExitCode Suppressions::exit_code() const {
  const bool needed = std::all_of(entries_.begin(), entries_.end(),
                                  [](const Entry& entry) { return entry.count > 0; });
  return needed ? ExitCode::kAsExpected : ExitCode::kNotAsExpected;
}

}  // namespace tools
