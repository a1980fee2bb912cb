#include "tools/trace_document.h"

#include <filesystem>
#include <system_error>

#include "model/scenario/json_text.h"
#include "model/scenario/text.h"

namespace tools {

absl::StatusOr<nlohmann::ordered_json> LoadTraceDocument(const std::string& path) {
  const absl::StatusOr<std::string> text = scenario::ReadTextFile(path, kMaxTraceFileBytes);
  if (!text.ok()) return text.status();
  return scenario::ParseDocument(path, *text);
}

absl::StatusOr<OutputFile> OpenTraceFile(const std::string& path) {
  // A slip of the hand must not cost a scenario, or whatever else is there.
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) {
    const auto document = LoadTraceDocument(path);
    if (!document.ok() || !document->is_object() || !document->contains("crashdep_trace")) {
      return absl::InvalidArgumentError(
          scenario::Cat(path, ": is there and is not a crashdep trace; it is left alone"));
    }
  }
  return OutputFile::Open(path);
}

}  // namespace tools
