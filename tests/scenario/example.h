// Scenarios for the tests of their format.
#pragma once

#include <string>
#include <string_view>

#include "model/scenario/policy_field.h"
#include "model/scenario/text.h"

namespace scenario {

inline constexpr PolicyField kPolicies[] = {
    {"skip_ordered_add", "New blocks do not join the ordered list.", "06bd3c36a733"},
    {"skip_revoke", "Freed metadata blocks are not revoked.", "fs/jbd2/revoke.c"},
};

// Something of every part.
inline constexpr std::string_view kExample = R"({
  "schema": 1, "name": "example", "about": "All there is.",
  "models": ["fs/ext4/inode.c:ext4_truncate"],
  "fs": {"block_bytes": 1024, "journal_blocks": 32, "buffered_iomap": true, "inline_data": true},
  "device": {"size_sectors": 4096, "write_latency_ns": [20000, 90000],
             "faults": [{"kind": "write_error", "nth": 3}, {"kind": "write_error", "sector": 9}]},
  "files": [{"name": "data", "size_bytes": 8192}, {"name": "log", "buffered": "buffer_head"},
            {"name": "small", "size_bytes": 40, "inline_data": true}],
  "threads": [
    {"name": "writer", "repeat": 2, "ops": [
      {"op": "write", "file": "data", "pos_bytes": 0, "len_bytes": 16384, "sync": true,
       "fault_at_bytes": 512, "returns": 16384},
      {"op": "fsync", "file": "log", "returns": "EIO"},
      {"op": "sleep", "duration_ns": 1000}, {"op": "create", "file": "fresh"}]},
    {"name": "truncate", "ops": [{"op": "truncate", "file": "data", "size_bytes": 4096},
                                 {"op": "drop_caches"}]}],
  "policy": {"skip_revoke": true},
  "search": {"strategy": "random", "executions": 100, "seed": 7, "max_steps": 1e6},
  "expect": {"findings": ["stale_data", {"kind": "metadata", "message": "block bitmap"}],
             "without_policy": []}
}
)";

// One thread with these operations.
inline std::string Minimal(std::string_view ops) {
  return Cat(R"({"schema": 1, "name": "minimal", "threads": [{"name": "one", "ops": )", ops,
             R"(}], "expect": {"findings": []}})");
}

}  // namespace scenario
