// crashdep crash: what a power cut could have left of a real file system, from one recording of the
// writes that its kernel made (model/recorded/recording_check.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tools/console.h"
#include "tools/exit_code.h"

namespace tools {

struct CrashArguments {
  std::string log;   // in dm-log-writes' format
  std::string base;  // the device before; both may be compressed
  std::string stale_pattern;
  std::optional<std::string> tags;  // a file (tag_file.h)
  uint32_t unit_bytes = 512;
  std::optional<std::string> json;
  std::optional<std::string> images;  // a directory for the state of each finding
};

// kNotAsExpected when anything is found; kBadInput when a file cannot be read or used.
ExitCode CrashCommand(const CrashArguments& arguments, Console console);

}  // namespace tools
