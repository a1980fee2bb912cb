// Trace files, as commands take and write them.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"
#include "tools/output_file.h"

namespace tools {

inline constexpr int64_t kMaxTraceFileBytes = int64_t{1} << 30;

// The file as JSON; whether it is a trace, who uses it finds out. Failure: "path: why".
absl::StatusOr<nlohmann::ordered_json> LoadTraceDocument(const std::string& path);

// Where to write a trace. A file that is there and is no trace is left alone: "path: why".
absl::StatusOr<OutputFile> OpenTraceFile(const std::string& path);

}  // namespace tools
