// Findings that are known and need no action now: a file of them, each with its reason.
//
//   {"schema": 1, "suppressions": [{"kind": "lock_cycle", "message": "A --> B --> A", "reason":
//   ...}]}
//
// An entry is for every finding of that kind whose message has that text in it: both are in the
// first line of each report. What is suppressed does not count, but is listed. An entry that
// nothing needed is listed, too, and is not as expected: what it was for is gone, or has changed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "model/scenario/reader.h"
#include "nlohmann/json_fwd.hpp"
#include "tools/exit_code.h"

namespace tools {

class Suppressions {
 public:
  Suppressions() = default;

  // Any bytes. Failure: "path:line:column: pointer: want ..., got ...".
  static absl::StatusOr<Suppressions> Parse(std::string_view path, std::string_view text);
  static absl::StatusOr<Suppressions> Load(const std::string& path);
  // JSON Schema of such files.
  static nlohmann::ordered_json Schema();

  // Whether the finding is known; the entry counts it.
  bool Covers(std::string_view kind, std::string_view message);

  // Each entry with how often it was needed; empty without entries.
  std::string Text() const;
  nlohmann::ordered_json ToJson() const;
  // kNotAsExpected when an entry was not needed.
  ExitCode exit_code() const;

 private:
  struct Entry {
    std::string kind, message, reason;
    uint64_t count = 0;
  };
  void Visit(scenario::FieldVisitor& visitor);

  std::vector<Entry> entries_;
};

}  // namespace tools
